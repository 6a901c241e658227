"""What the ledger must know before the next gate: purchases, clicks, consent, unsubscribes, merges.

The gate calls `catch_up`, so that an event acknowledged before it always wins over a planned email,
however far behind the models are.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Sequence

import msgspec

from collector.log.base import EventLog, Frame
from orchestration.live.answers import Answer, answer, decision_of
from orchestration.live.clicks import RecentClicks
from orchestration.live.decode import Payload, decode_payload
from orchestration.live.events import SOURCE, utc
from senders.ledger.facts import Alias, Consent, Exit, ExitWithdrawn, Fact
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
        self._recent_clicks = RecentClicks()
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
        """Tell the ledger what these frames say about people, and the models what only the ledger could add."""
        read = [found for frame in frames if (found := self._read(frame))]
        facts: list[Fact] = []
        told: list[bytes] = []
        for position, event in read:
            if event.source == SOURCE:
                answered = self._answer(event, position)
                facts += (fact for fact in answered.facts if self._matters(fact))
                told += answered.events
            else:
                facts += self._facts(event, position)
        self._ledger.learn(facts)
        if told:
            self._log.append(told)

    def _read(self, frame: Frame) -> tuple[int, Payload] | None:
        if not any(mark in frame.payload for mark in self._marks):
            return None
        try:
            return frame.position, decode_payload(frame.payload)
        except msgspec.MsgspecError:
            return None  # the lane puts it into quarantine

    def _facts(self, event: Payload, position: int) -> list[Fact]:
        if event.type == "identify":
            return _consent(event)
        if event.type == "alias":
            return _alias(event)
        return self._exit(event, position)

    def _exit(self, event: Payload, position: int) -> list[Fact]:
        if event.event not in self._exit_events:
            return []
        people = {person for person in (event.visitor_id, event.user_id) if person}
        return [
            Exit(person, event.event or "", position, utc(event.received_at)) for person in sorted(people)
        ]

    def _answer(self, event: Payload, position: int) -> Answer:
        """A link knows only a decision; the models and the ledger need the person it was about."""
        decision_id = decision_of(event)
        if decision_id is None:
            return Answer()
        who = self._ledger.recipient(decision_id)
        if who is None:
            logger.warning("%s for a decision the ledger does not know: %s", event.event, decision_id)
            return Answer()
        return answer(event, who, position, self._recent_clicks)

    def _matters(self, fact: Fact) -> bool:
        return not isinstance(fact, Exit | ExitWithdrawn) or fact.event_name in self._exit_events


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
