"""An event of a provider as it lies in the log: our name for it, nobody's identity but the mailbox's, the original kept.

The collector knows an address and perhaps a decision; the ledger knows whom it was about, and tells the models.
"""

import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from collector.events import own_event
from collector.json_event import check_shape
from collector.limits import Limits
from collector.refusal import Refused
from collector.webhooks.vocabulary import MailEvent

# `Email Sent`, `Email Failed` and `Email Rejected` are our own receipts, so providers' words have other names.
EVENT_NAMES = {
    "queued": "Email Queued",
    "sent": "Email Dispatched",
    "rejected": "Email Dropped",
    "failed": "Email Undeliverable",
    "bounced": "Email Bounced",
    "deferred": "Email Deferred",
    "delivered": "Email Delivered",
    "opened": "Email Opened",
    "clicked": "Email Clicked",
    "complained": "Email Complained",
    "unsubscribed": "Email Unsubscribed",
    "subscribed": "Email Resubscribed",
    "autoresponded": "Email Autoresponded",
}
_RAW_CHARS = 16 * 1024
_TEXT_CHARS = 1_000
_ID_CHARS = 200


def landed(event: MailEvent, received: datetime, secret: str | None, limits: Limits) -> tuple[str, bytes]:
    """(message id, payload for the log). The same event always has the same id."""
    id = message_id(event)
    payload = own_event(
        EVENT_NAMES[event.event_type],
        id,
        min(event.occurred_at or received, received),
        _properties(event, limits),
        anonymous_id=mailbox_id(event.recipient, secret),
    )
    return id, payload


def message_id(event: MailEvent) -> str:
    """Of the provider's id of the event; a message to several people is several events."""
    told = f"{event.event_type}/{event.event_id}/{(event.recipient or '').lower()}"
    known = event.event_id or ""
    is_plain = known.isascii() and known.isprintable() and len(known) <= _ID_CHARS
    tail = sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{event.provider}-{known}-{tail}" if is_plain else f"{event.provider}-{tail}"


def mailbox_id(address: str | None, secret: str | None) -> str:
    """Who an event is about while nobody knows the person: a keyed hash, as the ledger makes it of an address."""
    if not address or not secret:
        return "mail-unknown"
    spelled = unicodedata.normalize("NFKC", address).strip().lower()
    return (
        "mail-" + hmac.digest(secret.encode(), spelled.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
    )


def _properties(event: MailEvent, limits: Limits) -> dict[str, Any]:
    told: Sequence[str] = (
        *("provider", "event_type", "recipient", "decision_id", "hardness", "reason", "reject_reason"),
        *("description", "mta_response", "click_url", "user_agent"),
    )
    properties: dict[str, Any] = {name: _clean(getattr(event, name)) for name in told}
    properties["provider_message_id"] = _clean(event.message_id)
    properties["provider_event_id"] = _clean(event.event_id)
    if event.is_machine is not None:
        properties["machine_reason"] = "provider" if event.is_machine else None
    if event.tags:
        properties["tags"] = [_clean(tag) for tag in event.tags[:32]]
    if event.metadata and _fits(event.metadata, limits):
        properties["metadata"] = event.metadata
    properties["raw"] = _raw(event.raw)
    return {name: value for name, value in properties.items() if value is not None}


def _clean(value: Any) -> Any:
    """Text that any store can hold."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:_TEXT_CHARS]


def _fits(metadata: dict[str, Any], limits: Limits) -> bool:
    try:
        check_shape(metadata, limits, depth=3)
        encoded = msgspec.json.encode(metadata)
    except (Refused, UnicodeEncodeError, TypeError, msgspec.MsgspecError):
        return False
    return len(encoded) <= _RAW_CHARS // 2 and b"\\u0000" not in encoded


def _raw(raw: Any) -> str:
    """As text, so that its depth and its keys are nobody's problem."""
    try:
        return msgspec.json.encode(raw).decode()[:_RAW_CHARS]
    except (UnicodeEncodeError, TypeError, msgspec.MsgspecError, RecursionError):
        return "unreadable"
