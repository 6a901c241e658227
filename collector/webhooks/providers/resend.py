"""Resend: `email.*` events, each about one message."""

import json
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

NAME = "resend"
_TYPES = {
    "email.scheduled": "queued",
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.delivery_delayed": "deferred",
    "email.complained": "complained",
    "email.bounced": "bounced",
    "email.suppressed": "rejected",
    "email.failed": "failed",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
_HARDNESS = {"permanent": "hard", "transient": "soft", "undetermined": "soft"}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One event, or a list of them; the event's id travels in the header `svix-id`."""
    for event in items(payload):
        given = text(at(event, "type"))
        if not given:
            raise Malformed("a Resend event is an object with `type`")
        kind = _TYPES.get(given.lower())
        if kind is None:
            because = f"Resend event {given!r} is not about an email we sent"
            yield Ignored(provider=NAME, because=because, raw=event)
        else:
            yield _one(event, kind, first_text(headers.get("svix-id"), headers.get("webhook-id")))


def _one(event: Mapping[str, Any], kind: str, event_id: str | None) -> MailEvent:
    data, bounce = mapping(event, "data"), mapping(event, "data", "bounce")
    headers = {str(at(h, "name")).lower(): text(at(h, "value")) for h in items(data.get("headers"))}
    metadata = dict(json_object(headers.get("x-metadata")))
    said = first_text(bounce.get("message"), at(data, "failed", "reason"), at(data, "suppressed", "message"))
    is_suppressed = kind == "bounced" and "suppress" in (said or bounce.get("subType") or "").lower()
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(next(iter(texts(data.get("to"))), None)),
        occurred_at=instant(
            at(data, "click", "timestamp"), at(data, "open", "timestamp"), event.get("created_at")
        ),
        message_id=text(data.get("email_id")),
        event_id=event_id,
        decision_id=decision_in(
            {**_tags(data.get("tags")), **metadata, **headers},
            headers.get("message-id"),
            data.get("message_id"),
        ),
        hardness=_hardness(kind, bounce, is_suppressed),
        reject_reason=_reject_reason(kind, is_suppressed),
        description=said,
        mta_response=None if is_suppressed or kind != "bounced" else said,
        click_url=text(at(data, "click", "link")),
        user_agent=first_text(at(data, "click", "userAgent"), at(data, "open", "userAgent")),
        tags=_x_tags(headers.get("x-tags")),
        metadata=metadata,
        raw=event,
    )


def _tags(value: Any) -> dict[str, Any]:
    """Tags are name and value, as an object or as a list of pairs."""
    if isinstance(value, Mapping):
        return dict(value)
    return {str(at(tag, "name")): at(tag, "value") for tag in items(value)}


def _x_tags(value: str | None) -> list[str]:
    """The header in which senders keep a list of tags."""
    try:
        return texts(json.loads(value)) if value else []
    except (ValueError, RecursionError):
        return texts(value)


def _hardness(kind: str, bounce: Mapping[str, Any], is_suppressed: bool) -> str | None:
    """An address on the provider's own list bounced hard once; whether here, nobody knows."""
    if kind == "deferred" or is_suppressed:
        return "soft"
    return _HARDNESS.get((text(bounce.get("type")) or "").lower()) if kind == "bounced" else None


def _reject_reason(kind: str, is_suppressed: bool) -> str | None:
    if is_suppressed or kind == "rejected":
        return "blocked"
    return {"bounced": "bounced", "complained": "spam"}.get(kind)
