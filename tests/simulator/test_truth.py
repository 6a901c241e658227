"""The ground truth against a slow and independent reading of the file."""

import csv
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.generate import generate

START = datetime(2026, 3, 1, tzinfo=UTC)
Finding = tuple[str, str, str, datetime]  # trigger, anonymous id, entity, instant


@pytest.fixture(scope="module", params=[11, 12])
def files(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("truth")
    paths = folder / "t.jsonl", folder / "t.csv"
    generate(40_000, request.param, START, *paths)
    return paths


def visitors(path: Path) -> dict[str, list[dict]]:
    """Valid calls by visitor, once each, in the order in which they happened."""
    seen, people = set(), defaultdict(list)
    for line in path.read_text().splitlines():
        call = json.loads(line)
        if call.get("anonymousId", "broken-").startswith("broken-") or call["messageId"] in seen:
            continue
        seen.add(call["messageId"])
        people[call["anonymousId"]].append({**call, "at": datetime.fromisoformat(call["timestamp"])})
    for calls in people.values():
        calls.sort(key=lambda call: (call["at"], call["messageId"]))
    return people


def told(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def told_findings(path: Path) -> set[Finding]:
    return {
        (
            row["trigger_name"],
            row["anonymous_id"],
            row["entity_id"],
            datetime.fromisoformat(row["qualifies_at"]),
        )
        for row in told(path)
        if row["qualifies_at"]
    }


def left_carts(who: str, calls: list[dict]) -> set[Finding]:
    items, cart, fired = 0, "", {}
    far = calls[-1]["at"] + timedelta(days=999)
    for call, after in pairwise([*calls, {"at": far}]):
        match call.get("event"):
            case "Product Added":
                items, cart = items + 1, call["properties"]["cart_id"]
            case "Product Removed":
                items -= 1
            case "Order Completed":
                items = 0
        if items >= 2 and after["at"] - call["at"] > timedelta(seconds=90):
            fired.setdefault(cart, call["at"] + timedelta(seconds=90))
    return {("cart_abandonment", who, cart, at) for cart, at in fired.items()}


def read_pages(who: str, calls: list[dict]) -> set[Finding]:
    fired: dict[tuple[str, str], datetime] = {}
    for call in calls:
        if call.get("event") == "Page Engaged":
            seen = call["properties"]
            view = seen["page_view_id"]
            if seen["scroll_percent"] >= 80 and seen["page_type"] == "product":
                fired.setdefault(("page_depth", view), call["at"])
            if seen["engaged_seconds"] > 180 and seen["click_count"] < 5:
                fired.setdefault(("time_on_page", view), call["at"])
    return {(trigger, who, view, at) for (trigger, view), at in fired.items()}


def explored(who: str, calls: list[dict]) -> set[Finding]:
    uses, fired = defaultdict(list), {}
    for call in calls:
        if call.get("event") == "Feature Used":
            session = call["context"]["sessionId"]
            uses[session].append(call["at"])
            recent = [at for at in uses[session] if call["at"] - at <= timedelta(seconds=300)]
            if len(recent) >= 3:
                fired.setdefault(session, call["at"])
    return {("feature_exploration", who, session, at) for session, at in fired.items()}


def test_what_ripens_and_when_is_what_a_slow_reading_finds(files):
    calls, truth = files

    found = {
        finding
        for who, mine in visitors(calls).items()
        for rule in (left_carts, read_pages, explored)
        for finding in rule(who, mine)
    }

    assert told_findings(truth) == found
    assert {trigger for trigger, *_ in found} == {
        "cart_abandonment", "page_depth", "time_on_page", "feature_exploration",
    }  # fmt: skip


def test_bought_at_is_the_first_order_from_the_moment_on(files):
    calls, truth = files
    orders = {
        who: [call["at"] for call in mine if call.get("event") == "Order Completed"]
        for who, mine in visitors(calls).items()
    }

    for row in told(truth):
        moment = datetime.fromisoformat(row["qualifies_at"] or row["began_at"])
        later = [at for at in orders[row["anonymous_id"]] if at >= moment]
        assert row["bought_at"] == (min(later).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if later else "")


def test_identity_consent_and_lateness_are_told(files):
    calls, truth = files
    people = visitors(calls)

    for row in told(truth):
        mine = people[row["anonymous_id"]]
        moment = datetime.fromisoformat(row["qualifies_at"] or row["began_at"])
        identify = [call for call in mine if call["type"] == "identify"]
        assert row["customer_id"] == (identify[0]["userId"] if identify else "")
        assert (row["is_known"] == "true") == any(call["at"] <= moment for call in identify)
        for call in identify:
            assert (row["has_consent"] == "true") == call["traits"]["consent"]
        # A repeat is late too, but only by seconds and only the second time.
        assert (row["is_late"] == "true") == any("receivedAt" in call for call in mine)


def test_some_who_leave_a_cart_come_back_and_buy(files):
    carts = [row for row in told(files[1]) if row["trigger_name"] == "cart_abandonment"]
    left = [row for row in carts if row["qualifies_at"]]

    assert len(left) > 20
    assert 0.1 < sum(bool(row["bought_at"]) for row in left) / len(left) < 0.6
    assert any(not row["qualifies_at"] for row in carts)
