"""What people did within some weeks, as figures to compare them by."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import numpy as np
import polars as pl

# By whom each figure is high; the order decides which one names a group when two stand out alike.
FEATURES = {
    "order_share": "buyers",
    "checkout_share": "checkout leavers",
    "cart_share": "cart fillers",
    "pricing_minutes": "price weighers",
    "studies_per_visit": "studying",
    "visits": "frequent visitors",
    "pages_per_visit": "browsers",
    "scroll_percent": "deep readers",
    "evening_share": "evening visitors",
}
MEANINGS = {
    "order_share": "share of visits with an order",
    "checkout_share": "share of visits with a checkout begun and not finished",
    "cart_share": "share of visits with something put into the cart and not bought",
    "pricing_minutes": "visible minutes on pricing pages",
    "studies_per_visit": "comparisons, questions, guides and demos per visit",
    "visits": "visits",
    "pages_per_visit": "pages per visit",
    "scroll_percent": "mean deepest point of product pages",
    "evening_share": "share of visits between 19 and 24 o'clock",
}
# Few people do these much and most hardly: without the logarithm, groups would be made of outliers.
SKEWED = ("pricing_minutes", "studies_per_visit", "visits", "pages_per_visit")


def behaviour(connection: duckdb.DuckDBPyConnection, until: datetime, days: int) -> pl.DataFrame:
    """person_id and FEATURES of everybody with a visit that began within `days` before `until` and is over.

    `connection` has the warehouse attached under this name; instants are UTC without zone.
    """
    rows = connection.execute(
        """
        select
            person_id,
            avg(case when has_order then 1.0 else 0 end),
            avg(case when has_checkout and not has_order then 1.0 else 0 end),
            avg(case when has_cart_addition and not has_order then 1.0 else 0 end),
            sum(pricing_seconds) / 60.0,
            avg(cast(study_count as double)),
            cast(count(*) as double),
            avg(cast(page_count as double)),
            avg(scroll_percent),
            avg(case when local_hour between 19 and 23 then 1.0 else 0 end)
        from warehouse.main.int_session_figures
        where started_at >= ? and settled_at <= ?
        group by person_id
        order by person_id
        """,
        [until - timedelta(days=days), until],
    ).fetchall()
    schema = {"person_id": pl.String} | dict.fromkeys(FEATURES, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def standardised(people: pl.DataFrame) -> np.ndarray:
    """People by features, each with mean 0 and standard deviation 1; a figure that is the same for all is 0."""
    columns = [np.log1p(people[name]) if name in SKEWED else people[name].to_numpy() for name in FEATURES]
    table = np.column_stack(columns)
    spread = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
