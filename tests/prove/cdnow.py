"""Lifetime value on the data set the methods were published with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from orchestration.people.lifetime import lifetimes
from tests.prove.figures import Figure, need

FILE = "cdnow/CDNOW_sample.txt"
PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
PUBLISHED_VALUES = {"p": 6.25, "q": 3.74, "v": 15.44}


def prove(data: Path, small: bool = False) -> list[Figure]:
    """The parameters of BG/NBD and Gamma-Gamma after the first 39 weeks."""
    rows = [line.split() for line in need(data / FILE).read_text().splitlines()]
    orders = pl.DataFrame(
        {
            "customer_id": [row[1] for row in rows],
            "ordered_at": [datetime.strptime(row[2], "%Y%m%d") for row in rows],
            "order_value": [float(row[4]) for row in rows],
        }
    )
    found = lifetimes(orders, datetime(1997, 9, 30))
    if found.purchases is None or found.spending is None:
        return [Figure("CDNOW", "fit", f"refused: {found.refused or found.values_refused}", "a fit", False)]
    return [
        *[_figure(f"BG/NBD {name}", getattr(found.purchases, name), value, 0.001) for name, value in PUBLISHED.items()],
        *[_figure(f"Gamma-Gamma {name}", getattr(found.spending, name), value, 0.02) for name, value in PUBLISHED_VALUES.items()],
    ]  # fmt: skip


def _figure(what: str, measured: float, published: float, allowed: float) -> Figure:
    return Figure("CDNOW", what, f"{measured:.3f}", f"{published}", abs(measured - published) <= allowed)
