"""On a recorded shop the shares are those that its recorder counted."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.calibration.calibrate import WITHIN, calibrate
from orchestration.calibration.grids import GRIDS
from orchestration.calibration.hazard import estimates
from orchestration.calibration.moments import find_moments, open_warehouse
from orchestration.settings import ROOT
from tests.system import DATA

GRID = GRIDS["cart_abandonment"]
SEEDS = ROOT / "dbt_project" / "seeds"


def recorded(need: int, silent: int) -> tuple[int, int]:
    """(visits that fire, those of them that order later), from the recording's own answer sheet."""
    with gzip.open(DATA / "expected_giudici_cart.jsonl.gz", "rt") as lines:
        fires = [fire for line in lines for fire in json.loads(line)["fires"]]
    mine = [fire for fire in fires if (fire["need"], fire["silent_s"]) == (need, silent)]
    return len(mine), sum(fire["ordered_later"] for fire in mine)


def test_who_buys_anyway_is_as_recorded(giudici: Path):
    """There a visit fires once, here each of its carts does: with two items needed it is the same."""
    with open_warehouse(giudici) as connection:
        find_moments(connection, GRID, WITHIN)
        cells = {(cell.group, cell.value): cell for cell in estimates(connection, GRID, 1.0)}
        first = connection.execute(
            "select cell, count(*), count(*) filter (where has_ordered) from (select *, row_number() over "
            "(partition by cell, visitor_id order by fired_at) as visit_number from moments) "
            "where visit_number = 1 group by cell"
        ).fetchall()
    number = {(cell.group, cell.value): cell.number for cell in GRID.cells()}
    by_visit = {cell: (fired, bought) for cell, fired, bought in first}

    for silent in (90, 300, 1800):
        assert (cells[2, silent].moments, cells[2, silent].bought) == recorded(2, silent)
        assert by_visit[number[1, silent]] == recorded(1, silent)


def test_the_longer_the_silence_the_fewer_buy_anyway(giudici: Path):
    with open_warehouse(giudici) as connection:
        found = calibrate(connection, SEEDS, "cart_abandonment", tolerance=0.25, min_items=1)

    shares = [cell.share for cell in found.cells_of(1)]
    assert shares == sorted(shares, reverse=True)
    assert found.recommendation and found.recommendation.chosen.value == 1800
    assert found.recommendation.chosen.interval[1] == pytest.approx(0.166, abs=0.001)


def test_too_few_carts_of_two_items_are_refused(giudici: Path):
    with open_warehouse(giudici) as connection:
        found = calibrate(connection, SEEDS, "cart_abandonment", min_items=2)

    assert found.recommendation is None
    assert found.refusal.startswith("only 86 carts lay still for 30 s")


@pytest.mark.parametrize("trigger", ["time_on_page", "page_depth", "feature_exploration"])
def test_a_trigger_without_events_is_refused(giudici: Path, trigger: str):
    with open_warehouse(giudici) as connection:
        found = calibrate(connection, SEEDS, trigger, within=timedelta(hours=1))

    assert found.recommendation is None
    assert found.refusal == f"the data have no moment of {trigger}: the events it reads are missing"
