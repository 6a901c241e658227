"""`make chaos`: kill every process at random moments, again and again, and count what must never happen.

The oracle is outside the system: `acks.log` of the load generator (written after each 200) and
`accepted.log` of the mail sink (written before each 250).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from collector.log.file import FileLog
from orchestration.links import links
from orchestration.live.lease import utc_now
from orchestration.live.sending import open_ledger
from orchestration.settings import ROOT, load_settings
from tests.power import Disk, inserted, why_not
from tests.system import QUICK, QUICK_ROUTES, SERVER_KEY, System, copy_project, now_text

VICTIMS = ("window", "window", "collector", "both")
NO_FSYNC = {"PYTHONPATH": str(ROOT / "tests" / "mutations" / "no_fdatasync")}
CAP = 3


@dataclass
class Outcome:
    """What a chaos run found; the last four must be 0."""

    cycles: int = 0
    kills: int = 0
    power_losses: int = 0
    acknowledged: int = 0
    decisions: int = 0
    sent: int = 0
    unsubscribed: int = 0
    in_doubt: int = 0
    lost: int = 0
    doubled: int = 0
    over_cap: int = 0
    sent_after_unsubscribe: int = 0
    not_finished: int = 0
    broken_chain: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (
            self.lost
            or self.doubled
            or self.over_cap
            or self.sent_after_unsubscribe
            or self.not_finished
            or self.broken_chain
        )

    def line(self) -> str:
        """The one line `make chaos` ends with."""
        return (
            f"cycles {self.cycles}, kills {self.kills}, power losses {self.power_losses}, acknowledged {self.acknowledged}, lost {self.lost}, "
            f"decisions {self.decisions}, doubled {self.doubled}, over cap {self.over_cap}, "
            f"unsubscribed {self.unsubscribed}, sent after unsubscribe {self.sent_after_unsubscribe}, in doubt {self.in_doubt}, "
            f"not finished {self.not_finished}, broken chain {self.broken_chain}"
        )


class Load:
    """Clients that retry until acknowledged, as SDKs do: visitors reach moments, some order, some leave."""

    def __init__(self, system: System, acks: Path, seed: int) -> None:
        self._system, self._url, self._seed = system, system.url, seed
        self._acks = acks.open("a")
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(3)]
        self._threads.append(threading.Thread(target=self._leaver, daemon=True))
        self.acknowledged: set[str] = set()
        self.unsubscribed: dict[str, float] = {}
        self.broken: list[str] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the request under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._acks.close()

    def _client(self, client: int) -> None:
        chance = random.Random(f"{self._seed}/{client}")
        number = 0
        with httpx.Client(base_url=self._url, auth=(SERVER_KEY, ""), timeout=5, trust_env=False) as http:
            while not self._stop.is_set():
                number += 1
                # A small crowd, so that people meet their weekly cap.
                person = f"p{client}-{chance.randrange(40)}"
                calls = _visit(person, f"{client}-{number}", chance)
                if self._post(http, calls):
                    self._acknowledge([call["messageId"] for call in calls])
                self._stop.wait(0.05)

    def _leaver(self) -> None:
        """About once a second somebody who got an email unsubscribes; `unsubscribed` holds the instant of the 200."""
        chance = random.Random(f"{self._seed}/leaver")
        url_of = links(load_settings(data=self._system.data)).unsubscribe_url
        with httpx.Client(timeout=5, trust_env=False) as http:
            while not self._stop.wait(1.0):
                got = [one for one in self._system.accepted() if one not in self.unsubscribed]
                if not got:
                    continue
                decision = chance.choice(got)
                path = url_of(decision).split("/u/")[1]
                with contextlib.suppress(httpx.HTTPError):
                    answer = http.post(f"{self._url}/u/{path}", data={"List-Unsubscribe": "One-Click"})
                    if answer.status_code == 200:
                        self.unsubscribed[decision] = time.time()

    def _post(self, http: httpx.Client, calls: list[dict[str, Any]]) -> bool:
        """Until 200; the same messageIds every time."""
        while not self._stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                answer = http.post("/v1/batch", json={"batch": calls, "sentAt": now_text()})
                if answer.status_code == 200:
                    return True
                if answer.status_code < 429:
                    self.broken.append(f"{answer.status_code} {answer.text[:200]}")
                    return False
            self._stop.wait(0.1)
        return False

    def _acknowledge(self, ids: list[str]) -> None:
        with self._mutex:
            self.acknowledged.update(ids)
            self._acks.write("".join(f"{one}\n" for one in ids))
            self._acks.flush()


def _visit(person: str, visit: str, chance: random.Random) -> list[dict[str, Any]]:
    """One visit of one person: signed in, reading or exploring to the end, sometimes with a cart or an order."""
    ids = {"anonymousId": f"v-{person}", "userId": f"c-{person}", "timestamp": now_text()}
    context = {"context": {"sessionId": f"s-{visit}"}}
    calls: list[dict[str, Any]] = [
        {"type": "identify", "traits": {"email": f"{person}@example.com", "consent": True}},
        {
            "type": "page",
            "name": "Product",
            "properties": {"path": "/products/x", "page_view_id": f"w-{visit}"},
        },
    ]
    moment = chance.random()
    if moment < 0.5:
        calls.append(_track("Page Engaged", page_view_id=f"w-{visit}", scroll_percent=90))
    elif moment < 0.7:
        calls += [_track("Feature Used", feature=name) for name in ("video", "faq", "table")]
    elif moment < 0.95:
        calls += [_track("Product Added", product_id=name, name=name, price=30) for name in ("lamp", "shade")]
    else:
        calls.append(_track("Order Completed", order_id=visit))
    return [call | ids | context | {"messageId": f"{visit}-{n}"} for n, call in enumerate(calls)]


def _track(event: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "properties": properties}


def run_chaos(
    cycles: int,
    seed: int,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    faults: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    disk: Disk | None = None,
) -> Outcome:
    """Kill `cycles` times, let everything finish, then judge. `folder` keeps all logs.

    With a disk, mounted at `folder / "data"`, each cycle is a power loss instead of a kill.
    """
    chance = random.Random(seed)
    # Without a least gap people meet their weekly cap, which is harder to keep.
    project = copy_project(folder, {"thresholds": QUICK, "routes": QUICK_ROUTES}, email_gap_hours=0)
    system = System(folder, {"KAIROS_DBT_PROJECT": str(project), **(env or {})})
    load = Load(system, folder / "acks.log", seed)
    outcome = Outcome(cycles=cycles)
    try:
        system.start_sink("--seed", str(seed), *faults)
        system.start_collector()
        system.start_window()
        system.wait_for_window()
        load.start()
        for cycle in range(cycles):
            _cycle(system, chance, outcome, disk)
            progress(cycle + 1)
        time.sleep(2)
        load.stop()
        _finish(system)
    except AssertionError as error:  # it does not come back: judged all the same
        outcome.problems.append(str(error)[:500])
        load.stop()
    finally:
        system.close()
    judge(system, load, outcome)
    return outcome


def _cycle(system: System, chance: random.Random, outcome: Outcome, disk: Disk | None) -> None:
    """Let it work a little, kill, start again. A window is also killed while it starts."""
    time.sleep(chance.uniform(0.1, 2.0))
    victim = "both" if disk else chance.choice(VICTIMS)
    for name in ("window", "collector") if victim == "both" else (victim,):
        system.kill(name)
        outcome.kills += 1
    if disk:
        disk.lose_power()
        outcome.power_losses += 1
    if "collector" not in system.processes:
        system.start_collector()
    if "window" not in system.processes:
        system.start_window()
        if chance.random() < 0.7:
            system.wait_for_window()


def _finish(system: System) -> None:
    """Everything acknowledged is judged, and every email has reached its end or waits in doubt."""
    system.kill("window")
    system.start_window()
    system.wait_for_window()

    def is_done() -> bool:
        position = json.loads((system.data / "window.lease").read_bytes()).get("position", 0)
        with sqlite3.connect(f"file:{system.data / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
            open_states = ledger.execute(
                "select count(*) from outbox where state in ('PLANNED', 'RESERVED', 'DOT_SENT')"
            ).fetchone()[0]
        log = FileLog(system.data / "landing")
        head = log.append([])
        log.close()
        return position >= head and open_states == 0

    time.sleep(8)  # carts of the last visits ripen
    system.wait(is_done, "everything to finish", 120)
    system.stop("window")


def judge(system: System, load: Load, outcome: Outcome) -> None:
    """Compare what was promised with what the outside saw."""
    landed = _landed(system)
    outcome.acknowledged = len(load.acknowledged)
    outcome.lost = len(load.acknowledged - landed)
    accepted = Counter(system.accepted())
    outcome.doubled = sum(count > 1 for count in accepted.values())
    outcome.problems += load.broken
    ledger = open_ledger(load_settings(data=system.data))
    try:
        outcome.broken_chain = int(ledger.verify_chain() is not None)
    finally:
        ledger.close()
    _judge_ledger(system, accepted, load.unsubscribed, outcome)


def _landed(system: System) -> set[str]:
    log, found, position = FileLog(system.data / "landing"), set(), 0
    while (batch := log.read_after(position)).frames:
        found |= {msgspec.json.decode(frame.payload).get("message_id") for frame in batch.frames}
        position = batch.next
    log.close()
    return found


def _judge_ledger(
    system: System, accepted: Counter[str], unsubscribed: dict[str, float], outcome: Outcome
) -> None:
    with sqlite3.connect(f"file:{system.data / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        states = dict(ledger.execute("select decision_id, state from decisions join outbox using (id)"))
        people = dict(ledger.execute("select decision_id, coalesce(customer_id, visitor_id) from decisions"))
        outcome.decisions = ledger.execute("select count(*) from decisions").fetchone()[0]
    outcome.sent = sum(accepted.values())
    outcome.in_doubt = sum(state in ("IN_DOUBT", "UNKNOWN") for state in states.values())
    outcome.not_finished = sum(state in ("PLANNED", "RESERVED", "DOT_SENT") for state in states.values())
    # The whole run is shorter than the cap's week, so a person's accepted emails are the window's.
    per_person = Counter(people[decision] for decision in accepted if decision in people)
    outcome.over_cap = sum(count > CAP for count in per_person.values())
    outcome.unsubscribed = len(unsubscribed)
    outcome.sent_after_unsubscribe = _too_late(system, unsubscribed, people)
    unknown = [decision for decision in accepted if decision not in people]
    outcome.problems += [f"accepted without a decision: {decision}" for decision in unknown]
    sent_but_refused = [
        decision
        for decision in accepted
        if states.get(decision) in ("SUPPRESSED", "CAPPED", "EXPIRED", "CANCELLED")
    ]
    outcome.problems += [f"accepted though {states[decision]}: {decision}" for decision in sent_but_refused]


def _too_late(system: System, unsubscribed: dict[str, float], people: dict[str, str]) -> int:
    """Emails whose dot went out after their person's unsubscribe had been acknowledged."""
    left: dict[str, float] = {}
    for decision, at in unsubscribed.items():
        if decision in people:
            left[people[decision]] = min(at, left.get(people[decision], at))
    with sqlite3.connect(f"file:{system.data / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        dots = ledger.execute(
            "select decision_id, dot_us from decisions join outbox using (id) where dot_us is not null"
        )
        return sum(dot_us / 1e6 > left.get(people[decision], float("inf")) for decision, dot_us in dots)


