"""What was planted in a made-up shop is found again, and what must not be looked at is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.arrivals import Arrival
from orchestration.calibration.calibrate import WITHIN
from orchestration.calibration.grids import GRIDS, Grid
from orchestration.calibration.hazard import estimates, observed
from orchestration.calibration.moments import find_moments, open_warehouse
from orchestration.calibration.recommend import recommend
from orchestration.calibration.warehouse import MODELS
from orchestration.dbt import run_dbt
from orchestration.live.events import own_event
from orchestration.recorded import land
from orchestration.settings import ROOT
from tests.calibration.shops import SPAN, START, Shop, happens, signs_in

GRID: Grid = GRIDS["cart_abandonment"]
TOLERANCE = 0.25
PLANTED = {200.0: 300, 450.0: 600, 1300.0: 1800}
"""Where the share crosses the tolerance, and the first silence of the grid beyond it."""
SHOPS = [
    Shop(f"shop{seed}-{crossing:g}", seed, crossing, TOLERANCE, 1_500)
    for seed in (1, 2, 3)
    for crossing in PLANTED
]
AFTERWARDS = START + SPAN + timedelta(days=1)
"""When the shop mails for the first time."""


def later_visitors() -> Iterator[Arrival]:
    """After the first email: one who could be mailed, two who could not, and one whose time is too short."""
    began = AFTERWARDS + timedelta(hours=1)
    yield signs_in("after-mailable", began, consent=True)
    yield signs_in("after-refused", began, consent=False)
    for visitor in ("after-mailable", "after-refused", "after-unknown"):
        yield happens(visitor, "Product Added", began)
    end = began + timedelta(hours=5)
    yield happens("after-late", "Product Added", end - timedelta(hours=1))
    yield happens("somebody", "Product Viewed", end)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """All shops in one warehouse, with the moments of every silence."""
    folder = tmp_path_factory.mktemp("planted")
    calls = [call for shop in SHOPS for call in shop.calls()] + list(later_visitors())
    land(folder, sorted(calls, key=lambda call: call.at), [])
    first = land_email(folder)
    assert first == 1
    selection = ["--select", *MODELS, "--exclude-resource-type", "test", "unit_test"]
    run_dbt(ROOT / "dbt_project", "warehouse", folder / "target", ["build", *selection], folder)
    with open_warehouse(folder / "warehouse.duckdb") as opened:
        find_moments(opened, GRID, WITHIN)
        yield opened


def land_email(folder: Path) -> int:
    """Our first email, into a file of its own behind everything: what counts is when it was sent."""
    import polars as pl

    from collector.log.base import Frame
    from orchestration.live.decode import decode

    sent = own_event(
        "Email Sent", message_id="d.sent", at=AFTERWARDS, anonymous_id="shop1-200-0", user_id=None,
        properties={"decision_id": "d", "trigger_name": "cart_abandonment", "touch": 1},
    )  # fmt: skip
    stamped = b'{"received_at":"' + AFTERWARDS.isoformat().encode() + b'",' + sent[1:]
    events: pl.DataFrame = decode([Frame(10_000_000, stamped)]).events
    events.write_parquet(folder / "archive" / "events" / "000000000002.parquet")
    return events.height


def of(visitors: str) -> str:
    return f"(select * from moments where visitor_id like '{visitors}-%')"


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.name)
def test_the_planted_silence_is_found_within_a_step_of_the_grid(
    connection: duckdb.DuckDBPyConnection, shop: Shop
):
    cells = estimates(connection, GRID, 1.0, of(shop.name))

    found = recommend(GRID, cells, 1, TOLERANCE, observed(connection), 2)

    assert found.chosen.value == PLANTED[shop.crossing]


def test_the_interval_holds_the_planted_share_as_often_as_it_says(connection: duckdb.DuckDBPyConnection):
    """95 % of 99 cells; those of one shop are not independent of each other, hence the room."""
    cells = [
        (cell, shop.share(cell.value))
        for shop in SHOPS
        for cell in estimates(connection, GRID, 1.0, of(shop.name))
        if cell.group == 1
    ]

    held = [cell for cell, truth in cells if cell.interval[0] <= truth <= cell.interval[1]]

    assert len(cells) == len(SHOPS) * len(GRID.values)
    assert len(held) / len(cells) >= 0.88


def test_who_could_be_mailed_is_left_out_and_so_is_who_was_not_watched(
    connection: duckdb.DuckDBPyConnection,
):
    rows = connection.execute(
        "select visitor_id, is_watched, is_unmailed from moments where visitor_id like 'after-%' and cell = 1"
    ).fetchall()

    assert {visitor: flags for visitor, *flags in rows} == {
        "after-mailable": [True, False],
        "after-refused": [True, True],
        "after-unknown": [True, True],
        "after-late": [False, True],
    }
    counted = estimates(connection, GRID, 1.0, of("after"))[0]
    assert (counted.moments, counted.audience, counted.per_week) == (2, 4, 4.0)
