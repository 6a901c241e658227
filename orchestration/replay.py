"""Recorded traffic through the whole pipeline on a simulated clock.

Collector validation, log, models, decisions, ledger and file transport are the real ones. Only time is
not: each event arrives when the recording says, and each email is gated at the instant it became due.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from collector.events import Call
from collector.intake import Body, read_body
from collector.limits import Limits
from collector.log.base import Batch, Frame
from collector.log.file import FileLog
from orchestration.arrivals import KEY, Arrival
from orchestration.live.content import import_content
from orchestration.live.decode import decode_payload
from orchestration.live.evaluate import Overrides, Row
from orchestration.live.facts import utc
from orchestration.live.lane import LiveLane, consents, just_before
from orchestration.live.models import current_models
from orchestration.live.plan import RULES
from orchestration.live.receipts import ReceiptExport
from orchestration.live.sending import composer_of, dispatcher, open_ledger, shop_of
from orchestration.live.statements import Statements
from orchestration.live.store import LiveStore
from orchestration.settings import Settings
from senders.decision import Decision
from senders.transports.base import Transport
from senders.transports.file import FileTransport

AFTER_THE_END = timedelta(days=31)  # long enough for every timer to ripen
CHUNK = 5_000

CANDIDATE_COLUMNS = (
    "trigger_name",
    "anonymous_id",
    "session_id",
    "entity_id",
    "qualifies_at",
    "should_send",
    *RULES,
)
SEND_COLUMNS = (
    "decision_id", "trigger_name", "anonymous_id", "session_id", "entity_id", "route", "variant",
    "qualifies_at", "state", "reason", "accepted_at", "touch",
)  # fmt: skip


@dataclass
class Clock:
    """Simulated time: only ever forward."""

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, to: datetime) -> None:
        """Go on to `to`; earlier instants change nothing."""
        self.now = max(self.now, to)


@dataclass
class Replayed:
    """What came of it."""

    events: int = 0
    quarantined: int = 0
    decisions: list[Decision] = field(default_factory=list)
    sent: int = 0


def _nobody_held_out(models: Statements) -> Overrides:
    with models.seeds["experiments"].open(newline="") as file:
        return {("experiments", row["experiment"], "share"): "0" for row in csv.DictReader(file)}


class Replay:
    """One run of recorded traffic; leaves nothing behind but what `out` asks for."""

    def __init__(
        self,
        settings: Settings,
        out: Path,
        overrides: Overrides | None = None,
        chunk: int = CHUNK,
        transport: Transport | None = None,
        experiments: bool = False,
    ) -> None:
        """Emails become files in `out / "emails"`, unless another transport is given.

        Nobody is held out unless `experiments` is set: a replay asks what the rules make of recorded traffic.
        """
        work = out / ".work"
        shutil.rmtree(work, ignore_errors=True)
        for stale in ("emails", "candidates.csv", "sends.csv"):
            _remove(out / stale)
        self._work, self._out, self._chunk = work, out, chunk
        # The same secret, so that links and hashes are the same in every replay.
        self._settings = settings.model_copy(
            update={"data": work, "secret": SecretStr(settings.key().decode())}
        )
        self.clock = Clock()
        self.log = FileLog(
            work / "landing", segment_bytes=1 << 38, segment_seconds=1e12, clock=self.clock, durable=False
        )
        models, problem = current_models(settings.dbt_project, settings.compiled)
        if problem:
            raise ValueError(problem)
        if not experiments:
            overrides = {**_nobody_held_out(models), **(overrides or {})}
        self.ledger = open_ledger(self._settings)
        self.ledger.recover(self.clock())
        self._store = LiveStore(work / "live.duckdb", settings.live.memory_limit)
        import_content(self._store, settings.published)
        self._lane = LiveLane(
            self.log, self._store, models, self.ledger, shop_of(settings), self.clock, overrides,
            record=self._collect, follow=lambda: None,
        )  # fmt: skip
        outbox = transport or FileTransport(out / "emails", durable=False)
        self._dispatcher = dispatcher(
            composer_of(self._settings, is_followed=False), self.ledger, outbox, lambda: None, self.clock
        )
        self._receipts = ReceiptExport(self.log, self.ledger)
        self._shortest = shortest_delay(self._store)
        self._collected: list[tuple[Decision, Row]] = []
        self.result = Replayed()

    def run(self, arrivals: Iterable[Arrival], progress: Callable[[int], None] = lambda _: None) -> Replayed:
        """Feed everything, let every timer ripen, write the files."""
        chunk: list[Arrival] = []
        for arrival in arrivals:
            # No email of a chunk may want its successor within the chunk: what was sent is known only after it.
            if chunk and (len(chunk) >= self._chunk or arrival.at - chunk[0].at >= self._shortest):
                self._feed(chunk)
                progress(len(chunk))
                chunk = []
            chunk.append(arrival)
        self._feed(chunk)
        progress(len(chunk))
        end = self.clock() + AFTER_THE_END
        self.ripen_until(end)
        self._judge(Batch([], self._lane.position, end), end)
        self._write()
        return self.result

    def close(self) -> None:
        """Close everything and remove the working folder."""
        self._dispatcher.stop()
        self._store.close()
        self.ledger.close()
        self.log.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def _feed(self, chunk: Sequence[Arrival]) -> None:
        if not chunk:
            return
        self.ripen_until(chunk[0].at)
        for at, calls in _together(chunk):
            self.clock.advance(at)
            self.log.append(_payloads(calls, self.clock()))
        self.catch_up()

    def catch_up(self) -> None:
        """Judge everything that has arrived."""
        while (batch := self.log.read_after(self._lane.position)).frames:
            self._judge(batch, batch.watermark)

    def ripen_until(self, until: datetime) -> None:
        """Nobody moves before `until`: judge the timers up to it, and what was sent before its successor."""
        reached = self.clock()
        while (due := self._next_due()) and due < until and reached < until:
            reached = min(until, max(due, reached) + self._shortest)
            self._judge(Batch([], self._lane.position, reached), reached)
            self.clock.advance(reached)
            self.catch_up()

    def _next_due(self) -> datetime | None:
        """When the next silence ripens or the next held email may go out."""
        instants = (self._lane.next_timer(), self.ledger.next_due())
        return min(filter(None, instants), default=None)

    def _judge(self, batch: Batch, watermark: datetime) -> None:
        """The models may look at many events at once: what qualified, and when, does not depend on it.

        The gate does depend on time, so emails pass it one by one, each knowing the log as it stood then.
        """
        step = self._lane.judge(batch, just_before(watermark))
        self.result.events += step.events
        self.result.quarantined += step.quarantined
        facts = iter(batch.frames)
        waiting: list[Frame] = []
        for decision, row in self._collected:
            self._release(facts, waiting, decision.qualifies_at)
            self._learn_until(facts, waiting, decision.qualifies_at)
            self._send(decision, row)
        self._release(facts, waiting, watermark)
        self._lane.facts.learn([*waiting, *facts])
        self._collected = []
        # They come back as events, which are none of the recording's.
        self.result.events -= len(self._receipts.run(self.clock()))

    def _release(self, facts: Iterator[Frame], waiting: list[Frame], until: datetime) -> None:
        """What was held goes out at the instant it was held until."""
        while (due := self.ledger.next_due()) and due < until:
            self._learn_until(facts, waiting, due)
            self._dispatcher.drain(due)
            if self.ledger.next_due() == due:
                return  # the gate is shut; it will not open by asking again

    def _learn_until(self, facts: Iterator[Frame], waiting: list[Frame], until: datetime) -> None:
        """Everything that had arrived by then; the first frame behind it waits."""
        ready: list[Frame] = []
        if waiting and utc(decode_payload(waiting[0].payload).received_at) <= until:
            ready.append(waiting.pop())
        if not waiting:
            for frame in facts:
                if utc(decode_payload(frame.payload).received_at) > until:
                    waiting.append(frame)
                    break
                ready.append(frame)
        self._lane.facts.learn(ready)

    def _collect(self, decisions: Sequence[Decision], rows: Sequence[Row]) -> None:
        self._collected += zip(decisions, rows, strict=True)

    def _send(self, decision: Decision, row: Row) -> None:
        now = decision.qualifies_at
        self.ledger.learn(consents([row]))
        self.ledger.record([decision], now)
        self.result.decisions.append(decision)
        if decision.should_send:
            self._dispatcher.drain(now)

    def _write(self) -> None:
        decisions = sorted(
            self.result.decisions, key=lambda decision: (decision.qualifies_at, decision.decision_id)
        )
        moments = [decision for decision in decisions if decision.touch == 1]
        _write_csv(self._out / "candidates.csv", CANDIDATE_COLUMNS, map(_candidate, moments))
        sends = [
            _send_row(found, decision)
            for decision in decisions
            if decision.should_send
            for found in self.ledger.explain(decision_id=decision.decision_id)
        ]
        self.result.sent = sum(send["state"] == "SENT" for send in sends)
        _write_csv(self._out / "sends.csv", SEND_COLUMNS, sends)


def _together(chunk: Sequence[Arrival]) -> Iterator[tuple[datetime, list[bytes]]]:
    """Calls that arrived at the same instant are one append."""
    at, calls = chunk[0].at, []
    for arrival in chunk:
        if arrival.at != at:
            yield at, calls
            at, calls = arrival.at, []
        calls.append(arrival.call)
    yield at, calls


def _payloads(calls: list[bytes], now: datetime) -> list[bytes]:
    """Exactly what the collector would write."""
    body = Body(calls, None, None, None, is_clean=False)
    return read_body(body, Call(source=KEY, received=now, limits=Limits())).payloads


def _candidate(decision: Decision) -> dict[str, Any]:
    return {
        "trigger_name": decision.trigger_name,
        "anonymous_id": decision.visitor_id,
        "session_id": decision.session_id,
        "entity_id": decision.entity_id,
        "qualifies_at": iso(decision.qualifies_at),
        "should_send": _flag(decision.should_send),
        **{rule: _flag(decision.reasons[rule]) for rule in RULES},
    }


def _send_row(found: Any, decision: Decision) -> dict[str, Any]:
    accepted = found.timings.get("accepted")
    return {
        "decision_id": decision.decision_id,
        "trigger_name": decision.trigger_name,
        "anonymous_id": decision.visitor_id,
        "session_id": decision.session_id,
        "entity_id": decision.entity_id,
        "route": decision.route,
        "variant": decision.variant,
        "qualifies_at": iso(decision.qualifies_at),
        "state": found.state,
        "reason": found.reason,
        "accepted_at": iso(datetime.fromtimestamp(accepted, UTC)) if accepted else None,
        "touch": decision.touch,
    }


def shortest_delay(store: LiveStore) -> timedelta:
    """After any email its successor is due this much later at the earliest."""
    row = store.first("select min(after_hours) from seeds.sequences")
    return timedelta(hours=row[0]) if row and row[0] is not None else AFTER_THE_END


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with Z; microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