def main() -> int:
    """The command line of `make chaos`."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--power", action="store_true", help="cut the power instead of killing (needs root)")
    parser.add_argument("--no-fsync", action="store_true", help="break durability, to see that it is noticed")
    options = parser.parse_args()
    if options.power and (missing := why_not()):
        parser.error(missing)
    folder = Path(tempfile.mkdtemp(prefix="kairos-chaos-"))
    started = time.monotonic()

    def progress(cycle: int) -> None:
        print(f"\rcycle {cycle} of {options.cycles}, {time.monotonic() - started:.0f} s", end="", flush=True)

    with inserted(folder / "data") if options.power else contextlib.nullcontext() as disk:
        outcome = run_chaos(
            options.cycles,
            options.seed,
            folder,
            progress,
            faults=("--temporary", "0.03", "--reset", "0.02", "--reply-lost", "0.01"),
            env=NO_FSYNC if options.no_fsync else None,
            disk=disk,
        )
    print()
    for problem in outcome.problems:
        print(problem)
    print(f"at {utc_now():%Y-%m-%d %H:%M} UTC, seed {options.seed}")
    print(json.dumps({key: value for key, value in asdict(outcome).items() if key != "problems"}))
    print(outcome.line())
    if outcome.is_clean and not outcome.problems:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    print(f"logs are in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
