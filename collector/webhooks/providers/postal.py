"""Postal: events of a self-hosted mail platform."""

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

NAME = "postal"
_TYPES = {
    "messagesent": "delivered",
    "messagedelayed": "deferred",
    "messagedeliveryfailed": "failed",
    "messageheld": "queued",
    "messagebounced": "bounced",
    "messagelinkclicked": "clicked",
    "messageloaded": "opened",
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One event, or a list of them."""
    for event in items(payload):
        given = text(at(event, "event"))
        if not given:
            raise Malformed("a Postal event is an object with `event` and `payload`")
        kind = _TYPES.get(given.lower())
        details = mapping(event, "payload")
        message = mapping(details, "message") or mapping(details, "original_message")
        if kind is None:
            yield Ignored(provider=NAME, because=f"Postal event {given!r} is not about an email", raw=event)
        elif text(message.get("direction")) == "incoming":
            yield Ignored(provider=NAME, because="about an email that came in", raw=event)
        else:
            yield _one(event, kind, details, message)


def _one(
    event: Mapping[str, Any], kind: str, details: Mapping[str, Any], message: Mapping[str, Any]
) -> MailEvent:
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(message.get("to")),
        occurred_at=instant(details.get("timestamp"), event.get("timestamp")),
        message_id=first_text(message.get("id"), message.get("message_id")),
        event_id=text(event.get("uuid")),
        decision_id=decision_in({}, message.get("message_id")),
        hardness="soft" if kind == "deferred" else None,  # of a failure the reply says it
        reject_reason="bounced" if kind == "bounced" else None,
        description=text(details.get("details")),
        mta_response=text(details.get("output")),
        click_url=text(details.get("url")),
        user_agent=text(details.get("user_agent")),
        tags=texts(message.get("tag")),
        raw=event,
    )
