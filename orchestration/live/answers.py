"""What people do with an email. The collector sees a link and knows a decision; the ledger knows whom it was about.

So each answer is told twice: by the collector, durable before it replies, and here, with the person, for the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from orchestration.live.clicks import MOMENT, Click, RecentClicks, Verdict
from orchestration.live.decode import Payload
from orchestration.live.events import own_event, utc
from senders.ledger.facts import Exit, ExitWithdrawn, Fact, OptOut, Suppression
from senders.ledger.views import Recipient

HITS = ("Email Clicked", "Email Opened")
WISHES = ("Email Unsubscribed", "Email Topic Unsubscribed", "Email Paused")

LONGEST_PAUSE_DAYS = 366


@dataclass(frozen=True)
class Answer:
    """What the ledger must know, and what the models are told."""

    facts: tuple[Fact, ...] = ()
    events: tuple[bytes, ...] = ()


def decision_of(event: Payload) -> str | None:
    """Which email an event of the collector is about; None for events that are no answers, or are told already."""
    if event.event not in (*HITS, *WISHES):
        return None
    said = properties_of(event)
    decision_id = said.get("decision_id")
    return decision_id if isinstance(decision_id, str) and "hit_id" not in said else None


def answer(event: Payload, who: Recipient, position: int, recent: RecentClicks) -> Answer:
    """The answer of `who` that lies at `position` of the log; asked in the order of the log."""
    return _hit(event, who, position, recent) if event.event in HITS else _wish(event, who)


def _hit(event: Payload, who: Recipient, position: int, recent: RecentClicks) -> Answer:
    """A person's click ends what an email asks for, at once; a machine's ends nothing."""
    at, said = utc(event.received_at), properties_of(event)
    reason = said.get("machine_reason")
    if not reason and who.accepted_at is not None and at < who.accepted_at + MOMENT:
        reason = "too_soon"
    verdict = Verdict(reason)
    if event.event == "Email Clicked":
        link = said.get("link")
        click = Click(at, link if isinstance(link, int) else 1, position, reason)
        verdict = recent.judge(who.decision_id, click)
    told = own_event(
        event.event or "",
        message_id=f"{event.message_id}.person",
        at=at,
        anonymous_id=who.visitor_id,
        user_id=who.customer_id,
        properties={
            "decision_id": who.decision_id,
            "trigger_name": who.trigger_name,
            "touch": who.touch,
            "link": said.get("link"),
            "is_machine": verdict.reason is not None,
            "machine_reason": verdict.reason,
            "user_agent": said.get("user_agent"),
            "hit_id": event.message_id,
            "hit_at": at.timestamp(),
        },
    )
    return Answer(_exits(event.event or "", who, position, at, verdict), (told,))


def _exits(name: str, who: Recipient, position: int, at: datetime, verdict: Verdict) -> tuple[Fact, ...]:
    people = sorted({person for person in (who.visitor_id, who.customer_id) if person})
    if not verdict.reason:
        return tuple(Exit(person, name, position, at) for person in people)
    if verdict.withdraw_from is not None:
        return tuple(ExitWithdrawn(person, name, verdict.withdraw_from, at) for person in people)
    return ()


def _wish(event: Payload, who: Recipient) -> Answer:
    """None, no more of this kind, or none for some days."""
    at = utc(event.received_at)
    if event.event == "Email Unsubscribed":
        return Answer(
            (Suppression("unsubscribe", at, decision_id=who.decision_id),),
            _suppression_added(event, who, "unsubscribe", at),
        )
    if event.event == "Email Topic Unsubscribed":
        return Answer(
            (OptOut(who.decision_id, at, trigger_name=who.trigger_name),),
            _suppression_added(event, who, "topic_opt_out", at, trigger_name=who.trigger_name),
        )
    until = at + timedelta(days=_days(properties_of(event).get("days")))
    return Answer(
        (OptOut(who.decision_id, at, until=until),),
        _suppression_added(event, who, "pause", at, until=until.timestamp()),
    )


def _suppression_added(
    event: Payload, who: Recipient, reason: str, at: datetime, **limits: Any
) -> tuple[bytes, ...]:
    """The models know customers; somebody without one gets no email anyway."""
    if not who.customer_id:
        return ()
    about = {"reason": reason, "decision_id": who.decision_id, **limits}
    id = f"{who.decision_id}.{reason}" if reason != "pause" else f"{event.message_id}.person"
    return (
        own_event(
            "Suppression Added",
            message_id=id,
            at=at,
            anonymous_id=None,
            user_id=who.customer_id,
            properties=about,
        ),
    )


def _days(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= LONGEST_PAUSE_DAYS else LONGEST_PAUSE_DAYS


def properties_of(event: Payload) -> dict[str, Any]:
    """The properties of one of our own events."""
    return msgspec.json.decode(event.properties)
