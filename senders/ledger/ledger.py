"""The ledger's front: every method is one transaction or one read."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from senders import gate
from senders.decision import Decision
from senders.instants import from_us, to_us
from senders.ledger import (
    attempts,
    audit,
    controls,
    coupons,
    db,
    keys,
    moves,
    people,
    records,
    recovery,
    reviews,
    views,
)
from senders.ledger.facts import Consent, Exit, Fact, Suppression
from senders.ledger.fence import SenderLock
from senders.ledger.mark import MarkFile
from senders.ledger.writer import Ticket, Writer
from senders.outcome import Outcome
from senders.policy import Policy

Verdict = Literal["accepted", "absent", "unknown"]
Resolver = Callable[[recovery.InDoubt], Verdict]


class Ledger:
    """One SQLite file, shared by the sender and the command line. Thread-safe.

    Recording, learning, reviewing and pausing are open to every process; gating and sending belong
    to the one that called `recover`.
    """

    def __init__(self, path: Path, secret: bytes, policy: Policy, mark_path: Path) -> None:
        self.path = path
        self.policy = policy
        self._secret = secret
        self._mark = MarkFile(mark_path)
        self._lock = SenderLock(path.with_name(path.name + ".lock"))
        self._writer = Writer(path, self._mark)
        self._readers = threading.local()
        self._open_readers: list[sqlite3.Connection] = []
        self._epoch: int | None = None

    @classmethod
    def open(
        cls, path: Path, secret: bytes, policy: Policy | None = None, mark_path: Path | None = None
    ) -> "Ledger":
        """Open or create. `secret` keys the address hashes: keep it as long as the ledger, never change it.

        `mark_path` is the high-water mark, best on another volume; by default `<path>.mark`.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = db.connect(path)
        db.create_schema(connection)
        connection.close()
        return cls(path, secret, policy or Policy(), mark_path or path.with_name(path.name + ".mark"))

    def close(self) -> None:
        """Finish pending writes and let the next sender in."""
        self._writer.close()
        for connection in self._open_readers:
            connection.close()
        self._mark.close()
        self._lock.release()

    # Everyone: what the models decided, and what the log says about people.

    def record(self, decisions: Sequence[Decision], now: datetime) -> int:
        """Record decisions, sent or not; returns how many were new. Recording again changes nothing."""
        now_us = to_us(now)
        return self._writer.run(
            lambda transaction: sum(
                records.record(transaction, decision, now_us, self.policy, self._secret)
                for decision in decisions
            )
        )

    def learn(self, facts: Sequence[Fact]) -> None:
        """Take in exits, suppressions, consents and merges, in the order of the log."""
        if facts:
            self._writer.run(lambda transaction: people.learn(transaction, facts, self._secret))

    def add_exits(self, exits: Sequence[Exit]) -> None:
        """People who did what an email would have asked for."""
        self.learn(exits)

    def suppress(self, suppression: Suppression) -> None:
        """Durable when it returns: no gate passes this person or address any more."""
        self.learn([suppression])

    def set_consent(self, consent: Consent) -> None:
        """Consent given or withdrawn."""
        self.learn([consent])

    # The sender.

    def recover(self, now: datetime, wait_seconds: float = 0.0) -> recovery.Recovery:
        """Become the sender. Raises SenderBusy while another process is it for longer than `wait_seconds`."""
        self._lock.take(wait_seconds)
        mark = self._mark.read()
        found = self._writer.run(
            lambda transaction: recovery.recover(transaction, now, mark, self.policy),
        )
        self._epoch = found.epoch
        return found

    def claim_due(self, now: datetime, limit: int = 256) -> list[views.Due]:
        """Planned emails whose time has come; nothing while paused. Reserving them is the gate's business."""
        reader = self._reader()
        if controls.get(reader, "paused", False):
            return []
        return views.due(reader, to_us(now), limit)

    def wait(self, ids: Sequence[int], until: datetime, reason: str, now: datetime) -> None:
        """Leave planned emails for later (throttling)."""

        def operation(transaction: Any) -> None:
            for id in ids:
                moves.wait(transaction, id, to_us(until), reason, to_us(now))

        self._writer.run(operation)

    def gate(self, ids: Sequence[int], now: datetime) -> gate.Gated:
        """Judge planned emails in one transaction. Read the log to its head first."""
        return self._writer.run(
            lambda transaction: gate.pass_gate(transaction, ids, now, self.policy, self._epoch)
        )

    def jobs(self, ids: Sequence[int]) -> list[views.Job]:
        """What to render for reserved emails."""
        return views.jobs(self._reader(), tuple(ids)) if ids else []

    def commit_dots(self, intents: Mapping[int, attempts.Intent], now: datetime) -> set[int]:
        """Durably intend to write these dots; returns the ids that may. Never write a dot without it."""
        return self._writer.run(
            lambda transaction: attempts.commit_dots(transaction, intents, now, self.policy, self._epoch)
        )

    def commit_dot(self, id: int, intent: attempts.Intent, now: datetime) -> bool:
        """The same for one."""
        return id in self.commit_dots({id: intent}, now)

    def settle_all(self, outcomes: Mapping[int, Outcome], now: datetime) -> Ticket[None]:
        """Record how attempts ended. Nobody has to wait for the ticket: what is lost here is in doubt."""
        return self._writer.submit(
            lambda transaction: attempts.settle(transaction, outcomes, now, self.policy, self._epoch)
        )

    def settle(self, id: int, outcome: Outcome, now: datetime) -> None:
        """The same for one, durable when it returns."""
        self.settle_all({id: outcome}, now).result()

    def resolve_in_doubt(self, now: datetime, resolver: Resolver | None = None) -> dict[str, int]:
        """Ask about every doubtful email whose quarantine is over; returns how many ended in which state."""
        states: dict[str, int] = {}
        for doubt in recovery.doubts(self._reader(), to_us(now)):
            verdict = resolver(doubt) if resolver else "unknown"
            state = self._writer.run(
                lambda transaction, doubt=doubt, verdict=verdict: self._resolve(
                    transaction, doubt, verdict, now
                )
            )
            states[state] = states.get(state, 0) + 1
        return states

    def expire_held(self, now: datetime) -> int:
        """End held emails that nobody reviewed in time; returns how many."""
        if not reviews.overdue(self._reader(), to_us(now)):
            return 0
        return self._writer.run(lambda transaction: reviews.expire(transaction, now))

    def next_due(self) -> datetime | None:
        """When the next email wants attention; None when nothing is planned."""
        at_us = views.next_due_us(self._reader())
        return None if at_us is None else from_us(at_us)

    # The brakes.

    def pause(self, who: str, why: str, now: datetime) -> None:
        """The kill switch: no dot is permitted once this returns."""
        self._writer.run(lambda transaction: controls.put(transaction, "paused", True, who, why, to_us(now)))

    def resume(self, who: str, why: str, now: datetime) -> None:
        """Go on. What expired meanwhile expires; nothing is sent twice."""
        self._writer.run(lambda transaction: controls.put(transaction, "paused", False, who, why, to_us(now)))

    def set_hourly_limit(self, limit: int | None, who: str, why: str, now: datetime) -> None:
        """At most so many emails per rolling hour; the rest waits. None = no limit, 0 = everything waits."""
        self._writer.run(
            lambda transaction: controls.put(transaction, "hourly_limit", limit, who, why, to_us(now))
        )

    def sending(self, now: datetime) -> controls.Sending:
        """Whether anything goes out, and who decided so."""
        return controls.sending(self._reader(), now)

    # Review.

    def review_list(self) -> list[reviews.Held]:
        """Held emails, oldest first."""
        return reviews.held(self._reader())

    def review_show(self, decision_id: str) -> reviews.Held:
        """One held email."""
        found = reviews.held(self._reader(), decision_id)
        if not found:
            raise reviews.ReviewError(f"no held email {decision_id}: `review list` shows what waits")
        return found[0]

    def approve(self, decision_id: str, content_sha256: str, who: str, why: str, now: datetime) -> None:
        """Let exactly the reviewed content go on to the gate."""
        self._writer.run(
            lambda transaction: reviews.approve(transaction, decision_id, content_sha256, who, why, now)
        )

    def reject(self, decision_id: str, who: str, why: str, now: datetime) -> None:
        """Cancel a held email."""
        self._writer.run(lambda transaction: reviews.reject(transaction, decision_id, who, why, now))

    def edit_note(self, decision_id: str, note: str, who: str, now: datetime) -> None:
        """Keep a note beside a held email; what is approved does not change by it."""
        self._writer.run(lambda transaction: reviews.edit_note(transaction, decision_id, note, who, now))

    # Looking.

    def counts(self) -> dict[str, Any]:
        """`considered`, `meant`, `states` and `refused` (by reason)."""
        return views.counts(self._reader())

    def receipts_after(self, cursor: int, limit: int = 10_000) -> list[views.Receipt]:
        """Outcomes for the log, oldest first. The next cursor is the last `seq`."""
        return views.receipts(self._reader(), cursor, limit)

    def export_cursor(self) -> int:
        """Up to where receipts have reached the log (0 = none)."""
        return controls.get(self._reader(), "export_cursor", 0)

    def set_export_cursor(self, cursor: int, now: datetime) -> None:
        """Remember it, after the log has acknowledged."""
        self._writer.run(
            lambda transaction: controls.set_quietly(transaction, "export_cursor", cursor, to_us(now))
        )

    def explain(
        self, *, decision_id: str | None = None, person: str | None = None, address: str | None = None
    ) -> list[views.Explanation]:
        """Every decision about one person, mailbox or id, newest first, with reasons and history."""
        if decision_id is not None:
            return views.explain(self._reader(), "decision_id = :value", decision_id)
        if address is not None:
            return views.explain(
                self._reader(), "address_hash = :value", keys.address_hash(address, self._secret)
            )
        if person is None:
            raise ValueError("explain needs a decision_id, a person or an address")
        return views.explain(self._reader(), "(visitor_id = :value or customer_id = :value)", person)

    def recipient(self, decision_id: str) -> views.Recipient | None:
        """Who is behind a link of an email; None for a decision that nobody made."""
        return views.recipient(self._reader(), decision_id)

    def payload(self, decision_id: str) -> views.Payload | None:
        """Template, subject and content of one decision; None when it was never meant to be sent."""
        return views.payload(self._reader(), decision_id)

    def verify_coupon(self, code: str, now: datetime) -> coupons.Issued | None:
        """What is known of a coupon code; None for one that no email carries."""
        return coupons.verify(self._reader(), code, self._secret, now, self.policy.redate_after)

    def history_of(self, *, person: str | None = None, address: str | None = None) -> tuple[views.Entry, ...]:
        """Suppressions, consents and merges of a person or mailbox, oldest first."""
        key = (
            keys.person_key(person)
            if person
            else keys.address_key(keys.address_hash(address or "", self._secret))
        )
        return views.history(self._reader(), "subject", key)

    def verify_chain(self) -> audit.Broken | None:
        """Walk the audit; None means that nothing was tampered with."""
        return audit.verify(self._reader())

    def _resolve(self, transaction: Any, doubt: recovery.InDoubt, verdict: str, now: datetime) -> str:
        moves.check_fence(transaction, self._epoch)
        return recovery.resolve(transaction, doubt, verdict, now, self.policy)

    def _reader(self) -> sqlite3.Connection:
        """Each thread reads through its own connection."""
        connection = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = db.connect_reader(self.path)
            self._open_readers.append(connection)
        return connection
