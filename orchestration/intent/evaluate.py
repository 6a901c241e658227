"""How good is it on visits that came later than everything it was trained on?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from orchestration.intent.examples import Examples
from orchestration.intent.model import Model, train

AFTER_PAGES = (1, 2, 3, 5, 8, 12)
FOLDS = 4
FIRST_SHARE = 0.4


@dataclass(frozen=True)
class Figures:
    """After so many pages: visits, share of buyers, and how well they were told apart and predicted."""

    after_pages: int
    visits: int
    base_rate: float
    auc: float
    auc_interval: tuple[float, float]
    average_precision: float
    brier_skill: float
    calibration_error: float


def evaluate(examples: Examples) -> list[Figures]:
    """Train on the first 40 % of visits and score the next 15 %, then on 55 %, and so on; figures over all scored.

    Never a random split: it would let the model know the season it is asked about. Raises TooFewVisits.
    """
    scored = [(model, part) for model, part in _later_parts(examples)]
    return [found for count in AFTER_PAGES if (found := _figures(scored, count)) is not None]


def _later_parts(examples: Examples) -> Iterator[tuple[Model, Examples]]:
    total = examples.visit_count
    bounds = [round(total * (FIRST_SHARE + (1 - FIRST_SHARE) * fold / FOLDS)) for fold in range(FOLDS + 1)]
    for known, until in pairwise(bounds):
        yield train(examples.of_visits(0, known)), examples.of_visits(known, until)


def _figures(scored: list[tuple[Model, Examples]], count: int) -> Figures | None:
    from sklearn.metrics import average_precision_score

    parts = [(model, part.after_pages(count)) for model, part in scored]
    scores = np.concatenate([model.scores(part) for model, part in parts])
    labels = np.concatenate([part.labels for _, part in parts])
    if len(np.unique(labels)) < 2:
        return None
    base = float(labels.mean())
    brier, ignorant = float(np.mean((scores - labels) ** 2)), base * (1 - base)
    area = auc(scores, labels)
    spread = 1.96 * _auc_error(area, int(labels.sum()), int((1 - labels).sum()))
    return Figures(
        count, len(labels), base, area, (area - spread, min(1.0, area + spread)),
        float(average_precision_score(labels, scores)), 1 - brier / ignorant, calibration_error(scores, labels),
    )  # fmt: skip


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """How often a buyer scores above somebody else; ties count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def _auc_error(area: float, buyers: int, others: int) -> float:
    """Hanley and McNeil, 1982."""
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (buyers - 1) * (q1 - area**2) + (others - 1) * (q2 - area**2)
    return float(np.sqrt(variance / (buyers * others)))


def calibration_error(scores: np.ndarray, labels: np.ndarray, parts: int = 5) -> float:
    """Mean distance between what was said and what came, over equally large parts by score."""
    order = np.argsort(scores, kind="stable")
    chunks = [chunk for chunk in np.array_split(order, parts) if len(chunk)]
    gaps = [len(chunk) * abs(scores[chunk].mean() - labels[chunk].mean()) for chunk in chunks]
    return float(sum(gaps) / len(order))
