"""Mails that came back, read by `kairos bounces collect`: our own dialect, in which one mail is one call."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import address, at, first_text, instant, items, text
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "bounce_mail"
_ANSWERED = {"automatic_reply": "autoresponded", "delivered": "delivered"}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One mail, or a list of them, as `kairos bounces read --json` prints it."""
    for mail in items(payload):
        recipients = at(mail, "recipients")
        if not isinstance(recipients, list):
            raise Malformed("a mail that came back is an object with `recipients`")
        for number, bounce in enumerate(recipients):
            yield _one(mail, bounce, number)


def _one(mail: Mapping[str, Any], bounce: Any, number: int) -> MailEvent | Ignored:
    kind = _type(bounce)
    if kind is None:
        return Ignored(provider=NAME, because="a mail that is no bounce", raw=mail)
    mail_id = first_text(mail.get("mail_id"), mail.get("sha256"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(at(bounce, "recipient")),
        occurred_at=instant(mail.get("date")),
        message_id=text(mail.get("message_id")),
        event_id=mail_id and f"{mail_id}.{number}",
        decision_id=text(mail.get("decision_id")),
        hardness=text(at(bounce, "kind")) if kind == "bounced" else "soft" if kind == "deferred" else None,
        reason=text(at(bounce, "reason")),
        reject_reason="spam" if kind == "complained" else None,
        mta_response=text(at(bounce, "diagnostic")),
        raw=mail,
    )


def _type(bounce: Any) -> str | None:
    kind = text(at(bounce, "kind"))
    if kind == "soft":
        return "deferred" if text(at(bounce, "action")) == "delayed" else "bounced"
    if kind == "none":
        return _ANSWERED.get(text(at(bounce, "reason")) or "")
    return {"hard": "bounced", "complaint": "complained"}.get(kind or "")
