"""Kills a real sender at random moments, again and again, and counts what went wrong.

`python tests/senders/chaos.py --cycles 200 --seed 1` prints one line. The sink's log, written before
each 250, says what was accepted; the ledger says what should have been. `--mutate no_intent` removes
the commit before the dot, to see that the count notices.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from senders import Ledger, Policy, SmtpSettings, SmtpTransport, Suppression
from tests.senders.sink import accepted
from tests.senders.support import SECRET, consent, decision, dispatcher, running_sink

FAULTS = ("--temporary=0.03", "--permanent=0.01", "--reset=0.02", "--reply-lost=0.02", "--late=0.02")
MUTATIONS = ("no_intent",)
_PEOPLE = 40
_PER_CYCLE = 12

# Real minutes, scaled down so that a cycle fits in a third of a second. The sink accepts late by 0.2 s.
POLICY = Policy(
    cap=3,
    dedupe_window=timedelta(microseconds=1),
    quarantine=timedelta(seconds=0.6),
    resolve_within=timedelta(seconds=1),
    backoff_first=timedelta(seconds=0.05),
    backoff_most=timedelta(seconds=0.2),
)


@dataclass
class Toll:
    """What a run did, and what went wrong: everything from `doubled` on should be 0."""

    cycles: int = 0
    kills: int = 0
    decisions: int = 0
    accepted: int = 0
    in_doubt: int = 0  # dots whose fate had to be given up (UNKNOWN): counted as sent
    in_doubt_not_accepted: int = 0  # those of them that nobody got
    doubled: int = 0
    lost: int = 0  # said to be sent but never accepted, or without an end
    without_intent: int = 0
    over_cap: int = 0
    after_unsubscribe: int = 0
    audit_broken: int = 0


def run_cycles(cycles: int, seed: int, folder: Path, mutate: str = "") -> dict[str, int]:
    """Run so many kills and return the toll. The same seed draws the same kills, faults and decisions."""
    rng = random.Random(seed)
    toll = Toll(cycles=cycles)
    log = folder / "accepted.log"
    ledger = Ledger.open(folder / "ledger.sqlite", SECRET, POLICY)
    with running_sink(log, f"--seed={seed}", *FAULTS) as port:
        for cycle in range(cycles):
            toll.decisions += _plan(ledger, rng, cycle)
            toll.kills += _live_and_die(folder, port, mutate, rng, ledger)
        _finish(folder, port)
    _judge(ledger, log, toll)
    ledger.close()
    return asdict(toll)


def _plan(ledger: Ledger, rng: random.Random, cycle: int) -> int:
    now = datetime.now(UTC)
    people = [f"p{cycle // 10}-{rng.randrange(_PEOPLE)}" for _ in range(_PER_CYCLE)]
    consent(ledger, *people, when=now)
    return ledger.record(
        [
            decision(cycle * _PER_CYCLE + n, person, qualifies_at=now, expires_at=now + timedelta(minutes=10))
            for n, person in enumerate(people)
        ],
        now,
    )


def _live_and_die(folder: Path, port: int, mutate: str, rng: random.Random, ledger: Ledger) -> int:
    """Start a sender, let someone unsubscribe, kill it in the middle of its work."""
    with _sender(folder, port, mutate) as sender:
        time.sleep(rng.uniform(0, 0.08))
        who = f"p0-{rng.randrange(_PEOPLE)}"
        ledger.suppress(Suppression("unsubscribe", datetime.now(UTC), address=f"{who}@mail.example"))
        time.sleep(rng.uniform(0, 0.04))
        sender.send_signal(signal.SIGKILL)
        sender.wait()
    return 1


def _finish(folder: Path, port: int) -> None:
    """Faults go on, kills stop: everything has to come to an end by itself."""
    deadline = time.monotonic() + 30
    ledger = Ledger.open(folder / "ledger.sqlite", SECRET, POLICY)
    with _sender(folder, port, ""):
        while time.monotonic() < deadline and ledger.next_due() is not None:
            time.sleep(0.1)
    ledger.close()


@contextmanager
def _sender(folder: Path, port: int, mutate: str) -> Any:
    """A sender in a process of its own, past its recovery."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder), "--port", str(port), "--mutate", mutate],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        process.kill()
        process.wait()


def _judge(ledger: Ledger, log: Path, toll: Toll) -> None:
    copies = Counter(accepted(log))
    toll.accepted = len(copies)
    toll.doubled = sum(count - 1 for count in copies.values())
    toll.audit_broken = int(ledger.verify_chain() is not None)
    per_recipient: Counter[str] = Counter()
    for number in range(toll.decisions):
        (found,) = ledger.explain(decision_id=f"d{number}")
        was_accepted = copies[found.decision_id] > 0
        events = [entry.event for entry in found.history]
        toll.in_doubt += found.state == "UNKNOWN"
        toll.in_doubt_not_accepted += found.state == "UNKNOWN" and not was_accepted
        toll.lost += found.state == "SENT" and not was_accepted
        toll.lost += found.state in ("PLANNED", "HELD", "RESERVED", "DOT_SENT", "IN_DOUBT")
        toll.without_intent += was_accepted and "DOT_SENT" not in events
        toll.after_unsubscribe += _dot_after_unsubscribe(ledger, found)
        per_recipient[found.visitor_id] += was_accepted
    toll.over_cap = sum(max(0, count - 3) for count in per_recipient.values())


def _dot_after_unsubscribe(ledger: Ledger, found: Any) -> bool:
    address = found.visitor_id.removeprefix("visitor-") + "@mail.example"
    unsubscribed = [entry.seq for entry in ledger.history_of(address=address) if entry.event == "suppressed"]
    dots = [entry.seq for entry in found.history if entry.event == "DOT_SENT"]
    return any(dot > min(unsubscribed) for dot in dots) if unsubscribed else False


class _Careless(Ledger):
    """What a sender without the intent would do: the dot goes out, and nobody wrote that down."""

    def commit_dots(self, intents: Mapping[int, Any], now: datetime) -> set[int]:
        return set(intents)


def _child(folder: Path, port: int, mutate: str) -> None:
    kind = _Careless if mutate == "no_intent" else Ledger
    ledger = kind.open(folder / "ledger.sqlite", SECRET, POLICY)
    ledger.recover(datetime.now(UTC), wait_seconds=5)
    transport = SmtpTransport(SmtpSettings("127.0.0.1", port, security="none"), width=3)
    sender = dispatcher(ledger, transport)
    sender.start()
    print("ready", flush=True)
    while sender.failure is None:
        time.sleep(0.05)
    raise sender.failure


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutate", choices=("", *MUTATIONS), default="")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.port, options.mutate)
    with tempfile.TemporaryDirectory() as folder:
        toll = run_cycles(options.cycles, options.seed, Path(folder), options.mutate)
    print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in toll.items()))


if __name__ == "__main__":
    main()
