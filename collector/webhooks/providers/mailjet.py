"""Mailjet: one event per call, or a list when events are grouped."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import (
    address,
    decision_in,
    first_text,
    instant,
    items,
    json_object,
    text,
    texts,
)
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "mailjet"
_TYPES = {
    "sent": "delivered",  # the recipient's server took it
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "blocked": "rejected",
    "spam": "complained",
    "unsub": "unsubscribed",
}
_REJECTED = {
    "user unknown": "bounced",
    "mailbox inactive": "bounced",
    "quota exceeded": "bounced",
    "invalid domain": "invalid",
    "no mail host": "invalid",
    "typofix": "invalid",
    "sender blocked": "blocked",
    "content blocked": "blocked",
    "policy issue": "blocked",
    "preblocked": "blocked",
    "blacklisted": "blocked",
    "spam reporter": "spam",
    "spam preblocked": "blocked",
    "spam content blocked": "blocked",
}
_HARD = ("user unknown", "invalid domain", "no mail host")


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """A list of events, or one."""
    for event in items(payload):
        if not isinstance(event, Mapping) or not text(event.get("event")):
            raise Malformed("a Mailjet event is an object with `event`")
        yield _one(event)


def _one(event: Mapping[str, Any]) -> MailEvent | Ignored:
    given = str(event["event"]).lower()
    kind = _TYPES.get(given)
    if kind is None:
        return Ignored(provider=NAME, because=f"unknown Mailjet event {given!r}", raw=event)
    error = (text(event.get("error")) or "").lower()
    if kind == "bounced" and event.get("hard_bounce") is not True and error not in _HARD:
        kind = "deferred"  # Mailjet goes on trying
    metadata = dict(json_object(event.get("Payload")))
    message_id = first_text(event.get("MessageID"), event.get("mj_message_id"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(event.get("email")),
        occurred_at=instant(event.get("time")),
        message_id=message_id,
        event_id=None,
        decision_id=decision_in(metadata, event.get("CustomID")) or _custom(event),
        hardness={"bounced": "hard", "deferred": "soft"}.get(kind),
        reject_reason=_reject_reason(kind, error),
        description=first_text(event.get("comment"), event.get("error"), event.get("source")),
        mta_response=text(event.get("smtp_reply")),
        click_url=text(event.get("url")),
        user_agent=text(event.get("agent")),
        tags=texts(event.get("customcampaign")),
        metadata=metadata,
        raw=event,
    )


def _custom(event: Mapping[str, Any]) -> str | None:
    """CustomID is the sender's own word for the message."""
    given = text(event.get("CustomID"))
    return given[:128] if given else None


def _reject_reason(kind: str, error: str) -> str | None:
    if kind in ("bounced", "deferred", "rejected"):
        return _REJECTED.get(error, "other")
    return {"complained": "spam", "unsubscribed": "unsubscribed"}.get(kind)
