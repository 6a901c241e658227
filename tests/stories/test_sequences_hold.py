"""Whatever people do: no email of a sequence after an exit, out of order, twice, above a cap, or at night.

Each example is a shop full of random histories, lived through on a simulated clock; what the models, the
gate and the ledger let through is judged by a few lines that know nothing of them.
"""

from __future__ import annotations

import csv
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.arrivals import read_calls
from orchestration.replay import Replay
from orchestration.settings import load_settings

START = datetime(
    2026, 3, 20, tzinfo=UTC
)  # clocks go forward in Berlin, and back on Lord Howe, within these days
DAYS = 12
PEOPLE = 250
# Shops; `make histories` lives through thousands of histories.
EXAMPLES = int(os.environ.get("EXAMPLES", "2"))
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Mars/Phobos")
NIGHT = (22, 7)  # from, until; whoever's zone is unknown sleeps in UTC
AFTER_HOURS = {("cart_abandonment", 2): 12, ("cart_abandonment", 3): 12, ("cart_abandonment", 4): 168}


@dataclass
class History:
    """What one person does, with the instants."""

    name: str
    zone: str
    moves: list[tuple[datetime, str]] = field(default_factory=list)

    def instants(self, *kinds: str) -> list[datetime]:
        return [at for at, kind in self.moves if kind in kinds]


def histories(chance: random.Random) -> list[History]:
    """A few visits each; some buy, click, withdraw their consent, or empty the cart."""
    people = []
    for number in range(PEOPLE):
        person = History(f"p{number}", chance.choice(ZONES))
        at = START + timedelta(hours=chance.uniform(0, 48))
        person.moves.append((at, "signs in"))
        for _ in range(chance.randint(1, 5)):
            at += timedelta(
                seconds=chance.choice((5, 300, 3_600, 40_000, 90_000, 200_000)) * chance.uniform(0.5, 1.5)
            )
            kinds = ("cart", "cart", "cart", "scroll", "order", "click", "withdraw", "clear")
            person.moves.append((at, chance.choice(kinds)))
        people.append(person)
    return people


def calls(person: History) -> Iterator[dict]:
    """Their moves as Segment calls."""
    for number, (at, kind) in enumerate(person.moves):
        base = {"anonymousId": person.name, "userId": f"c-{person.name}", "messageId": f"{person.name}-{number}",
                "timestamp": at.isoformat(), "type": "track", "context": {"sessionId": f"{person.name}-{number}"}}  # fmt: skip
        traits = {
            "email": f"{person.name}@example.com",
            "timezone": person.zone,
            "consent": kind != "withdraw",
        }
        match kind:
            case "signs in" | "withdraw":
                yield base | {"type": "identify", "traits": traits}
            case "cart":
                for item in ("coat", "boots"):
                    product = {"product_id": item, "name": item.title(), "price": 70, "quantity": 1}
                    yield base | {
                        "event": "Product Added",
                        "properties": product,
                        "messageId": f"{person.name}-{number}-{item}",
                    }
            case "scroll":
                page = {"page_view_id": base["messageId"], "page_type": "product", "scroll_percent": 90}
                yield base | {"event": "Page Engaged", "properties": page}
            case _:
                names = {"order": "Order Completed", "click": "Email Clicked", "clear": "Cart Cleared"}
                yield base | {"event": names[kind], "properties": {}}


@dataclass(frozen=True)
class Sent:
    """One email as the replay tells of it."""

    trigger_name: str
    entity_id: str
    touch: int
    qualified_at: datetime
    at: datetime


def lived_through(people: list[History], folder: Path) -> dict[str, list[Sent]]:
    """Everybody's emails, in order."""
    file = folder / "calls.jsonl"
    everything = sorted(
        (call for person in people for call in calls(person)), key=lambda call: call["timestamp"]
    )
    file.write_text("\n".join(json.dumps(call) for call in everything))
    run = Replay(load_settings(data=folder / "data"), folder)
    run.run(read_calls([file], identify=False))
    run.close()
    found: dict[str, list[Sent]] = defaultdict(list)
    with (folder / "sends.csv").open() as rows:
        for row in csv.DictReader(rows):
            if row["state"] == "SENT":
                instants = (datetime.fromisoformat(row[name]) for name in ("qualifies_at", "accepted_at"))
                found[row["anonymous_id"]].append(
                    Sent(row["trigger_name"], row["entity_id"], int(row["touch"]), *instants)
                )
    return {name: sorted(sends, key=lambda sent: sent.at) for name, sends in found.items()}


def wrongs(person: History, sends: list[Sent]) -> Iterator[str]:
    """Everything that should not have happened to somebody."""
    about: dict[str, list[Sent]] = defaultdict(list)
    for sent in sends:
        about[sent.entity_id].append(sent)
        zone = ZoneInfo(person.zone) if person.zone != "Mars/Phobos" else UTC
        hour = sent.at.astimezone(zone).hour
        if hour >= NIGHT[0] or hour < NIGHT[1]:
            yield f"mailed at {hour} o'clock"
        if (
            any(at <= sent.at for at in person.instants("withdraw")[-1:])
            and person.moves[-1][1] == "withdraw"
        ):
            yield "mailed without consent"
    for entity, emails in about.items():
        yield from _wrongs_of_sequence(person, entity, emails)
    for first, second in combinations(sends, 2):
        if first.entity_id != second.entity_id and second.at - first.at < timedelta(hours=24):
            yield "two emails about two things within a day"
    if any(
        fourth.at - first.at < timedelta(hours=168) for first, fourth in zip(sends, sends[3:], strict=False)
    ):
        yield "four emails within a week"


def _wrongs_of_sequence(person: History, entity: str, emails: list[Sent]) -> Iterator[str]:
    if [email.touch for email in emails] != list(range(1, len(emails) + 1)):
        yield f"touches out of order or twice: {[email.touch for email in emails]}"
    for before, after in pairwise(emails):
        if after.at - before.at < timedelta(hours=AFTER_HOURS.get((after.trigger_name, after.touch), 24)):
            yield f"touch {after.touch} came too soon"
        answers = person.instants("order", "click") + (
            person.instants("clear") if after.trigger_name == "cart_abandonment" else []
        )
        if any(before.qualified_at < at <= after.at for at in answers):
            yield f"touch {after.touch} was sent after an exit"


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_no_history_makes_a_sequence_break_its_word(seed: int, tmp_path_factory: pytest.TempPathFactory):
    people = histories(random.Random(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAIROS_MAIL__QUIET_HOURS__START", f"{NIGHT[0]}:00")
        patch.setenv("KAIROS_MAIL__QUIET_HOURS__END", f"{NIGHT[1]:02d}:00")
        sends = lived_through(people, tmp_path_factory.mktemp("histories"))

    assert {
        person.name: found for person in people if (found := list(wrongs(person, sends.get(person.name, []))))
    } == {}
    everything = [sent for emails in sends.values() for sent in emails]
    assert len(everything) > PEOPLE / 2
    assert {sent.touch for sent in everything} >= {1, 2, 3}
