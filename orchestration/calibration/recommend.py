"""The smallest silence after which few enough buy anyway, or why none can be named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.calibration.grids import Grid
from orchestration.calibration.hazard import Estimate, Observed

WITH_COUPON, WITHOUT_COUPON = 0.10, 0.25
"""How many may buy anyway: a coupon they did not need is money given away, a reminder only a nuisance."""

MIN_MOMENTS = 100
"""At the shortest silence; with fewer the data are an anecdote, whatever the interval says."""

MAX_WIDTH = 0.20
"""Of the interval at the silence that is named: one share in five is no figure to decide by."""


class TooThin(ValueError):
    """No recommendation; the message says what is missing."""


@dataclass(frozen=True)
class Recommendation:
    """What to write into thresholds.csv, and why."""

    grid: Grid
    chosen: Estimate
    tolerance: float
    observed: Observed
    within_hours: float

    @property
    def reason(self) -> str:
        """For the column `reason`: one line, no figure that is not measured."""
        low, high = self.chosen.interval
        return (
            f"Calibrated on {self.observed.visitors} visitors from {self.observed.since:%Y-%m-%d} "
            f"to {self.observed.until:%Y-%m-%d}: of {self.chosen.moments} {self.grid.moment} "
            f"of {self.chosen.group or 0:g} or more items that lay still for {self.chosen.value:g} s, "
            f"{self.chosen.share:.1%} were bought without an email within {self.within_hours:g} h "
            f"(95 %: {low:.1%} to {high:.1%}); tolerated are {self.tolerance:.0%}."
        )


def recommend(
    grid: Grid, cells: Sequence[Estimate], group: float | None, tolerance: float, seen: Observed, hours: float
) -> Recommendation:
    """The smallest value of `group` whose upper bound is at most `tolerance`, and that no larger one contradicts.

    Raises TooThin where the data do not carry a recommendation.
    """
    if not any(cell.moments for cell in cells):
        raise TooThin(f"the data have no moment of {grid.trigger}: the events it reads are missing")
    if not grid.falls:
        raise TooThin(
            f"{grid.trigger} gets no recommendation: its number chooses how many emails go out, not who buys anyway; "
            "read the table"
        )
    mine = [cell for cell in cells if cell.group == group]
    _enough(grid, mine)
    chosen = _smallest(mine, tolerance)
    if chosen is None:
        raise TooThin(_nothing_holds(mine, tolerance))
    return Recommendation(grid, chosen, tolerance, seen, hours)


def _enough(grid: Grid, cells: Sequence[Estimate]) -> None:
    if not cells:
        raise TooThin("this item count was not tried")
    if cells[0].moments < MIN_MOMENTS:
        raise TooThin(
            f"only {cells[0].moments} {grid.moment} lay still for {cells[0].value:g} s, "
            f"{MIN_MOMENTS} are needed: wait for more traffic, or ask about carts of fewer items"
        )


def _smallest(cells: Sequence[Estimate], tolerance: float) -> Estimate | None:
    for number, cell in enumerate(cells):
        low, high = cell.interval
        # A larger silence whose share itself lies above the tolerance makes this one a lucky draw.
        is_steady = all(later.share <= tolerance for later in cells[number:])
        if high <= tolerance and high - low <= MAX_WIDTH and is_steady:
            return cell
    return None


def _nothing_holds(cells: Sequence[Estimate], tolerance: float) -> str:
    best = min(cells, key=lambda cell: cell.interval[1])
    low, high = best.interval
    return (
        f"no silence up to {cells[-1].value:g} s is sure to keep the share that buys anyway within "
        f"{tolerance:.0%}: the best is {best.value:g} s with {best.share:.1%} (95 %: {low:.1%} to {high:.1%}, "
        f"{best.moments} moments); raise the tolerance or wait for more traffic"
    )
