"""The ledger against a model of itself: whatever is thrown at it, in whatever order, the promises hold."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from senders import Alias, Consent, Exit, Intent, Ledger, Outcome, Policy, Suppression
from tests.senders.support import MINUTE, NOW, SECRET, decision

CAP = 2
WINDOW = timedelta(hours=1)
INTENT = Intent("sha", NOW)
LATEST = timedelta(minutes=10)  # the longest a server takes over a message, within the quarantine of 11
POLICY = Policy(cap=CAP, cap_window=WINDOW, dedupe_window=timedelta(microseconds=1))

PEOPLE = st.sampled_from(["ada", "bea", "cleo"])
COUNTED = ("RESERVED", "DOT_SENT", "IN_DOUBT", "SENT", "UNKNOWN")


class LedgerMachine(RuleBasedStateMachine):
    """Plays sender, log, reviewer, operator and fate."""

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.sqlite"
        self.now = NOW
        self.number = 0
        self.position = 1000
        self.owner: dict[str, str] = {}  # decision -> address
        self.accepted: list[str] = []  # what the server took, in order
        self.pending: list[tuple[str, object]] = []  # what the server will accept later, and when
        self.dotted: dict[str, object] = {}  # decision -> instant of its last dot
        self.suppressed: set[str] = set()
        self.bought: dict[str, int] = {}
        self.known: dict[str, int] = {}  # decision -> position up to which it knew the log
        self.paused = False
        self.needs_review: set[str] = set()
        self.approved: set[str] = set()
        self.expiry: dict[str, object] = {}
        self.ledger = None
        self._open()
        for person in ("ada", "bea", "cleo"):
            self.ledger.set_consent(Consent(True, NOW - MINUTE, address=f"{person}@mail.example"))

    def _open(self):
        self.ledger = Ledger.open(self.path, SECRET, POLICY)
        self.ledger.recover(self.now)

    @rule(
        people=st.lists(PEOPLE, min_size=1, max_size=3),
        minutes=st.integers(5, 120),
        review=st.sampled_from([False, False, True]),
    )
    def plan(self, people, minutes, review):
        for person in people:
            self._plan_one(person, self.now + minutes * MINUTE, review)

    def _plan_one(self, person, expires, review):
        self.number += 1
        made = decision(
            self.number,
            person,
            trigger_name=f"trigger-{self.number}",  # each is a moment of its own
            qualifies_at=self.now,
            expires_at=expires,
            needs_review=review,
            position=self.position + 1,
        )
        assert self.ledger.record([made], self.now) == 1
        assert self.ledger.record([made], self.now) == 0
        self.owner[made.decision_id] = made.to_address
        self.expiry[made.decision_id] = expires
        self.known[made.decision_id] = made.position
        if review:
            self.needs_review.add(made.decision_id)

    @rule(
        event=st.sampled_from(["time", "unsubscribe", "opt_in", "buy", "merge", "pause", "crash", "resolve"]),
        person=PEOPLE,
        other=PEOPLE,
        minutes=st.integers(0, 40),
        honest=st.booleans(),
    )
    def something_happens(self, event, person, other, minutes, honest):
        """One rule for all that the world does, so that plans and attempts keep their share of the steps."""
        address = f"{person}@mail.example"
        match event:
            case "time":
                self.now += minutes * MINUTE
            case "unsubscribe":
                self.ledger.suppress(Suppression("unsubscribe", self.now, address=address))
                self.suppressed.add(address)
            case "opt_in":
                self.now += MINUTE
                self.ledger.set_consent(Consent(True, self.now, address=address, double_opt_in=True))
                self.suppressed.discard(address)
            case "buy":
                self.position += 1
                self.ledger.add_exits([Exit(f"visitor-{person}", "Order Completed", self.position, self.now)])
                self.bought[address] = self.position
            case "merge":
                self.ledger.learn([Alias(f"customer-{person}", f"customer-{other}", self.now)])
            case "pause":
                self.ledger.pause("mia", "because", self.now)
                self.paused = True
            case "crash":
                self.crash()
            case "resolve":
                self.resolve(minutes, honest)

    @rule(approve=st.booleans())
    def review(self, approve):
        for held in self.ledger.review_list()[:2]:
            if approve:
                self.ledger.approve(held.decision_id, held.content_sha256, "mia", "fine", self.now)
                self.approved.add(held.decision_id)
            else:
                self.ledger.reject(held.decision_id, "mia", "no", self.now)

    @rule()
    def gate(self):
        due = self.ledger.claim_due(self.now)
        gated = self.ledger.gate([each.id for each in due], self.now)
        assert not (self.paused and gated.reserved)

    @rule(
        fates=st.lists(
            st.sampled_from(
                ["accepted", "accepted", "deferred", "rejected", "lost", "late", "undotted", "crash"]
            ),
            min_size=2,
            max_size=6,
        ),
        gate_first=st.sampled_from([True, True, False]),
        silently_accepted=st.booleans(),
    )
    def attempt(self, fates, gate_first, silently_accepted):
        """Reserved emails go as far as their fates let them; nothing goes anywhere while paused."""
        if self.paused:
            self.gate()
            assert not any(
                self.ledger.commit_dots({job.id: INTENT}, self.now) for job in self._in_state("RESERVED")
            )
            self.ledger.resume("mia", "because", self.now)
            self.paused = False
        if gate_first:
            self.gate()
        for job, fate in zip(self._in_state("RESERVED"), fates, strict=False):
            self._attempt_one(job, fate, silently_accepted)

    def _attempt_one(self, job, fate, silently_accepted):
        name = job.decision_id
        if not self.ledger.commit_dot(job.id, INTENT, self.now):
            return
        self.dotted[name] = self.now
        self._check_dot(name)
        if fate == "accepted" or (fate in ("lost", "crash") and silently_accepted):
            self.accepted.append(name)
        if fate == "late":
            self.pending.append((name, self.now + LATEST))
        if fate == "crash":
            self.crash()
        else:
            fate = "lost" if fate == "late" else fate
            self.ledger.settle(job.id, Outcome(fate, "250" if fate == "accepted" else "x"), self.now)

    def _accept_what_was_late(self):
        self.accepted += [name for name, instant in self.pending if instant <= self.now]
        self.pending = [(name, instant) for name, instant in self.pending if instant > self.now]

    def _check_dot(self, name):
        """What must be true of every dot at the instant it is permitted."""
        assert not self.paused
        assert self.owner[name] not in self.suppressed, "I6: mailed after an unsubscribe"
        assert self.now < self.expiry[name], "I7: mailed after the expiry"
        assert self.bought.get(self.owner[name], 0) < self.known[name], "X6: mailed after a purchase"
        assert name not in self.needs_review or name in self.approved, "I10: mailed without approval"

    def crash(self):
        """Whatever was in memory is gone, and the next sender starts."""
        assert self.ledger.verify_chain() is None, "I8, I9"
        self.ledger.close()
        self._open()

    def resolve(self, minutes, honest):
        """The provider knows, or does not say; a day is long enough to give up."""
        self.now += timedelta(minutes=minutes * minutes)
        self._accept_what_was_late()

        def resolver(doubt):
            if not honest:
                return "unknown"
            return "accepted" if doubt.decision_id in self.accepted else "absent"

        self.ledger.resolve_in_doubt(self.now, resolver)

    @precondition(lambda self: self.ledger is not None)
    @invariant()
    def nothing_is_accepted_twice(self):
        self._accept_what_was_late()
        assert len(self.accepted) == len(set(self.accepted)), "I2"

    @precondition(lambda self: self.ledger is not None)
    @invariant()
    def what_is_said_to_be_sent_was_accepted(self):
        sent = {receipt.decision_id for receipt in self.ledger.receipts_after(0) if receipt.outcome == "SENT"}
        assert sent <= set(self.accepted), "I3"

    @precondition(lambda self: self.ledger is not None)
    @invariant()
    def no_rolling_window_holds_more_than_the_cap(self):
        """Judged on what was accepted, by the instant of the dot."""
        for address in set(self.owner.values()):
            instants = sorted(self.dotted[name] for name in self.accepted if self.owner[name] == address)
            for first, last in zip(instants, instants[CAP:], strict=False):
                assert last - first >= WINDOW, "I5"

    def _in_state(self, state):
        rows = self.ledger._reader().execute("select id from outbox where state = ?", (state,)).fetchall()
        return self.ledger.jobs([row[0] for row in rows])

    def teardown(self):
        if getattr(self, "ledger", None) is not None:
            assert self.ledger.verify_chain() is None, "I8, I9"
            self.ledger.close()
            self.folder.cleanup()


LedgerMachine.TestCase.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLedgerMachine = LedgerMachine.TestCase
