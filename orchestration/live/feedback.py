"""What mail providers and mail servers answer to our emails, for the ledger and for the models.

The collector writes each answer with an address and perhaps a decision (collector/webhooks/landing.py).
The ledger knows whom that is about; the person's own word is told to the models, without the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from collector.bounces.meaning import read_reply
from orchestration.live.decode import Payload
from orchestration.live.events import own_event
from senders.ledger.facts import Fact, Feedback
from senders.ledger.feedback import Behind
from senders.ledger.ledger import Ledger

REFUSED = "Email Failed"  # our own receipt
_ABOUT_MAILBOX = ("mailbox_full", "mailbox_disabled")
# Reasons of soft bounces that lie with us; a blocked server must not rest everybody's mailbox.
_ABOUT_US = frozenset(
    {
        *(
            "authentication",
            "blocked",
            "content",
            "greylisted",
            "rate_limited",
            "relay_denied",
            "reverse_dns",
        ),
        *("sender_refused", "spam", "too_big", "virus"),
    }
)
_WORD = re.compile(r"[a-z_ -]{1,40}")


def learned(event: Payload, at: datetime, ledger: Ledger) -> tuple[list[Fact], list[bytes]]:
    """What the ledger has to learn from an answer, and what the models are told about each person."""
    fact = feedback(event, at)
    return ([fact], told(event, fact, ledger.behind(fact))) if fact else ([], [])


def feedback(event: Payload, at: datetime) -> Feedback | None:
    """What the ledger has to know of an answer; None for events that are none, or change nothing."""
    said = _properties(event)
    if event.event == REFUSED:
        return _refused(said, event, at)
    kind = _kind(event.event, said) if said.get("provider") else None
    if kind is None:
        return None
    address, decision_id = said.get("recipient"), said.get("decision_id")
    if not isinstance(address, str) and not isinstance(decision_id, str):
        return None
    return Feedback(
        kind=kind,
        at=at,
        event_id=event.message_id or "",
        address=address if isinstance(address, str) else None,
        decision_id=decision_id if isinstance(decision_id, str) else None,
        reason=_word(said.get("reason") or said.get("reject_reason")),
        source=str(said["provider"])[:40],
    )


def is_feedback(event: Payload) -> bool:
    """Whether a provider or mail server answered; opens and clicks are people's, and read where links are."""
    return event.event == REFUSED or (event.event in _KINDS and b'"provider"' in bytes(event.properties))


def _refused(said: dict[str, Any], event: Payload, at: datetime) -> Feedback | None:
    """A mail server's refusal while we were talking to it: the same words mean the same as in a bounce."""
    reply = read_reply(said.get("reason") or "")
    decision_id = said.get("decision_id")
    if not isinstance(decision_id, str) or not (reply.is_hard or reply.reason in _ABOUT_MAILBOX):
        return None
    kind = "hard_bounce" if reply.is_hard else "soft_bounce"
    return Feedback(
        kind, at, event.message_id or "", decision_id=decision_id, reason=reply.reason, source="smtp"
    )


def told(event: Payload, fact: Feedback, people: Iterable[Behind]) -> list[bytes]:
    """The same for the models, about each person: what happened, and that they must not be mailed."""
    return [payload for one in people for payload in _about(event, fact, one)]


_KINDS = {
    "Email Delivered": "delivered",
    "Email Complained": "complaint",
    "Email Unsubscribed": "unsubscribe",
    "Email Bounced": None,  # hard or soft says it
    "Email Undeliverable": None,
    "Email Dropped": None,
    "Email Deferred": None,
}
# A provider that keeps its own list refuses to try; it does so for what we have to know as well.
_DROPPED = {"spam": "complaint", "unsubscribed": "unsubscribe"}


def _kind(name: str | None, said: dict[str, Any]) -> Any:
    if name == "Email Dropped":
        return _DROPPED.get(said.get("reject_reason") or "")
    if name in ("Email Bounced", "Email Undeliverable"):
        hardness = said.get("hardness")
        if hardness == "hard":
            return "hard_bounce"
        if name != "Email Bounced":
            return None
        return "block" if said.get("reason") in _ABOUT_US else "soft_bounce"
    return _KINDS.get(name or "")


def _about(event: Payload, fact: Feedback, one: Behind) -> list[bytes]:
    if fact.kind == "delivered" or event.event == REFUSED:  # the models have our receipt
        return []
    about = {
        "decision_id": one.decision_id,
        "trigger_name": one.trigger_name,
        "touch": one.touch,
        "reason": fact.reason,
        "hardness": {"hard_bounce": "hard", "soft_bounce": "soft", "block": "soft"}.get(fact.kind),
        "answer_id": event.message_id,
    }
    id = f"{event.message_id}.{one.customer_id or one.visitor_id}"[:256]
    found = [_own(event.event or "", id, fact.at, one.visitor_id, one.customer_id, about)]
    if fact.kind in ("complaint", "unsubscribe") and one.customer_id:
        reason = {"reason": fact.kind, "decision_id": one.decision_id}
        found.append(
            _own(
                "Suppression Added", f"{one.decision_id}.{fact.kind}", fact.at, None, one.customer_id, reason
            )
        )
    return found


def _own(
    name: str, id: str, at: datetime, visitor_id: str | None, customer_id: str | None, about: dict[str, Any]
) -> bytes:
    return own_event(
        name, message_id=id, at=at, anonymous_id=visitor_id, user_id=customer_id, properties=about
    )


def _word(value: Any) -> str | None:
    """A reason that can go into the audit: one word of ours, never a server's sentence with an address in it."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _properties(event: Payload) -> dict[str, Any]:
    found = msgspec.json.decode(event.properties)
    return found if isinstance(found, dict) else {}
