"""One trigger's grid, measured and judged."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import duckdb

from orchestration.calibration.grids import GRIDS, Grid
from orchestration.calibration.hazard import Estimate, Observed, estimates, observed
from orchestration.calibration.moments import find_moments
from orchestration.calibration.recommend import (
    WITH_COUPON,
    WITHOUT_COUPON,
    Recommendation,
    TooThin,
    recommend,
)
from orchestration.calibration.seed_patch import changed, row_of

WITHIN = timedelta(hours=2)
"""So long after the moment an order counts as "bought anyway": the same sitting, whatever ids its visits got."""


@dataclass(frozen=True)
class Calibration:
    """What was measured, what is in force, and what follows; `recommendation` is None where `refusal` says why."""

    grid: Grid
    cells: Sequence[Estimate]
    observed: Observed
    group: float | None
    in_force: float
    tolerance: float
    within: timedelta
    recommendation: Recommendation | None
    refusal: str = ""

    @property
    def moments(self) -> int:
        """The most that any cell has."""
        return max((cell.moments for cell in self.cells), default=0)

    def cells_of(self, group: float | None) -> list[Estimate]:
        return [cell for cell in self.cells if cell.group == group]


def calibrate(
    connection: duckdb.DuckDBPyConnection,
    seeds: Path,
    trigger: str,
    tolerance: float | None = None,
    min_items: float | None = None,
    within: timedelta = WITHIN,
) -> Calibration:
    """Measure the grid on what `connection` sees (open_warehouse) and judge it against the seeds in force.

    Without `tolerance` it is that of a first email with or without a coupon; without `min_items`, that of the seed.
    """
    row = row_of((seeds / "thresholds.csv").read_text(), trigger)
    grid, group = _with_in_force(GRIDS[trigger], row, min_items)
    tolerance = default_tolerance(seeds, trigger) if tolerance is None else tolerance
    find_moments(connection, grid, within)
    seen = observed(connection)
    cells = estimates(connection, grid, seen.weeks)
    found, refusal = None, ""
    try:
        found = recommend(grid, cells, group, tolerance, seen, within.total_seconds() / 3600)
    except TooThin as error:
        refusal = str(error)
    return Calibration(grid, cells, seen, group, float(row[grid.column]), tolerance, within, found, refusal)


def _with_in_force(grid: Grid, row: dict[str, str], min_items: float | None) -> tuple[Grid, float | None]:
    """The grid with what is in force among its values, and the group that is asked about."""
    values = tuple(sorted({*grid.values, float(row[grid.column])}))
    if grid.group_column is None:
        return replace(grid, values=values), None
    group = min_items if min_items is not None else float(row[grid.group_column])
    return replace(grid, values=values, groups=tuple(sorted({*grid.groups, group}))), group


def default_tolerance(seeds: Path, trigger: str) -> float:
    """0.10 where a first email of this trigger carries a coupon, else 0.25."""
    coupons = {row["offer"] for row in _rows(seeds / "offers.csv")}
    offers = {row["offer"] for row in _rows(seeds / "routes.csv") if row["trigger_name"] == trigger}
    return WITH_COUPON if coupons & offers else WITHOUT_COUPON


def seed_change(found: Calibration, seeds: Path) -> tuple[str, str]:
    """(thresholds.csv as it is, as it would be); raises TooThin where nothing is recommended."""
    if found.recommendation is None:
        raise TooThin(found.refusal)
    chosen = found.recommendation.chosen
    values = {found.grid.column: f"{chosen.value:g}", "reason": found.recommendation.reason}
    if found.grid.group_column and chosen.group is not None:
        values[found.grid.group_column] = f"{chosen.group:g}"
    before = (seeds / "thresholds.csv").read_text()
    return before, changed(before, found.grid.trigger, values)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
