"""Abuse reports: RFC 5965, the feedback loops before it, and the notifications that SES can mail."""

import json
import re
from collections.abc import Iterator

from collector.bounces.mail import Returned
from collector.bounces.meaning import read_reply
from collector.bounces.verdict import Bounce, judged
from collector.bounces.whom import original_recipient, plain_address
from collector.webhooks.providers import amazon_ses
from collector.webhooks.vocabulary import MailEvent

_NOT_A_COMPLAINT = ("not-spam", "auth-failure")  # a complaint taken back, and a report about DMARC
_COMPLAINT_SUBJECT = re.compile(
    r"^(?:complaint about message from|e-?mail feedback report for ip|abuse report|\[?fbl\]?\b)", re.I
)
_COMPLAINT_TEXT = re.compile(r"this is an? (?:e-?mail )?(?:abuse|spam) report for an? e-?mail", re.I)


def is_complaint(mail: Returned) -> bool:
    """A report, or a mail that says it is one."""
    subject = mail.headers.get("subject", "")
    return bool(mail.feedback or _COMPLAINT_SUBJECT.search(subject) or _COMPLAINT_TEXT.search(mail.notice))


def complaint(mail: Returned) -> Bounce:
    kind = mail.feedback.get("feedback-type", "abuse").strip().lower()
    named = tuple(mail.feedback.get(name) for name in ("original-rcpt-to", "removal-recipient"))
    named = (
        *named,
        mail.headers.get("x-hmxmroriginalrecipient"),
        mail.original.get("x-hmxmroriginalrecipient"),
    )
    recipient = next(filter(None, map(plain_address, named)), None) or original_recipient(mail)
    if kind in _NOT_A_COMPLAINT:
        return Bounce(recipient=recipient, kind="none", reason=kind.replace("-", "_"))
    return Bounce(recipient=recipient, kind="complaint", reason="complaint", diagnostic=kind)


def from_ses(mail: Returned) -> Iterator[Bounce]:
    """SES can mail its notifications as JSON."""
    start = mail.notice.find('{"notificationType"')
    if start < 0:
        return
    try:
        event = json.JSONDecoder(strict=False).raw_decode(mail.notice[start:])[0]
    except (ValueError, RecursionError):
        return
    for found in amazon_ses.normalise(event, {}):
        if isinstance(found, MailEvent):
            yield _of_event(found)


def _of_event(event: MailEvent) -> Bounce:
    if event.event_type == "complained":
        return Bounce(
            recipient=event.recipient, kind="complaint", reason="complaint", diagnostic=event.description
        )
    if event.event_type not in ("bounced", "deferred"):
        return Bounce(recipient=event.recipient, kind="none", reason=event.event_type)
    reply = read_reply(event.mta_response or event.description or "")
    return judged(
        reply, event.recipient, None, event.mta_response or "", is_delayed=event.event_type == "deferred"
    )
