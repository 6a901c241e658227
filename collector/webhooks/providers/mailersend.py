"""MailerSend: `activity.*` events, one per call."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import (
    address,
    at,
    decision_in,
    first_text,
    instant,
    items,
    mapping,
    text,
    texts,
)
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "mailersend"
# Type after `activity.`: what it is, why, hard or soft.
_EVENTS: dict[str, tuple[str, str | None, str | None]] = {
    "sent": ("sent", None, None),
    "delivered": ("delivered", None, None),
    "deferred": ("deferred", None, "soft"),
    "soft_bounced": ("bounced", "bounced", "soft"),
    "hard_bounced": ("bounced", "bounced", "hard"),
    "opened": ("opened", None, None),
    "opened_unique": ("opened", None, None),
    "clicked": ("clicked", None, None),
    "clicked_unique": ("clicked", None, None),
    "unsubscribed": ("unsubscribed", "unsubscribed", None),
    "spam_complaint": ("complained", "spam", None),
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One event, or a list of them."""
    for event in items(payload):
        given = text(at(event, "type"))
        if not given:
            raise Malformed("a MailerSend event is an object with `type`")
        known = _EVENTS.get(given.removeprefix("activity."))
        if known is None:
            because = f"MailerSend event {given!r} is not about an email we sent"
            yield Ignored(provider=NAME, because=because, raw=event)
        else:
            yield _one(event, known)


def _one(event: Mapping[str, Any], known: tuple[str, str | None, str | None]) -> MailEvent:
    kind, why, hardness = known
    data = mapping(event, "data")
    email, morph = mapping(data, "email"), mapping(data, "morph")
    metadata = {str(at(tag, "name")): at(tag, "value") for tag in items(data.get("meta")) if mapping(tag)}
    said = text(morph.get("reason"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(first_text(at(email, "recipient", "email"), at(data, "recipient", "email"))),
        occurred_at=instant(morph.get("created_at"), data.get("created_at"), event.get("created_at")),
        message_id=first_text(at(email, "message", "id"), at(data, "message_id")),
        event_id=text(data.get("id")),
        decision_id=decision_in(metadata, at(email, "headers", "message-id")),
        hardness=hardness,
        reject_reason=why,
        description=first_text(morph.get("readable_reason"), said),
        mta_response=said if kind in ("bounced", "deferred") else None,
        click_url=text(morph.get("url")),
        user_agent=text(morph.get("user_agent")),
        tags=texts(email.get("tags")),
        metadata=metadata,
        raw=event,
    )
