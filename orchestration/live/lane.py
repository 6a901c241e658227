"""One step of the live lane: read the log, judge, record the decisions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import duckdb

from collector.log.base import Batch, EventLog
from orchestration.live.decode import Landed, decode, decode_payload
from orchestration.live.evaluate import Overrides, Row, evaluate, load_models
from orchestration.live.facts import FactsFeed, utc
from orchestration.live.plan import Shop, TriggerRules, aware, plan
from orchestration.live.statements import Statements
from orchestration.live.store import LiveStore
from senders.decision import Decision
from senders.ledger.facts import Consent
from senders.ledger.ledger import Ledger

logger = logging.getLogger("kairos.live")

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Step:
    """What one micro-batch did."""

    events: int = 0
    quarantined: int = 0
    decisions: tuple[Decision, ...] = ()
    seconds: float = 0.0
    idle: bool = False
    problems: tuple[str, ...] = field(default=())


class LiveLane:
    """Owns the warm database. One thread calls `step`; senders run beside it."""

    def __init__(
        self,
        log: EventLog,
        store: LiveStore,
        statements: Statements,
        ledger: Ledger,
        shop: Shop,
        clock: Clock,
        overrides: Overrides | None = None,
        batch_bytes: int = 4 << 20,
        record: Callable[[Sequence[Decision], Sequence[Row]], None] | None = None,
        follow: Callable[[], object] | None = None,
    ) -> None:
        """`record` and `follow` are for replays, which keep decisions and facts in step with a simulated clock."""
        self._log = log
        self._store = store
        self._statements = statements
        self._ledger = ledger
        self._shop = shop
        self._clock = clock
        self._batch_bytes = batch_bytes
        load_models(store, statements, overrides)
        self._rules = trigger_rules(store)
        names = {name for events in self._rules.exits.values() for name in events}
        self.facts = FactsFeed(log, ledger, names, store.cursor()[0])
        self._since = models_since(store, statements)
        self._record = record or self._record_now
        self._follow = follow or self.facts.catch_up

    @property
    def position(self) -> int:
        """Everything before it has been judged."""
        return self._store.cursor()[0]

    @property
    def judged_until(self) -> datetime | None:
        """The instant (aware UTC) up to which every moment is in the ledger; None before the first judgement."""
        as_of = self._store.cursor()[1]
        return aware(as_of) if as_of else None

    def admit(self, rows: Sequence[Row]) -> list[Decision]:
        """Record decisions that were found outside a micro-batch, as after a rebuild."""
        if not rows:
            return []
        now = self._clock()
        decisions = self._plan(rows, {"read": now.timestamp(), "decided": now.timestamp()})
        self._record(decisions, rows)
        return decisions

    def next_timer(self) -> datetime | None:
        """When the next silence ripens (aware UTC), if nobody moves until then."""
        due = self._store.next_timer()
        return due.replace(tzinfo=UTC) if due else None

    def step(self) -> Step:
        """Read what arrived and judge it. Nothing to do is said by `idle`."""
        position, _ = self._store.cursor()
        batch = self._log.read_after(position, self._batch_bytes)
        as_of = just_before(batch.watermark)
        due = self._store.next_timer()
        if not batch.frames and (due is None or due > as_of):
            return Step(idle=True)
        return self.judge(batch, as_of)

    def judge(self, batch: Batch, as_of: datetime) -> Step:
        """Judge one batch at `as_of` (naive UTC): facts first, then models, then the ledger, then our own commit."""
        started = self._clock()
        landed = decode(batch.frames)
        self._follow()
        try:
            decisions = self._commit(landed, batch.next, as_of, started)
        except duckdb.Error as error:
            return self._isolate(batch, as_of, error)
        return Step(
            events=landed.events.height,
            quarantined=landed.quarantine.height,
            decisions=tuple(decisions),
            seconds=(self._clock() - started).total_seconds(),
        )

    def _commit(self, landed: Landed, position: int, as_of: datetime, started: datetime) -> list[Decision]:
        """The ledger hears of a decision before our own commit: a crash between them decides the same again."""
        with self._store.transaction():
            rows = evaluate(self._store, self._statements, landed.events, as_of)
            decided = self._clock()
            timings = {"read": started.timestamp(), "decided": decided.timestamp()}
            decisions = self._plan(rows, timings)
            if decisions:
                self._record(decisions, rows)
            self._store.set_cursor(position, as_of)
        return decisions

    def _plan(self, rows: Sequence[Row], timings: Mapping[str, float]) -> list[Decision]:
        """Decisions for the ledger. Changed models speak about moments from then on, not about older ones."""
        version = self._statements.version
        decisions = [plan(row, self._rules, self._shop, timings, version) for row in rows]
        return [
            too_old(decision) if decision.qualifies_at < self._since else decision for decision in decisions
        ]

    def _record_now(self, decisions: Sequence[Decision], rows: Sequence[Row]) -> None:
        self._ledger.learn(consents(rows))
        self._ledger.record(decisions, self._clock())

    def _isolate(self, batch: Batch, as_of: datetime, error: duckdb.Error) -> Step:
        """A batch the models choke on is halved until one event is left, and that one is set aside."""
        # A statement that cannot run at all is no event's fault.
        if not batch.frames or isinstance(
            error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
        ):
            raise error
        if len(batch.frames) == 1:
            message = f"event at {batch.frames[0].position} set aside: {str(error).splitlines()[0]}"
            logger.error(message)
            with self._store.transaction():
                self._store.set_cursor(batch.next, as_of)
            return Step(quarantined=1, problems=(message,))
        middle = len(batch.frames) // 2
        first = Batch(batch.frames[:middle], batch.frames[middle].position, batch.watermark)
        second = Batch(batch.frames[middle:], batch.next, batch.watermark)
        # A silence may not be judged before what broke it has been read.
        settled = min(as_of, just_before(utc(decode_payload(second.frames[0].payload).received_at)))
        halves = [self.judge(first, settled), self.judge(second, as_of)]
        return Step(
            events=sum(half.events for half in halves),
            quarantined=sum(half.quarantined for half in halves),
            decisions=tuple(decision for half in halves for decision in half.decisions),
            seconds=sum(half.seconds for half in halves),
            problems=tuple(problem for half in halves for problem in half.problems),
        )


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def models_since(store: LiveStore, statements: Statements) -> datetime:
    """From when these models speak: the beginning, or where their predecessors had judged to."""
    known = store.first("select version, since from live.models")
    if known and known[0] == statements.version:
        return aware(known[1])
    judged = store.cursor()[1] if known else None
    since = aware(judged) if judged else BEGINNING
    store.execute("delete from live.models")
    store.execute("insert into live.models values (?, ?)", [statements.version, since.replace(tzinfo=None)])
    return since


def too_old(decision: Decision) -> Decision:
    """Refused: an edit that would have fired then must not mail everyone now."""
    return replace(
        decision,
        should_send=False,
        reasons={**decision.reasons, "is_timely": False},
        evidence={**decision.evidence, "ripened_before_the_models": True},
    )


def consents(rows: Sequence[Row]) -> list[Consent]:
    """What the models know of consent, as old as they know it: the ledger lets the newest word win."""
    return [
        Consent(True, aware(row["profile_at"]), person=row["customer_id"], source="profile")
        for row in rows
        if row["should_send"] and row["profile_at"] is not None
    ]


def trigger_rules(store: LiveStore) -> TriggerRules:
    """What cancels a planned email, which version of its sequence a newcomer enters, which offers carry a coupon."""
    exits: dict[str, dict[str, int]] = {}
    for row in store.rows("select trigger_name, event_name, from_touch from seeds.exits order by 1, 2"):
        exits.setdefault(row["trigger_name"], {})[row["event_name"]] = row["from_touch"]
    newest = store.rows("select trigger_name, max(version) as version from seeds.sequences group by 1")
    coupons = store.rows("select offer, percent, valid_hours from seeds.offers")
    return TriggerRules(
        exits=exits,
        sequence_versions={row["trigger_name"]: row["version"] for row in newest},
        coupons={row.pop("offer"): row for row in coupons},
    )


def just_before(watermark: datetime) -> datetime:
    """The last instant (naive UTC) at which nothing can arrive any more."""
    return (watermark.astimezone(UTC) - timedelta(microseconds=1)).replace(tzinfo=None)
