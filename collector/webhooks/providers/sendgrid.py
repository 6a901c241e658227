"""SendGrid's event webhook: a list of events of many messages."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import address, decision_in, first_text, instant, items, text, texts
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "sendgrid"
_TYPES = {
    "processed": "queued",
    "dropped": "rejected",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounced",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "subscribed",
}
_REJECTED = {  # beginnings of `reason`
    "invalid": "invalid",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced",
    "spam report": "spam",
    "spam content": "blocked",
    "recipient list over": "blocked",
}
# What SendGrid itself puts into an event; every other key is the sender's custom argument.
_OWN = frozenset(
    {
        *("email", "timestamp", "smtp-id", "event", "category", "sg_event_id", "sg_message_id", "reason"),
        *("status", "response", "attempt", "useragent", "ip", "url", "url_offset", "asm_group_id", "tls"),
        *("unique_args", "marketing_campaign_id", "marketing_campaign_name", "newsletter", "nlvx", "pool"),
        *("bounce_classification", "type", "sg_machine_open", "sg_content_type", "sg_template_id"),
        *("sg_template_name", "sg_user_id", "cert_err", "anymail_id", "singlesend_id", "singlesend_name"),
        *("template_id", "template_hash", "template_version_id", "domain", "from", "send_at", "message_id"),
    }
)


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """A list of events, or one."""
    for event in items(payload):
        if not isinstance(event, Mapping) or not text(event.get("event")):
            raise Malformed("a SendGrid event is an object with `event`")
        yield _one(event)


def _one(event: Mapping[str, Any]) -> MailEvent | Ignored:
    given = str(event["event"]).lower()
    kind = _TYPES.get(given)
    if kind is None:
        return Ignored(provider=NAME, because=f"unknown SendGrid event {given!r}", raw=event)
    reason = text(event.get("reason"))
    metadata = {key: value for key, value in event.items() if key not in _OWN}
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(event.get("email")),
        occurred_at=instant(event.get("timestamp")),
        # django-anymail's senders name their message themselves; else the Message-ID, else SendGrid's own.
        message_id=first_text(event.get("anymail_id"), event.get("smtp-id"), event.get("sg_message_id")),
        event_id=text(event.get("sg_event_id")),
        decision_id=decision_in(metadata, event.get("smtp-id")),
        hardness=_hardness(kind, event),
        reject_reason=_reject_reason(kind, given, reason, event),
        description=reason if kind == "rejected" else None,
        mta_response=first_text(event.get("response"), reason if kind in ("bounced", "deferred") else None),
        click_url=text(event.get("url")) if kind == "clicked" else None,
        user_agent=text(event.get("useragent")),
        is_machine=True if event.get("sg_machine_open") is True else None,
        tags=texts(event.get("category")),
        metadata=metadata,
        raw=event,
    )


def _hardness(kind: str, event: Mapping[str, Any]) -> str | None:
    """`blocked` bounces are about the message or the sender; for the others the classification speaks."""
    if kind == "deferred":
        return "soft"
    if kind != "bounced":
        return None
    if text(event.get("type")) == "blocked":
        return "soft"
    given = (text(event.get("bounce_classification")) or "").lower()
    return {"invalid address": "hard", "": None, "unclassified": None}.get(given, "soft")


def _reject_reason(kind: str, given: str, reason: str | None, event: Mapping[str, Any]) -> str | None:
    if kind == "rejected":
        word = (reason or "").lower()
        return next((found for start, found in _REJECTED.items() if word.startswith(start)), "other")
    if kind == "bounced":
        return "blocked" if event.get("type") == "blocked" else "bounced"
    return {"complained": "spam", "unsubscribed": "unsubscribed"}.get(kind)
