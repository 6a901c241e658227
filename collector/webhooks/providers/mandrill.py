"""Mandrill (Mailchimp Transactional): a list of events about messages, and others about its own lists."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import (
    address,
    at,
    decision_in,
    first_text,
    instant,
    items,
    json_object,
    mapping,
    text,
    texts,
)
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "mandrill"
# Event: what it is, why, hard or soft.
_EVENTS: dict[str, tuple[str, str | None, str | None]] = {
    "send": ("sent", None, None),
    "delivered": ("delivered", None, None),
    "deferral": ("deferred", None, "soft"),
    "hard_bounce": ("bounced", "bounced", "hard"),
    "soft_bounce": ("bounced", "bounced", "soft"),
    "open": ("opened", None, None),
    "click": ("clicked", None, None),
    "spam": ("complained", "spam", None),
    "unsub": ("unsubscribed", "unsubscribed", None),
    "reject": ("rejected", "blocked", None),
}
_REJECTED = {
    "hard-bounce": "bounced",
    "soft-bounce": "bounced",
    "spam": "spam",
    "unsub": "unsubscribed",
    "invalid": "invalid",
    "rule": "blocked",
    "custom": "blocked",
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """A list of events, or one; in a call they travel packed in the form field `mandrill_events`."""
    if isinstance(payload, Mapping) and "mandrill_events" in payload:
        payload = json_object('{"events": ' + str(payload["mandrill_events"]) + "}").get("events")
    for event in items(payload):
        if not isinstance(event, Mapping) or not first_text(event.get("event"), event.get("type")):
            raise Malformed("a Mandrill event is an object with `event` and `msg`")
        yield _one(event)


def _one(event: Mapping[str, Any]) -> MailEvent | Ignored:
    given = text(event.get("event"))
    if given not in _EVENTS:
        return Ignored(
            provider=NAME, because=f"Mandrill event {given!r} is not about an email we sent", raw=event
        )
    message = mapping(event, "msg")
    if not message:
        return Ignored(provider=NAME, because=f"a Mandrill event {given!r} without its message", raw=event)
    kind, why, hardness = _EVENTS[given]
    if kind == "rejected":
        refused = first_text(at(message, "reject", "reason"), message.get("reject")) or ""
        why = _REJECTED.get(refused, "blocked")
    metadata = dict(mapping(message, "metadata"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(message.get("email")),
        occurred_at=instant(event.get("ts")),
        message_id=first_text(message.get("_id"), event.get("_id")),
        event_id=None,
        decision_id=decision_in(metadata),
        hardness=hardness,
        reject_reason=why,
        description=text(message.get("bounce_description")),
        mta_response=first_text(message.get("diag"), _last_reply(message)),
        click_url=text(event.get("url")),
        user_agent=text(event.get("user_agent")),
        tags=texts(message.get("tags")),
        metadata=metadata,
        raw=event,
    )


def _last_reply(message: Mapping[str, Any]) -> str | None:
    """Of the SMTP exchanges so far, the newest answer."""
    replies = [at(exchange, "diag") for exchange in items(message.get("smtp_events"))]
    return text(replies[-1]) if replies else None
