"""One vocabulary for what became of an email, whoever reports it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

EventType = Literal[
    "queued",  # the provider took it
    "sent",  # it is on its way to the mail server of the recipient
    "rejected",  # the provider refused to try: its own suppression list, a bad address
    "failed",  # the provider could not build or pass it on
    "bounced",  # the recipient's mail server refused it, or sent it back later
    "deferred",  # not yet: the provider goes on trying
    "delivered",  # the recipient's mail server took it
    "opened",
    "clicked",
    "complained",  # the recipient called it spam
    "unsubscribed",
    "subscribed",  # taken back at the provider; it lifts nothing here
    "autoresponded",
]
Hardness = Literal["hard", "soft"]


@dataclass(frozen=True, kw_only=True)
class MailEvent:
    """One event about one recipient. What the provider does not say is None, never a guess."""

    provider: str
    event_type: EventType
    recipient: str | None = None  # one plain address, as spelled by the provider
    occurred_at: datetime | None = None  # aware UTC
    message_id: str | None = None  # the provider's word for the message
    event_id: str | None = None  # the same in every repetition of this event
    decision_id: str | None = None  # ours, from the metadata or from our own Message-ID
    hardness: Hardness | None = None  # of a bounce: hard means that this mailbox will never take mail
    reason: str | None = None  # one word of `collector.bounces.meaning`, or the provider's
    reject_reason: str | None = None  # invalid, bounced, timed_out, blocked, spam, unsubscribed, other
    description: str | None = None
    mta_response: str | None = None  # what the recipient's mail server said
    click_url: str | None = None
    user_agent: str | None = None
    is_machine: bool | None = None  # opened or clicked by a proxy or scanner, where the provider knows
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    raw: Any = None  # the part of the payload that this event was read from


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """Understood, and nothing to do with an email of ours."""

    provider: str
    because: str
    raw: Any = None


class Malformed(ValueError):
    """Not a payload of this provider at all; the sentence says what was expected."""
