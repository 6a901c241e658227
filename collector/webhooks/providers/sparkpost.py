"""SparkPost: a list of events, each wrapped in `msys` and the name of its class."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import address, decision_in, first_text, instant, items, mapping, text, texts
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "sparkpost"
_CLASSES = ("message_event", "track_event", "gen_event", "unsubscribe_event")
_TYPES = {
    "bounce": "bounced",
    "out_of_band": "bounced",
    "delivery": "delivered",
    "delay": "deferred",
    "injection": "queued",
    "spam_complaint": "complained",
    "policy_rejection": "rejected",
    "generation_failure": "failed",
    "generation_rejection": "rejected",
    "open": "opened",
    "initial_open": "opened",
    "amp_open": "opened",
    "amp_initial_open": "opened",
    "click": "clicked",
    "amp_click": "clicked",
    "list_unsubscribe": "unsubscribed",
    "link_unsubscribe": "unsubscribed",
}
# https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
_HARD = ("10", "30")  # invalid recipient, no such recipient
_BLOCKED = ("50", "51", "52", "53", "54")


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """A list of wrapped events, or one."""
    for wrapped in items(payload):
        if not isinstance(wrapped, Mapping) or "msys" not in wrapped:
            raise Malformed("a SparkPost event is an object with `msys`")
        inner = mapping(wrapped, "msys")
        name = next(iter(inner), None)
        event = mapping(inner, name) if name else {}
        given = text(event.get("type")) or ""
        kind = _TYPES.get(given) if name in _CLASSES else None
        if not inner:
            yield Ignored(provider=NAME, because="a ping of SparkPost", raw=wrapped)
        elif kind is None:
            because = f"SparkPost event {name}/{given} is not about an email we sent"
            yield Ignored(provider=NAME, because=because, raw=wrapped)
        else:
            yield _one(event, kind, wrapped)


def _one(event: Mapping[str, Any], kind: str, wrapped: Mapping[str, Any]) -> MailEvent:
    metadata = dict(mapping(event, "rcpt_meta"))
    code = text(event.get("bounce_class"))
    said = first_text(event.get("raw_reason"), event.get("reason"))
    if kind == "bounced" and code == "60":
        kind = "autoresponded"
    elif kind == "bounced" and code == "90":
        kind = "unsubscribed"
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(first_text(event.get("raw_rcpt_to"), event.get("rcpt_to"))),
        occurred_at=instant(event.get("timestamp")),
        message_id=first_text(event.get("transmission_id"), event.get("message_id")),
        event_id=text(event.get("event_id")),
        decision_id=decision_in(metadata),
        hardness=_hardness(kind, code),
        reject_reason=_reject_reason(kind, code),
        description=None,
        mta_response=said,
        click_url=text(event.get("target_link_url")),
        user_agent=text(event.get("user_agent")),
        is_machine=True if event.get("is_prefetched") is True else None,
        tags=texts(event.get("campaign_id")),
        metadata=metadata,
        raw=wrapped,
    )


def _hardness(kind: str, code: str | None) -> str | None:
    """The class counts; class 1 is SparkPost's "undetermined", where the reply may know more."""
    if kind == "deferred":
        return "soft"
    if kind != "bounced" or code in (None, "1"):
        return None
    return "hard" if code in _HARD else "soft"


def _reject_reason(kind: str, code: str | None) -> str | None:
    if kind == "bounced":
        return "invalid" if code in _HARD else "blocked" if code in _BLOCKED else "bounced"
    return {"complained": "spam", "rejected": "blocked", "unsubscribed": "unsubscribed"}.get(kind)
