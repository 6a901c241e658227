"""A raw call of any SDK becomes one canonical event, or is refused with a reason."""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from collector.config import OWN_SOURCE, WriteKey
from collector.contract import Event
from collector.identifiers import identifier
from collector.json_event import encode
from collector.limits import Limits
from collector.refusal import Refused
from collector.times import format_utc, instant_or_none, occurred_at, parse_instant

TYPES = frozenset({"track", "page", "screen", "identify", "group", "alias"})


class Call(NamedTuple):
    """What is known about a request before its events are looked at."""

    source: WriteKey
    received: datetime  # aware UTC
    limits: Limits
    type: str | None = None  # from the path, for messages that do not name their own
    sent_at: datetime | None = None  # of the envelope or the header
    context: dict[str, Any] | None = None  # of the envelope: holds for all its events
    geography: dict[str, str] | None = None  # from headers a CDN sets


def canonical(raw: dict[str, Any], call: Call) -> Event:
    """The event as it will lie in the log. Raises `Refused`; `raw` may be changed."""
    flags: list[str] = []
    get = raw.get
    kind = get("type") or call.type
    if type(kind) is not str or kind not in TYPES:
        raise Refused("unknown_type", f"type {str(kind)[:40]!r} is none of {', '.join(sorted(TYPES))}.")
    properties, context = _object(get("properties"), "properties"), _object(get("context"), "context")
    limits = call.limits
    event = Event(
        message_id=_message_id(raw, call, flags),
        type=kind,
        event=_event_name(kind, raw, properties, limits),
        anonymous_id=identifier(get("anonymousId"), "anonymous_id", limits, flags),
        user_id=identifier(get("userId"), "user_id", limits, flags),
        # Rare: asking first is cheaper than a call that finds nothing.
        previous_id=identifier(raw["previousId"], "previous_id", limits, flags)
        if "previousId" in raw
        else None,
        group_id=identifier(raw["groupId"], "group_id", limits, flags) if "groupId" in raw else None,
        occurred_at=format_utc(_occurred(raw, call, flags)),
        source=call.source.name,
        trust=call.source.kind,
        dialect=_dialect(raw),
        properties=properties,
        traits={} if kind == "track" else _traits(raw, context),
        context=_full_context(context, call) if call.context or call.geography else context,
        flags=flags,
    )
    _check_identity(event)
    if call.source.kind == "browser":
        _drop_consent(event)
    return event


def own_event(
    name: str,
    message_id: str,
    occurred: datetime,
    properties: dict[str, Any],
    user_id: str | None = None,
    anonymous_id: str | None = None,
) -> bytes:
    """A payload of our own for the log (`Email Clicked`, `Email Unsubscribed`, …), trusted like a server's."""
    return encode(
        Event(
            message_id=message_id,
            type="track",
            event=name,
            anonymous_id=anonymous_id,
            user_id=user_id,
            previous_id=None,
            group_id=None,
            occurred_at=format_utc(occurred),
            source=OWN_SOURCE,
            trust="server",
            dialect="segment",
            properties=properties,
        )
    )


def _object(value: Any, field: str) -> dict[str, Any]:
    if type(value) is dict:
        return value
    if value is None or value == "":
        return {}
    raise Refused("invalid_" + field, f"{field} must be an object, not {type(value).__name__}.")


def _traits(raw: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """RudderStack's SDKs put the traits into the context; they are kept in one place only."""
    inner = context.pop("traits", None)
    return _object(raw.get("traits") or inner, "traits")


def _event_name(kind: str, raw: dict[str, Any], properties: dict[str, Any], limits: Limits) -> str | None:
    if kind == "track":
        return _name(raw.get("event"), limits) or _refuse_nameless()
    if kind in ("page", "screen"):
        if type(category := raw.get("category")) is str:
            properties.setdefault("category", category)
        inner = properties.get("name")
        return _name(raw.get("name") or raw.get("event"), limits) or (inner if type(inner) is str else None)
    return None


def _refuse_nameless() -> str:
    raise Refused("missing_event", "A track call needs the name of the event.")


def _name(value: Any, limits: Limits) -> str | None:
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise Refused("invalid_event", f"The name of an event must be text, not {type(value).__name__}.")
    if len(value) > limits.name_chars:
        raise Refused(
            "name_too_long", f"The name has {len(value)} characters; {limits.name_chars} are allowed."
        )
    return value.strip() or None


def _message_id(raw: dict[str, Any], call: Call, flags: list[str]) -> str:
    return identifier(raw.get("messageId"), "message_id", call.limits, flags) or _derived_id(raw, call)


def _derived_id(raw: dict[str, Any], call: Call) -> str:
    """A retry of an event with its own time is recognised by its content; without one, it is a new event."""
    if not (raw.get("originalTimestamp") or raw.get("timestamp")):
        return f"kairos-{uuid4().hex}"
    content = {key: value for key, value in raw.items() if key not in ("sentAt", "messageId", "_metadata")}
    return "kairos-" + sha256(encode([call.source.name, call.type, content])).hexdigest()[:32]


def _occurred(raw: dict[str, Any], call: Call, flags: list[str]) -> datetime:
    original = parse_instant(raw.get("originalTimestamp") or raw.get("timestamp"), "timestamp")
    own = raw.get("sentAt")
    sent = (instant_or_none(own) if own else None) or call.sent_at
    return occurred_at(original, sent, call.received, flags)


def _dialect(raw: dict[str, Any]) -> str:
    """RudderStack's SDKs name the channel or the original time in each message; Segment's never do."""
    return "rudderstack" if "channel" in raw or "originalTimestamp" in raw else "segment"


def _full_context(context: dict[str, Any], call: Call) -> dict[str, Any]:
    if call.context:
        context = {**call.context, **context}
    if call.geography:
        context.setdefault("location", call.geography)
    return context


def _check_identity(event: Event) -> None:
    """An event must belong to somebody, an alias and a group must say to whom."""
    if not (event.user_id or event.anonymous_id or (event.type == "alias" and event.previous_id)):
        raise Refused("no_identity", "The event needs a userId or an anonymousId that names somebody.")
    if event.type == "alias" and not event.previous_id:
        raise Refused("missing_previous_id", "An alias call needs a previousId that names somebody.")
    if event.type == "group" and not event.group_id:
        raise Refused("missing_group_id", "A group call needs a groupId.")
    if event.type == "alias" and event.previous_id == event.user_id:
        event.flags.append("self_alias")  # analytics-next sends these; they join nobody


def _drop_consent(event: Event) -> None:
    """Anyone can read a browser key from the page's source, so it cannot speak for a person's consent."""
    inner = event.context.get("traits")
    dropped = [
        traits.pop("consent")
        for traits in (event.traits, inner)
        if type(traits) is dict and "consent" in traits
    ]
    if dropped:
        event.flags.append("consent_dropped")
