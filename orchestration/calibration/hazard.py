"""How many buy anyway after each silence, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import duckdb

from orchestration.calibration.grids import Grid

Z = 1.959963984540054  # 95 %, two-sided


@dataclass(frozen=True)
class Estimate:
    """One cell. Shares are of `moments`: unmailed ones that were observed long enough.

    `audience` (people) and `per_week` (moments) count everybody, mailed or not.
    """

    group: float | None
    value: float
    moments: int
    bought: int
    returned: int
    audience: int
    per_week: float

    @property
    def share(self) -> float:
        """P(buys anyway); 0 where nothing fired, with an interval that says so."""
        return self.bought / self.moments if self.moments else 0.0

    @property
    def return_share(self) -> float:
        return self.returned / self.moments if self.moments else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.bought, self.moments)


@dataclass(frozen=True)
class Observed:
    """What the estimates rest on; instants are UTC without zone, None where nothing has landed."""

    since: datetime | None
    until: datetime | None
    visitors: int
    orders: int

    @property
    def weeks(self) -> float:
        if self.since is None or self.until is None:
            return 0.0
        return (self.until - self.since).total_seconds() / 604_800


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    share, z2 = hits / trials, Z * Z
    centre = share + z2 / (2 * trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def observed(connection: duckdb.DuckDBPyConnection) -> Observed:
    """The span of all events, and how many visitors and orders there were."""
    row = connection.execute(
        "select min(received_at), max(received_at), count(distinct visitor_id) from int_visitor_events"
    ).fetchone()
    orders = connection.execute("select count(*) from fct_orders").fetchone()
    assert row is not None and orders is not None
    return Observed(*row, orders=orders[0])


def estimates(
    connection: duckdb.DuckDBPyConnection, grid: Grid, weeks: float, relation: str = "moments"
) -> list[Estimate]:
    """One per cell, in the order of the grid. `relation` has the columns of `moments` (find_moments)."""
    rows = connection.execute(
        f"""
        select
            cell,
            count(*) filter (where is_watched and is_unmailed),
            count(*) filter (where is_watched and is_unmailed and has_ordered),
            count(*) filter (where is_watched and is_unmailed and has_returned),
            count(distinct person_id),
            count(*)
        from {relation}
        group by cell
        """
    ).fetchall()
    found = {cell: figures for cell, *figures in rows}
    return [
        _estimate(cell.group, cell.value, weeks, *found.get(cell.number, [0] * 5)) for cell in grid.cells()
    ]


def _estimate(
    group: float | None, value: float, weeks: float,
    moments: int, bought: int, returned: int, audience: int, fired: int,
) -> Estimate:  # fmt: skip
    per_week = fired / weeks if weeks > 0 else 0.0
    return Estimate(group, value, moments, bought, returned, audience, per_week)
