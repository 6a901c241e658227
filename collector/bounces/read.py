"""What a mail that came back says: who, hard or soft, why.

Order of trust: an abuse report, a delivery report (RFC 3464), then the text that a server writes for people.
"""

import re
from collections.abc import Iterator

from collector.bounces.complaints import complaint, from_ses, is_complaint
from collector.bounces.delivery_report import from_reports
from collector.bounces.mail import Returned, take_apart
from collector.bounces.notice import from_text, is_automatic_reply, looks_like_bounce
from collector.bounces.verdict import Bounce, Reading, first_word
from collector.bounces.whom import sender, verp
from collector.webhooks.fields import decision_in


def read_mail(raw: bytes) -> Reading:
    """What a mail says. Never raises: what cannot be read is of kind `none`."""
    mail = take_apart(raw)
    bounces = tuple(_bounces(mail)) or (Bounce(recipient=None, kind="none", reason="no_bounce"),)
    own_id = mail.original.get("message-id") or first_word(mail.headers.get("in-reply-to"))
    returned_to = (
        mail.headers.get("x-original-to") or mail.headers.get("delivered-to") or mail.headers.get("to")
    )
    return Reading(
        bounces=bounces,
        mail_id=first_word(mail.headers.get("message-id")),
        message_id=own_id,
        decision_id=_decision(mail, own_id, returned_to),
        returned_to=returned_to,
        verp=verp(returned_to),
    )


def _bounces(mail: Returned) -> Iterator[Bounce]:
    if is_complaint(mail):
        yield complaint(mail)
        return
    if reported := list(from_ses(mail)):
        yield from reported
        return
    found = list(from_reports(mail))
    if found:
        yield from found
    elif is_automatic_reply(mail):
        yield Bounce(recipient=sender(mail), kind="none", reason="automatic_reply")
    elif looks_like_bounce(mail):
        yield from from_text(mail)


def _decision(mail: Returned, own_id: str | None, returned_to: str | None) -> str | None:
    """From our Message-ID, or from the address it came back to, which we signed the same way."""
    tokens = re.findall(r"\+([A-Za-z0-9_.-]+\.[0-9a-f]{16})@", returned_to or "")
    return decision_in({}, own_id, *(f"<{token}@verp>" for token in tokens))
