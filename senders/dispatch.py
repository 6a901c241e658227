"""Moves planned emails through the gate and over the wire, exactly once each."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from senders.compose import Composer
from senders.ledger.attempts import Intent
from senders.ledger.ledger import Ledger
from senders.ledger.views import Job
from senders.ledger.writer import Ticket
from senders.mime import Message, Refused
from senders.outcome import Outcome
from senders.render import RenderError
from senders.throttle import Throttle
from senders.transports.base import Lane, Transport

Clock = Callable[[], datetime]

# How long the live dispatcher overlooks what another process did to the ledger (resumed, approved).
_POLL = timedelta(milliseconds=250)


def wall_clock() -> datetime:
    """The real time, for live use."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Round:
    """What one look at the ledger yielded."""

    jobs: list[Job]
    is_over: bool  # nothing more to do for now


class Dispatcher:
    """Sends what the ledger holds: live with `start`, or step by step with `drain`.

    `before_gate` is called right before every gate transaction, in the dispatcher's own thread; it
    must read the log to its head and teach the ledger what it finds. If it raises, nothing is gated.
    """

    def __init__(
        self,
        ledger: Ledger,
        transport: Transport,
        composer: Composer,
        before_gate: Callable[[], None] = lambda: None,
        throttle: Throttle | None = None,
        clock: Clock = wall_clock,
        workers: int = 1,
    ) -> None:
        """Each worker is a thread with one lane of warm connections; call `ledger.recover` before.

        One worker is fastest against a quick server; more keep going while a slow one makes one wait.
        """
        self._ledger = ledger
        self._transport = transport
        self._composer = composer
        self._before_gate = before_gate
        self._throttle = throttle or Throttle()
        self._clock = clock
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._turn = threading.Lock()  # one worker at a time looks, the others deliver
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._lane: Lane | None = None  # of `drain`
        self.failure: BaseException | None = None

    # Live.

    def start(self) -> None:
        """Begin sending. Errors that concern more than one email end up in `failure` and stop it."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._guarded, name=f"dispatch-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Finish what is reserved and close the connections; raises what made it fail, if anything did."""
        self._stopping.set()
        self._awake.set()
        for thread in self._threads:
            thread.join(timeout)
        self._threads = []
        if self._lane is not None:
            self._lane.close()
            self._lane = None
        if self.failure is not None:
            raise self.failure

    def wake(self) -> None:
        """Something was recorded: look now."""
        self._awake.set()

    # Step by step.

    def drain(self, now: datetime) -> int:
        """Send everything that is due at `now`, as if no time passed; returns the number of attempts."""
        lane = self._lane = self._lane or self._transport.open_lane()
        attempts = 0
        while True:
            found = self._round(now, 256)
            for ticket in self._deliver_all(lane, found.jobs, lambda: now):
                ticket.result()
            attempts += len(found.jobs)
            if found.is_over:
                return attempts

    # What both share.

    def _round(self, now: datetime, limit: int) -> Round:
        """Resolve doubts, claim what is due, read the log to its head, pass the gate."""
        self._ledger.resolve_in_doubt(now, self._transport.resolve)
        self._ledger.expire_held(now)
        due = self._ledger.claim_due(now, limit)
        if not due:
            return Round([], True)
        ids = self._admit(due, now)
        if not ids:
            return Round([], False)
        self._before_gate()
        gated = self._ledger.gate(ids, now)
        return Round(self._ledger.jobs(gated.reserved), gated.brake is not None)

    def _admit(self, due: list, now: datetime) -> list[int]:
        """Leave for later what would be too much for one mailbox provider."""
        admitted: list[int] = []
        for id, domain in due:
            until = self._throttle.admit(domain, now)
            if until is None:
                admitted.append(id)
            else:
                self._ledger.wait([id], until, "throttled", now)
        return admitted

    def _deliver_all(self, lane: Lane, jobs: Sequence[Job], clock: Clock) -> list[Ticket[None]]:
        """As many at a time as the lane is wide."""
        starts = range(0, len(jobs), lane.width)
        return [self._deliver(lane, jobs[start : start + lane.width], clock) for start in starts]

    def _deliver(self, lane: Lane, jobs: Sequence[Job], clock: Clock) -> Ticket[None]:
        """One attempt each. The ticket answers when the outcomes are durable."""
        ids = {job.decision_id: job.id for job in jobs}
        unbuilt: dict[int, Outcome] = {}
        intents: dict[int, Intent] = {}

        def build() -> Iterator[Message]:
            for job in jobs:
                if message := self._compose(job, unbuilt):
                    intents[job.id] = Intent(message.sha256, clock())
                    yield message

        def commit(standing: Sequence[Message]) -> set[str]:
            self._composer.make_durable()
            asked = {id: intents[id] for id in (ids[message.decision_id] for message in standing)}
            permitted = self._ledger.commit_dots(asked, clock())
            return {message.decision_id for message in standing if ids[message.decision_id] in permitted}

        outcomes = lane.deliver(build(), commit)
        named = {ids[decision_id]: outcome for decision_id, outcome in outcomes.items()}
        return self._ledger.settle_all(unbuilt | named, clock())

    def _compose(self, job: Job, unbuilt: dict[int, Outcome]) -> Message | None:
        """An email that cannot be built fails alone."""
        try:
            return self._composer.compose(job)
        except (RenderError, Refused) as error:
            unbuilt[job.id] = Outcome("unrenderable", str(error))
        except Exception as error:  # whatever one row's data provokes must not stop its neighbours
            unbuilt[job.id] = Outcome("unrenderable", f"{job.template}: {type(error).__name__}: {error}")
        return None

    # Threads.

    def _guarded(self) -> None:
        lane = self._transport.open_lane()
        try:
            self._work(lane)
        except BaseException as error:
            self.failure = self.failure or error
            self._stopping.set()
            self._awake.set()
        finally:
            lane.close()

    def _work(self, lane: Lane) -> None:
        """Look, deliver, look again. The tickets are awaited one round later, when they are long durable."""
        tickets: list[Ticket[None]] = []
        while not self._stopping.is_set():
            self._awake.clear()
            with self._turn:
                found = self._round(self._clock(), lane.width)
            for ticket in tickets:
                ticket.result()
            tickets = self._deliver_all(lane, found.jobs, self._clock)
            if found.is_over and not found.jobs:
                self._sleep()
        for ticket in tickets:
            ticket.result()

    def _sleep(self) -> None:
        """Until the next email is due, somebody wakes us, or it is time to look what others did."""
        due = self._ledger.next_due()
        until = due - self._clock() if due else _POLL
        pause = until if timedelta(0) < until < _POLL else _POLL
        self._awake.wait(pause.total_seconds())
