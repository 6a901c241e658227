"""What the ledger must know before the next gate: purchases, consent, unsubscribes, merges.

The gate calls `catch_up`, so that an event acknowledged before it always wins over a planned email,
however far behind the models are.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from collector.log.base import EventLog, Frame
from orchestration.live.decode import Payload, decode_payload
from orchestration.live.events import own_event
from orchestration.live.feedback import is_feedback, learned
from senders.ledger.facts import Alias, Consent, Exit, Fact, Suppression
from senders.ledger.ledger import Ledger

logger = logging.getLogger("kairos.live")

# Cheap tests on the raw bytes: most frames are page views and cost no parsing.
_ALWAYS = (b'"type":"identify"', b'"type":"alias"', b'"source":"kairos"')


class FactsFeed:
    """Follows the log on its own cursor; safe to call from several sender threads."""

    def __init__(self, log: EventLog, ledger: Ledger, exit_events: Iterable[str], position: int = 0) -> None:
        self._log = log
        self._ledger = ledger
        self._position = position
        self._exit_events = frozenset(exit_events)
        self._marks = _ALWAYS + tuple(
            json.dumps(name, ensure_ascii=False).encode() for name in self._exit_events
        )
        self._mutex = threading.Lock()

    @property
    def position(self) -> int:
        """Everything before it is known to the ledger."""
        return self._position

    def catch_up(self) -> int:
        """Read the log to its head; returns the position reached."""
        with self._mutex:
            while True:
                batch = self._log.read_after(self._position)
                self.learn(batch.frames)
                self._position = batch.next
                if not batch.frames:
                    return self._position

    def learn(self, frames: Sequence[Frame]) -> None:
        """Tell the ledger what these frames say about people."""
        facts: list[Fact] = []
        for frame in frames:
            if any(mark in frame.payload for mark in self._marks):
                facts += self._facts(frame)
        self._ledger.learn(facts)

    def _facts(self, frame: Frame) -> list[Fact]:
        try:
            event = decode_payload(frame.payload)
        except msgspec.MsgspecError:
            return []  # the lane puts it into quarantine
        if event.type == "identify":
            return _consent(event)
        if event.type == "alias":
            return _alias(event)
        if event.source == "kairos":
            return self._own(event)
        return self._exit(event, frame.position)

    def _exit(self, event: Payload, position: int) -> list[Fact]:
        if event.event not in self._exit_events:
            return []
        people = {person for person in (event.visitor_id, event.user_id) if person}
        return [
            Exit(person, event.event or "", position, utc(event.received_at)) for person in sorted(people)
        ]

    def _own(self, event: Payload) -> list[Fact]:
        if is_feedback(event):
            found, events = learned(event, utc(event.received_at), self._ledger)
            if events:
                self._log.append(events)
            return found
        if event.event != "Email Unsubscribed":
            return []
        decision_id = msgspec.json.decode(event.properties).get("decision_id")
        found = self._ledger.explain(decision_id=decision_id) if decision_id else []
        if not found:
            logger.warning("unsubscribe for a decision the ledger does not know: %s", decision_id)
            return []
        self._tell_models(found[0].customer_id, decision_id, utc(event.received_at))
        return [Suppression("unsubscribe", utc(event.received_at), decision_id=decision_id)]

    def _tell_models(self, customer_id: str | None, decision_id: str, at: datetime) -> None:
        """The link knows only a decision; the models need the person it was about."""
        if customer_id:
            self._log.append(
                [
                    own_event(
                        "Suppression Added",
                        message_id=f"{decision_id}.unsubscribe",
                        at=at,
                        anonymous_id=None,
                        user_id=customer_id,
                        properties={"reason": "unsubscribe", "decision_id": decision_id},
                    )
                ]
            )


def _consent(event: Payload) -> list[Fact]:
    """Only a server may speak about consent: a browser's key is public."""
    traits = msgspec.json.decode(event.traits)
    granted = traits.get("consent")
    if event.trust != "server" or not isinstance(granted, bool) or not event.user_id:
        return []
    return [Consent(granted, utc(event.received_at), person=event.user_id)]


def _alias(event: Payload) -> list[Fact]:
    if not event.user_id or not event.previous_id or event.user_id == event.previous_id:
        return []
    return [Alias(event.user_id, event.previous_id, utc(event.received_at))]


def utc(instant: datetime) -> datetime:
    """Canonical payloads carry Z; a missing zone means UTC."""
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
