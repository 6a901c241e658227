"""Recorded traffic through the warehouse, in one set-based pass over everything."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.arrivals import Arrival, read_calls
from orchestration.dbt import run_dbt
from orchestration.live.facts import utc
from tests.models.landing import land
from tests.system import DATA, copy_project

GIUDICI = DATA / "events" / "giudici.jsonl.gz"
SNOWPLOW = DATA / "snowplow_web" / "source" / "snowplow_web_events.csv"
EXPECTED = DATA / "expected_giudici_cart.jsonl.gz"
AFTER_EVERYTHING = "{as_of: '9999-12-30 00:00:00'}"
TO_CANDIDATES = ["--select", "+fct_trigger_candidates", "--exclude-resource-type", "test", "unit_test"]

needs_data = pytest.mark.skipif(
    not GIUDICI.exists(), reason=f"recorded traffic is not here: put it into {DATA} to run this"
)


@dataclass(frozen=True)
class Warehouse:
    """Recorded events in an archive of their own; dbt's parse is kept from one build to the next."""

    folder: Path

    def build(self, need: int, silent: int) -> None:
        """All models up to the candidates, with these thresholds."""
        changes = {"cart_abandonment": {"min_items": str(need), "min_seconds": str(silent)}}
        project = copy_project(self.folder / f"{need}-{silent}", {"thresholds": changes})
        arguments = ["build", "--vars", AFTER_EVERYTHING, *TO_CANDIDATES]
        run_dbt(project, "warehouse", self.folder / "target", arguments, self.folder)

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def giudici(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("giudici")
    land(folder, read_calls([GIUDICI], identify=False))
    return Warehouse(folder)


def first_fires(built: Warehouse) -> dict[str, str]:
    """When each visit's cart fires first."""
    rows = built.rows(
        "select session_id, strftime(min(qualifies_at), '%Y-%m-%dT%H:%M:%SZ') from fct_trigger_candidates "
        "where trigger_name = 'cart_abandonment' group by session_id"
    )
    return dict(rows)


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
@pytest.mark.parametrize("silent", [90, 300, 1800])
@pytest.mark.parametrize("need", [1, 2])
def test_one_pass_fires_on_exactly_the_expected_visits_and_instants(
    giudici: Warehouse, need: int, silent: int
):
    giudici.build(need, silent)

    fires = first_fires(giudici)

    assert fires == expected(need, silent)
    assert len(fires) >= 43


def as_the_tracker_sent_them() -> list[Arrival]:
    """Calls with the tracker's own ids, in order of arrival."""
    with SNOWPLOW.open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["collector_tstamp"])
    return [Arrival(utc(datetime.fromisoformat(row["collector_tstamp"])), _call(row)) for row in rows]


def _call(row: dict[str, str]) -> bytes:
    call = {"type": "track", "event": row["event_name"], "messageId": row["event_id"]}
    return json.dumps(call | {"anonymousId": row["domain_userid"] or row["network_userid"]}).encode()


@needs_data
def test_an_event_sent_twice_counts_once(tmp_path: Path):
    """Three of the tracker's 92 events are repeats."""
    arrivals = as_the_tracker_sent_them()
    land(tmp_path, arrivals)
    built = Warehouse(tmp_path)

    built.build(2, 90)

    landed = built.rows("select count(*), count(distinct message_id) from landing.events")
    loaded = built.rows("select count(*), count(distinct message_id) from int_visitor_events")
    assert (landed, loaded) == ([(92, 89)], [(89, 89)])
