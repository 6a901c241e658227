"""One cohort of visitors, whole: what they do, what arrives of it, and what should follow from it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import browsing, carts, truth
from simulator.browsing import Cohort
from simulator.faults import Rates, afflict
from simulator.plan import pick


@dataclass(frozen=True)
class Traffic:
    """What one cohort sends: what happened (sorted by visitor and time), repeats, broken calls, bounces."""

    parts: list[np.ndarray]
    truth: pl.DataFrame
    next_session: int
    next_page_view: int
    next_uid: int

    def __len__(self) -> int:
        return sum(map(len, self.parts))


def act(cohort: Cohort, rates: Rates, most: int | None = None) -> Traffic:
    """Let a cohort live. With `most`, only the first visitors whose events number at most so many."""
    rng = np.random.default_rng([cohort.seed, cohort.number])
    happened, items = carts.settle(browsing.wishes(cohort, rng))
    happened["uid"] = cohort.first_uid + np.arange(len(happened))
    parts = [happened, *afflict(happened, rates, rng)]
    span = [max(_span(part, column) for part in parts) for column in ("session", "page_view", "uid")]
    if most is not None and sum(map(len, parts)) > most:
        limit = _last_visitor(parts, cohort, most)
        items = items[happened["visitor"] < limit]
        parts = [pick(part, part["visitor"] < limit) for part in parts]
    happened = parts[0]
    return Traffic(parts, truth.of(happened, items, cohort.seed), *span)


def _span(events: np.ndarray, column: str) -> int:
    """One past the highest number used, so that the next cohort can count on."""
    return int(events[column].max()) + 1 if len(events) else 0


def _last_visitor(parts: list[np.ndarray], cohort: Cohort, most: int) -> int:
    """The first visitor who no longer fits into `most` events."""
    visitors = np.concatenate([part["visitor"] for part in parts])
    sizes = np.bincount(visitors - cohort.first_visitor, minlength=cohort.visitors)
    return cohort.first_visitor + int(np.searchsorted(np.cumsum(sizes), most, side="right"))
