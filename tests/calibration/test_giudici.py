"""On a recorded shop the shares are those that its recorder counted."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.calibration.calibrate import WITHIN, calibrate
from orchestration.calibration.grids import GRIDS
from orchestration.calibration.hazard import estimates
from orchestration.calibration.moments import find_moments, open_warehouse
from orchestration.calibration.proposals import propose
from orchestration.intent.publish import renew
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


def test_proposals_stand_beside_what_is_in_force_and_change_nothing(giudici: Path, tmp_path: Path):
    before = (SEEDS / "thresholds.csv").read_text()

    found = propose(giudici, SEEDS, tmp_path)

    lines = found.table.splitlines()
    assert found.recommended == 0 and len(lines) == 2 + len(GRIDS)
    assert lines[2].startswith("| cart_abandonment | 90 s | – | only 86 carts")
    assert {file.stem for file in tmp_path.glob("*.html")} == set(GRIDS)
    assert (SEEDS / "thresholds.csv").read_text() == before
    (tmp_path / "cart_abandonment.html").unlink()
    assert propose(giudici, SEEDS, tmp_path) == found
    assert not (tmp_path / "cart_abandonment.html").exists(), "of the same day, so not measured anew"


def test_the_assets_show_proposals_and_publish_the_model(
    giudici: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    shutil.copy(giudici, tmp_path)
    from orchestration.defs.outcomes.calibration import intent_model, threshold_proposals
    from orchestration.defs.resources import Kairos

    done = dg.materialize([threshold_proposals, intent_model], resources={"kairos": Kairos()})

    shown = {event.asset_key.to_user_string(): event.materialization.metadata
             for event in done.get_asset_materialization_events()}  # fmt: skip
    assert "only 86 carts" in shown["outcomes/threshold_proposals"]["proposals"].md_str
    assert shown["outcomes/intent_model"]["standing"].text == "published"
    assert (tmp_path / "published" / "intent_model.parquet").exists()


def test_before_the_first_event_there_is_nothing_to_say(giudici: Path, tmp_path: Path):
    empty = Path(shutil.copy(giudici, tmp_path))
    with duckdb.connect(str(empty)) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'main'")
        for (table,) in tables.fetchall():
            connection.execute(f"delete from {table}")

    found = propose(empty, SEEDS, tmp_path / "reports")

    assert (found.as_of, found.recommended) == (None, 0)
    assert "Nothing has landed yet" in (tmp_path / "reports" / "cart_abandonment.html").read_text()
    assert renew(empty, tmp_path, 1800).refusal == "nothing has landed yet"
