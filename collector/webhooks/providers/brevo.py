"""Brevo (once Sendinblue): one event per call, of transactional or of marketing mail."""

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

NAME = "brevo"
# Event: what it is, why, hard or soft. Names are compared without `_` and case: campaigns write hardBounce.
_EVENTS: dict[str, tuple[str, str | None, str | None]] = {
    "request": ("queued", None, None),
    "sent": ("queued", None, None),
    "delivered": ("delivered", None, None),
    "hardbounce": ("bounced", "bounced", "hard"),
    "softbounce": ("bounced", "bounced", "soft"),
    "blocked": ("rejected", "blocked", None),
    "spam": ("complained", "spam", None),
    "complaint": ("complained", "spam", None),
    "deferred": ("deferred", None, "soft"),
    "invalid": ("bounced", "invalid", "hard"),
    "invalidemail": ("bounced", "invalid", "hard"),
    "error": ("failed", None, None),
    "opened": ("opened", None, None),
    "uniqueopened": ("opened", None, None),
    "proxyopen": ("opened", None, None),
    "uniqueproxyopen": ("opened", None, None),
    "click": ("clicked", None, None),
    "clicked": ("clicked", None, None),
    "uniqueclick": ("clicked", None, None),
    "unsubscribe": ("unsubscribed", "unsubscribed", None),
    "unsubscribed": ("unsubscribed", "unsubscribed", None),
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One event, or a list of them."""
    for event in items(payload):
        if not isinstance(event, Mapping) or not text(event.get("event")):
            raise Malformed("a Brevo event is an object with `event`")
        yield _one(event)


def _one(event: Mapping[str, Any]) -> MailEvent | Ignored:
    given = str(event["event"])
    word = given.lower().replace("_", "").replace(" ", "")
    if word not in _EVENTS:
        return Ignored(provider=NAME, because=f"unknown Brevo event {given!r}", raw=event)
    kind, why, hardness = _EVENTS[word]
    metadata = dict(json_object(event.get("X-Mailin-custom")))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(event.get("email")),
        occurred_at=instant(
            *(event.get(name) for name in ("ts_epoch", "ts_event", "s_epoch", "ts", "date_event", "date"))
        ),
        message_id=text(event.get("message-id")),
        # `id` is the webhook's own, the same for all events.
        event_id=None,
        decision_id=decision_in(metadata, event.get("message-id")),
        hardness=hardness,
        reject_reason=why,
        mta_response=text(event.get("reason")),
        click_url=first_text(event.get("link"), event.get("URL")),
        user_agent=text(event.get("user_agent")),
        is_machine=True if "proxy" in word else None,
        tags=texts(event.get("tags")) or _tags(event.get("tag")),
        metadata=metadata,
        raw=event,
    )


def _tags(value: Any) -> list[str]:
    """`tag` is one word, a list, or a list packed into text."""
    if isinstance(value, str) and value.startswith("["):
        return texts(json_object('{"tags": ' + value + "}").get("tags"))
    return texts(value)
