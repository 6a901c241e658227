"""A segment asked today as of a past instant is the segment as it stood then: nothing that came later changes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.arrivals import read_calls
from orchestration.dbt import run_dbt
from simulator.generate import generate
from tests.models.landing import land
from tests.system import copy_project

START = datetime(2026, 1, 5, tzinfo=UTC)
THEN = datetime(2026, 1, 22, 15)
# So that every segment has members within a month of simulated visits.
EASY = {
    "min_orders": {"value": "1"},
    "min_average_value": {"value": "50"},
    "min_spend": {"value": "150"},
    "min_silent_days": {"value": "3"},
}
SEGMENTS = (
    "premium_buyers", "researchers", "size_guide_abandoners", "video_demo_viewers", "vips", "win_back_candidates",
)  # fmt: skip
ASKED = ["build", "--vars", f"{{as_of: '{THEN}', movement_days: 10}}", "--select", "+segments"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two warehouses as of the same instant: one knows what came later, the other knows nothing of it."""
    calls = tmp_path_factory.mktemp("calls")
    generate(30_000, 7, START, calls / "calls.jsonl", calls / "truth.csv", span=timedelta(days=30))
    later, then = (tmp_path_factory.mktemp(name) for name in ("later", "then"))
    events = land(later, read_calls([calls / "calls.jsonl"], identify=False))
    (then / "archive" / "events").mkdir(parents=True)
    known = events.filter(pl.col("received_at") <= THEN)
    known.write_parquet(then / "archive" / "events" / "1.parquet")
    assert 0 < known.height < events.height
    project = copy_project(calls, {"segment_thresholds": EASY})
    for folder in (later, then):
        arguments = [*ASKED, "--exclude-resource-type", "unit_test", "test"]
        run_dbt(project, "warehouse", folder / "target", arguments, folder)
    return later, then


def rows(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as warehouse:
        return sorted(warehouse.execute(sql).fetchall(), key=str)


@pytest.mark.parametrize("segment", SEGMENTS)
def test_members_and_reasons_are_those_of_then(asked: tuple[Path, Path], segment: str):
    later, then = (rows(folder, f"select * from seg_{segment}") for folder in asked)

    assert later == then
    assert len(then) >= 2


def test_movements_are_those_of_then(asked: tuple[Path, Path]):
    later, then = (rows(folder, "select * from fct_segment_movements") for folder in asked)

    assert later == then
    assert len(then) == 10 * len(SEGMENTS)


def test_scores_are_those_of_then(asked: tuple[Path, Path]):
    later, then = (rows(folder, "select * from fct_customer_rfm") for folder in asked)

    assert later == then
    assert len(then) > 10
