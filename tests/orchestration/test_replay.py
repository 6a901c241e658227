"""Recorded traffic through the whole pipeline on a simulated clock."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from orchestration.arrivals import read_calls
from orchestration.replay import Replay
from orchestration.settings import load_settings
from tests.system import DATA

GIUDICI = DATA / "events" / "giudici.jsonl.gz"
EXPECTED = DATA / "expected_giudici_cart.jsonl.gz"
needs_data = pytest.mark.skipif(not GIUDICI.exists(), reason=f"recorded traffic is not here: {GIUDICI}")


# A year's traffic in steps of half a day takes its time; what is about first emails need not take it.
FIRST_EMAILS_ONLY = {
    ("sequences", trigger, "after_hours"): "100000"
    for trigger in ("cart_abandonment", "feature_exploration", "page_depth", "time_on_page")
}


def replay(
    out: Path, files: list[Path], overrides: dict | None = None, chunk: int = 5000, most: int | None = None
) -> list[dict]:
    """The candidates of a replay."""
    out.mkdir(parents=True, exist_ok=True)
    run = Replay(load_settings(data=out / "data"), out, overrides, chunk)
    arrivals: Iterable = read_calls(files, identify=True)
    if most:
        arrivals = [arrival for arrival, _ in zip(arrivals, range(most), strict=False)]
    run.run(arrivals)
    run.close()
    with (out / "candidates.csv").open() as file:
        return list(csv.DictReader(file))


def first_fires(candidates: list[dict]) -> dict[str, str]:
    """When each visit's cart fires first."""
    carts = [row for row in candidates if row["trigger_name"] == "cart_abandonment"]
    fires: dict[str, str] = {}
    for row in carts:
        fires[row["session_id"]] = min(row["qualifies_at"], fires.get(row["session_id"], "9"))
    return fires


def expected(need: int, silent: int) -> dict[str, str]:
    with gzip.open(EXPECTED, "rt") as lines:
        visits = [json.loads(line) for line in lines]
    return {
        visit["sessionId"]: fire["fire_at"]
        for visit in visits
        for fire in visit["fires"]
        if (fire["need"], fire["silent_s"]) == (need, silent)
    }


@needs_data
@pytest.mark.parametrize(
    ("need", "silent", "count"), [(2, 90, 84), (2, 300, 62), (2, 1800, 43), (1, 90, 293)]
)
def test_recorded_carts_fire_on_exactly_the_expected_visits_and_instants(
    tmp_path: Path, need: int, silent: int, count: int
):
    overrides = {
        ("thresholds", "cart_abandonment", "min_seconds"): str(silent),
        ("thresholds", "cart_abandonment", "min_items"): str(need),
        **FIRST_EMAILS_ONLY,
    }

    fires = first_fires(replay(tmp_path, [GIUDICI], overrides))

    assert len(fires) == count
    assert fires == expected(need, silent)


@needs_data
def test_event_by_event_and_in_bulk_decide_the_same(tmp_path: Path):
    bulk = replay(tmp_path / "bulk", [GIUDICI], most=250)
    single = replay(tmp_path / "single", [GIUDICI], chunk=1, most=250)

    assert bulk == single and len(bulk) >= 1


@needs_data
def test_two_replays_are_identical_to_the_byte(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "data" / "secret").write_text("the same secret")
        replay(tmp_path / name, [GIUDICI], FIRST_EMAILS_ONLY)

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").glob("**/*.eml"))
    assert len(files) == 84
    for file in (*files, Path("candidates.csv"), Path("sends.csv")):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_an_order_after_the_email_does_not_unsend_it_and_before_it_does(tmp_path: Path):
    calls = [
        visit(f"{who}-{n}", who, event, second)
        for who, order_at in (("early", 60), ("late", 400))
        for n, (event, second) in enumerate(
            [("Product Added", 0), ("Product Added", 1), ("Order Completed", order_at)]
        )
    ]
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join(json.dumps(call) for call in calls))

    candidates = replay(tmp_path / "out", [file])

    with (tmp_path / "out" / "sends.csv").open() as sends:
        first = [row for row in csv.DictReader(sends) if row["touch"] == "1"]
    assert [(row["anonymous_id"], row["state"]) for row in first] == [("late", "SENT")]
    assert [row["anonymous_id"] for row in candidates] == ["late"]


def test_a_hostile_line_harms_no_neighbour(tmp_path: Path):
    good = [visit(f"m{n}", "ann", "Product Added", n) for n in range(2)]
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join([json.dumps(good[0]), "{broken", '{"type":"track"}', json.dumps(good[1])]))

    assert [row["anonymous_id"] for row in replay(tmp_path / "out", [file])] == ["ann"]


def visit(message_id: str, who: str, event: str, second: int) -> dict:
    return {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "anonymousId": who,
        "timestamp": f"2026-03-02T12:{second // 60:02d}:{second % 60:02d}Z",
        "properties": {"product_id": message_id, "quantity": 1},
    }


def test_quiet_hours_of_the_settings_hold_at_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ann is in Berlin, where it is late in the evening; Bob's zone is unknown, and the default is still awake."""
    monkeypatch.setenv("KAIROS_MAIL__QUIET_HOURS__START", "21:00")
    monkeypatch.setenv("KAIROS_MAIL__QUIET_HOURS__END", "08:00")
    monkeypatch.setenv("KAIROS_MAIL__QUIET_HOURS__DEFAULT_ZONE", "America/New_York")
    calls = []
    for name, zone in (("ann", "Europe/Berlin"), ("bob", None)):
        who = {"anonymousId": name, "userId": name, "timestamp": "2026-03-02T20:30:00Z"}
        traits = {"email": f"{name}@example.com", "consent": True} | ({"timezone": zone} if zone else {})
        calls.append(who | {"type": "identify", "messageId": f"{name}-0", "traits": traits})
        for number in (1, 2):
            added = {"product_id": f"p{number}", "name": "Lamp", "price": 10}
            track = {"type": "track", "event": "Product Added", "messageId": f"{name}-{number}"}
            calls.append(who | track | {"properties": added})
    file = tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(call) + "\n" for call in calls))

    replay(tmp_path / "out", [file])

    with (tmp_path / "out" / "sends.csv").open() as sends:
        accepted = {
            row["anonymous_id"]: row["accepted_at"] for row in csv.DictReader(sends) if row["touch"] == "1"
        }
    assert accepted == {"ann": "2026-03-03T07:00:00Z", "bob": "2026-03-02T20:31:30Z"}


def test_a_replay_holds_nobody_out_unless_it_is_asked_to(tmp_path: Path):
    calls = [visit(f"m{n}", "ann", "Product Added", n) for n in range(2)]
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join(map(json.dumps, calls)))
    everybody = {("experiments", "everybody", "share"): "1"}
    held = {}
    for asked in (False, True):
        out = tmp_path / str(asked)
        run = Replay(load_settings(data=out / "data"), out, everybody if asked else None, experiments=asked)
        [first, *_] = run.run(read_calls([file], identify=True)).decisions
        run.close()
        held[asked] = not first.reasons["is_not_held_out"]

    assert held == {False: False, True: True}
