"""A model that is a table: each range of a figure, and each page, adds its weight to the logit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from orchestration.intent.examples import Examples

MIN_VISITS, MIN_BUYERS = 200, 40
"""Fewer finished visits, or fewer that end with an order, teach nothing that lasts."""

MIN_PAGE_VISITS = 20
"""A page fewer visits opened gets no weight of its own."""

RANGES = 6
FOREVER = 1e18  # above every figure; infinity is not JSON
PENALTY = 0.3  # inverse strength of the ridge
CALIBRATION_SHARE = 0.2

TABLE = pl.Schema(
    {
        "model_version": pl.String,
        "feature": pl.String,
        "page": pl.String,
        "from_value": pl.Float64,
        "to_value": pl.Float64,
        "weight": pl.Float64,
    }
)


class TooFewVisits(ValueError):
    """Nothing is trained; the message says how much is missing."""


@dataclass(frozen=True)
class Model:
    """Weights per range of each figure (`edges` are its inner bounds) and per page; slope and shift are Platt's."""

    names: tuple[str, ...]
    edges: tuple[np.ndarray, ...]
    pages: tuple[str, ...]
    weights: np.ndarray
    bias: float
    slope: float = 1.0
    shift: float = 0.0

    def logits(self, examples: Examples) -> np.ndarray:
        """One per row, calibrated."""
        raw = _design(examples, self.edges, self.pages) @ self.weights + self.bias
        return self.slope * raw + self.shift

    def scores(self, examples: Examples) -> np.ndarray:
        """P(an order follows), one per row."""
        return 1 / (1 + np.exp(-self.logits(examples)))

    def table(self, version: str) -> pl.DataFrame:
        """The rows of the published table: TABLE."""
        rows: list[tuple] = [(version, "bias", None, None, None, self.slope * self.bias + self.shift)]
        weights = iter((self.slope * self.weights).tolist())
        for name, edges in zip(self.names, self.edges, strict=True):
            bounds = [0.0, *edges.tolist(), FOREVER]
            rows += [(version, name, None, low, high, next(weights)) for low, high in pairwise(bounds)]
        rows += [(version, "page", page, None, None, next(weights)) for page in self.pages]
        return pl.DataFrame(rows, schema=TABLE, orient="row")


def train(examples: Examples) -> Model:
    """Weights on the older visits, calibration on the newest: in production the model meets newer ones still.

    Raises TooFewVisits.
    """
    if examples.visit_count < MIN_VISITS or examples.buyers < MIN_BUYERS:
        raise TooFewVisits(
            f"{examples.visit_count} finished visits without an email, {examples.buyers} of them with an order: "
            f"{MIN_VISITS} and {MIN_BUYERS} are needed"
        )
    first, last = int(examples.visits[0]), int(examples.visits[-1]) + 1
    cut = last - round((last - first) * CALIBRATION_SHARE)
    return _calibrated(_fit(examples.of_visits(first, cut)), examples.of_visits(cut, last))


def _fit(examples: Examples) -> Model:
    from sklearn.linear_model import LogisticRegression

    edges = tuple(_edges(examples.figures[:, column]) for column in range(len(examples.names)))
    pages = _common_pages(examples)
    fitted = LogisticRegression(C=PENALTY, max_iter=1000)
    design = _design(examples, edges, pages)
    fitted.fit(design, examples.labels, sample_weight=_per_visit(examples) * 10)
    return Model(examples.names, edges, pages, fitted.coef_[0], float(fitted.intercept_[0]))


def _calibrated(model: Model, newest: Examples) -> Model:
    """Platt: a line through the logits, every visit counting once; as it is where nobody or everybody bought."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(newest.labels)) < 2:
        return model
    fitted = LogisticRegression(C=1.0, max_iter=1000)
    fitted.fit(model.logits(newest)[:, None], newest.labels, sample_weight=_per_visit(newest) * 10)
    slope = max(0.05, float(fitted.coef_[0, 0]))  # a calibration never turns the order around
    return Model(
        model.names, model.edges, model.pages, model.weights, model.bias, slope, float(fitted.intercept_[0])
    )


def _per_visit(examples: Examples) -> np.ndarray:
    """So that a visit of a hundred events does not count a hundred times."""
    _, inverse, counts = np.unique(examples.visits, return_inverse=True, return_counts=True)
    return 1.0 / counts[inverse]


def _edges(column: np.ndarray) -> np.ndarray:
    """Inner bounds between ranges with about as many rows each; a figure that never changes has none."""
    cuts = np.unique(np.quantile(column, np.linspace(0, 1, RANGES + 1)[1:-1], method="higher"))
    return cuts[cuts > column.min()] if len(column) else cuts


def _common_pages(examples: Examples) -> tuple[str, ...]:
    found = []
    for column, page in enumerate(examples.pages):
        if len(np.unique(examples.visits[examples.looks[:, column]])) >= MIN_PAGE_VISITS:
            found.append(page)
    return tuple(found)


def _design(examples: Examples, edges: tuple[np.ndarray, ...], pages: tuple[str, ...]) -> np.ndarray:
    """One column per range and per page, 1 where it applies."""
    parts = []
    for column, bounds in enumerate(edges):
        number = np.searchsorted(bounds, examples.figures[:, column], side="right")
        parts.append(np.eye(len(bounds) + 1)[number])
    chosen = [examples.pages.index(page) for page in pages]
    return np.hstack([*parts, examples.looks[:, chosen].astype(float)])
