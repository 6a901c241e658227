"""Events of finished visits of people we did not mail, with what was known then and what came later."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

MOST_VISITS = 5_000
"""The newest: about 170,000 events, which take seconds of a core and stay below a gigabyte."""

SAME_MOMENT = 10
"""Seconds before an order that are the order: who sees the page that confirms it need not be predicted."""

KEYS = (
    "visitor_id", "session_id", "position", "customer_id", "received_at", "page", "is_first_look", "event_number",
    "order_count",
)  # fmt: skip

READ = (
    "int_intent_features", "int_visitor_events", "int_visitor_timeline", "stg_landing__contexts",
    "int_customer_states", "stg_kairos__receipts",
)  # fmt: skip

# The label looks ahead, the features do not: they are int_intent_features, whatever is in there.
_EXAMPLES = f"""
with

visits as (

    select
        visitor_id,
        session_id,
        min(received_at) as started_at,
        max(received_at) as ended_at,
        min(case when event_name = 'Order Completed' then received_at end) as first_order_at
    from int_visitor_events
    group by visitor_id, session_id

),

finished as (

    select *
    from visits
    where
        ended_at + to_seconds($gap_seconds) <= (select max(received_at) from int_visitor_events)
        and ended_at < coalesce(
            (select min(received_at) from stg_kairos__receipts where outcome = 'sent'), timestamp '9999-12-31'
        )
    order by started_at desc, visitor_id, session_id
    limit {MOST_VISITS}

)

select
    features.*,
    finished.started_at,
    finished.first_order_at is not null as has_ordered_later
from int_intent_features as features
inner join finished
    on features.visitor_id = finished.visitor_id and features.session_id = finished.session_id
where
    finished.first_order_at is null
    or features.received_at + to_seconds({SAME_MOMENT}) < finished.first_order_at
order by finished.started_at, features.visitor_id, features.session_id, features.position
"""


@dataclass(frozen=True)
class Examples:
    """Rows in order of visits' beginnings, then of events.

    figures: rows x len(names) floats. looks: rows x len(pages), 1 where the visit had opened the page. labels: 1 where
    an order follows. visits: number of the visit, ascending. pages_seen: page views so far.
    """

    names: tuple[str, ...]
    pages: tuple[str, ...]
    figures: np.ndarray
    looks: np.ndarray
    labels: np.ndarray
    visits: np.ndarray

    @property
    def pages_seen(self) -> np.ndarray:
        return self.figures[:, self.names.index("pages")]

    @property
    def visit_count(self) -> int:
        return int(self.visits[-1]) + 1 if len(self.visits) else 0

    @property
    def buyers(self) -> int:
        """Visits that end with an order."""
        return len(np.unique(self.visits[self.labels == 1]))

    def of_visits(self, first: int, last: int) -> Examples:
        """The visits from `first` up to, without, `last`."""
        return self.where((self.visits >= first) & (self.visits < last))

    def where(self, mask: np.ndarray) -> Examples:
        return Examples(
            self.names, self.pages, self.figures[mask], self.looks[mask], self.labels[mask], self.visits[mask]
        )  # fmt: skip

    def after_pages(self, count: int) -> Examples:
        """One row per visit: the event that opened its page number `count`."""
        reached = self.pages_seen >= count
        _, first = np.unique(np.where(reached, self.visits, -1), return_index=True)
        mask = np.zeros(len(self.labels), bool)
        mask[first] = True
        return self.where(mask & reached)


def read_examples(connection: duckdb.DuckDBPyConnection, gap_seconds: float) -> Examples:
    """Events before the visit's first order (SAME_MOMENT), of visits that ended before our first email.

    `connection` sees the models in READ; a visit is over `gap_seconds` after its last event.
    """
    result = connection.execute(_EXAMPLES, {"gap_seconds": gap_seconds})
    columns = [column[0] for column in result.description]
    rows = pl.DataFrame(result.fetchall(), schema=columns, orient="row", infer_schema_length=None)
    names = tuple(name for name in columns if name not in {*KEYS, "started_at", "has_ordered_later"})
    # Numbered in the order of their beginning, as the rows come.
    visit = pl.struct("visitor_id", "session_id").rle_id().cast(pl.Int64)
    rows = rows.with_columns(visit.alias("visit")) if rows.height else rows.with_columns(visit=pl.lit(0))
    pages, looks = _looks(rows)
    figures = rows.select(pl.col(names).cast(pl.Float64)).to_numpy()
    labels = rows["has_ordered_later"].cast(pl.Int8).to_numpy().astype(int)
    return Examples(names, pages, figures, looks, labels, rows["visit"].to_numpy())


def _looks(rows: pl.DataFrame) -> tuple[tuple[str, ...], np.ndarray]:
    """Which pages each visit had opened by then; all pages of these rows, train chooses among them."""
    firsts = rows.filter(pl.col("is_first_look") == 1)
    common = firsts["page"].value_counts().sort(["count", "page"], descending=[True, False]).head(200)
    pages = tuple(common["page"].to_list())
    looks = np.zeros((rows.height, len(pages)), bool)
    number = {page: column for column, page in enumerate(pages)}
    seen: set[int] = set()
    visit = None
    for row, (of, page) in enumerate(zip(rows["visit"], rows["page"], strict=True)):
        if of != visit:
            visit, seen = of, set()
        if page in number:
            seen.add(number[page])
        looks[row, list(seen)] = True
    return pages, looks
