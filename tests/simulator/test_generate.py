"""The bulk generator: the same file per seed, sorted, whole, and as faulty as configured."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulator.catalogue import products
from simulator.faults import Rates
from simulator.generate import generate
from simulator.people import PLACES

START = datetime(2026, 3, 1, tzinfo=UTC)


def traffic(folder: Path, events: int = 20_000, seed: int = 7, **options) -> list[dict]:
    generate(events, seed, START, folder / "t.jsonl", folder / "t.csv", **options)
    return [json.loads(line) for line in (folder / "t.jsonl").read_text().splitlines()]


def arrival(call: dict) -> datetime:
    return datetime.fromisoformat(call.get("receivedAt", call["timestamp"]))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    rates = Rates(late=0.05, duplicate=0.02, bad=0.01)
    return traffic(tmp_path_factory.mktemp("traffic"), events=60_000, rates=rates)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        generate(20_000, 5, START, tmp_path / f"{name}.jsonl", tmp_path / f"{name}.csv")

    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_another_seed_shares_no_message_and_no_person(tmp_path):
    one, two = traffic(tmp_path, 2_000, seed=1), traffic(tmp_path, 2_000, seed=2)

    for name in ("messageId", "anonymousId"):
        assert not {call.get(name) for call in one} & {call.get(name) for call in two} - {None}


@pytest.mark.parametrize("events", [1, 2, 37, 500, 5_000])
def test_the_file_has_exactly_as_many_events_as_asked_for(tmp_path, events):
    assert len(traffic(tmp_path, events)) == events


def test_calls_are_sorted_by_arrival(calls):
    arrivals = [arrival(call) for call in calls]

    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= START


def test_received_at_stands_only_where_a_call_came_late(calls):
    for call in calls:
        if "receivedAt" in call:
            assert arrival(call) > datetime.fromisoformat(call["timestamp"])


def test_late_repeated_and_broken_calls_come_at_the_configured_rates(calls):
    seen: Counter[str] = Counter(call["messageId"] for call in calls)
    repeats = sum(count - 1 for count in seen.values())
    hours_late = sum(
        arrival(call) - datetime.fromisoformat(call["timestamp"]) > timedelta(minutes=10) for call in calls
    )
    broken = sum(is_broken(call) for call in calls)

    assert repeats / len(calls) == pytest.approx(0.02, rel=0.2)
    assert broken / len(calls) == pytest.approx(0.01, rel=0.25)
    assert hours_late / len(calls) == pytest.approx(0.05, rel=0.5)  # late by whole visits, so it scatters


def is_broken(call: dict) -> bool:
    return (
        call.get("type") not in {"page", "screen", "track", "identify"}
        or ("anonymousId" not in call and "userId" not in call)
        or (call["type"] == "track" and ("event" not in call or call["event"] == "Deep"))
    )


def test_broken_calls_touch_no_customer(calls):
    assert all(call.get("anonymousId", "broken-").startswith("broken-") for call in calls if is_broken(call))


def test_without_faults_every_call_is_on_time_unique_and_whole(tmp_path):
    calls = traffic(tmp_path, rates=Rates(0, 0, 0))

    assert len({call["messageId"] for call in calls}) == len(calls)
    assert not any("receivedAt" in call or is_broken(call) for call in calls)


def test_the_traffic_has_what_real_traffic_has(calls):
    names = {call.get("event", call.get("type")) for call in calls}
    orders = [call for call in calls if call.get("event") == "Order Completed"]
    same_second = sum(
        a["timestamp"] == b["timestamp"] and a.get("anonymousId") == b.get("anonymousId")
        for a, b in pairwise(calls)
    )

    assert names >= {
        "page", "screen", "identify", "Product Viewed", "Page Engaged", "Feature Used", "Product Added",
        "Product Removed", "Cart Viewed", "Checkout Started", "Order Completed",
    }  # fmt: skip
    assert any("cart_id" not in order["properties"] for order in orders), "no purchase without a cart"
    assert same_second > 100
    assert len({call["context"]["device"]["type"] for call in calls if "context" in call}) == 3


def test_an_order_lists_what_it_costs(calls):
    prices = {product.product_id: product.price for product in products()}

    for call in calls:
        if call.get("event") == "Order Completed":
            bought = [item["product_id"] for item in call["properties"]["products"]]
            assert bought
            assert call["properties"]["total"] == pytest.approx(sum(prices[one] for one in bought))


def test_people_are_reachable_nowhere_but_here(calls):
    traits = [call["traits"] for call in calls if call.get("type") == "identify"]

    assert all(trait["email"].split("@")[1].startswith("example.") for trait in traits)
    assert all(trait["email"].isascii() for trait in traits)
    assert 0.85 < sum(trait["consent"] for trait in traits) / len(traits) < 0.99
    assert {trait["tier"] for trait in traits} == {"regular", "loyal", "vip"}


def test_some_customers_live_at_odd_offsets():
    offsets = {ZoneInfo(zone).utcoffset(START.replace(tzinfo=None)) for _, zone, *_ in PLACES}

    assert {offset.seconds % 3600 for offset in offsets} == {0, 1800, 2700}
