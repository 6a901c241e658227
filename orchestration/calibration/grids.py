"""What is tried for each trigger: the numbers of a row of thresholds.csv, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SILENCES = (30, 60, 90, 120, 180, 300, 600, 900, 1200, 1800, 2700)


@dataclass(frozen=True)
class Grid:
    """The column that is tried and its values, ascending; `groups` are tried with each of them.

    `falls`: more of it means fewer people who buy anyway, so that a smallest value can be recommended.
    """

    trigger: str
    column: str
    values: tuple[float, ...]
    unit: str
    moment: str
    group_column: str | None = None
    groups: tuple[float, ...] = ()
    falls: bool = False

    def cells(self) -> Iterator[Cell]:
        """Every combination, numbered from 1."""
        pairs = ((group, value) for group in self.groups or (None,) for value in self.values)
        for number, (group, value) in enumerate(pairs, 1):
            yield Cell(number, group, value)


@dataclass(frozen=True)
class Cell:
    """One row of thresholds.csv that is tried."""

    number: int
    group: float | None
    value: float


GRIDS = {
    grid.trigger: grid
    for grid in (
        Grid("cart_abandonment", "min_seconds", SILENCES, "s of silence", "carts", "min_items", (1, 2), True),
        Grid("time_on_page", "min_seconds", (30, 60, 120, 180, 240, 300, 600), "s of visible time", "visits"),
        Grid("page_depth", "min_scroll_percent", (25, 50, 60, 70, 80, 90, 100), "% of the page", "visits"),
        Grid("feature_exploration", "min_interactions", (1, 2, 3, 4, 5, 6, 8), "features", "visits"),
    )
}
