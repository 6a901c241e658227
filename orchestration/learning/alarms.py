"""Is it a fair comparison at all? If not, no lift is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLD = 0.001  # looked at often, so it must be sure


@dataclass(frozen=True)
class Alarm:
    """A probability, and whether it is too small to be chance."""

    name: str
    p: float

    @property
    def rings(self) -> bool:
        return self.p < THRESHOLD


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> Alarm:
    """Chi-squared of people per arm against the planned shares (which are normalised)."""
    from scipy.stats import chi2

    seen, planned = np.asarray(counts, float), np.asarray(shares, float)
    if seen.sum() == 0 or np.any(planned <= 0):
        return Alarm("sample_ratio", 1.0)
    expected = seen.sum() * planned / planned.sum()
    statistic = ((seen - expected) ** 2 / expected).sum()
    return Alarm("sample_ratio", float(chi2.sf(statistic, len(seen) - 1)))


def balance(name: str, categories: np.ndarray, treated: np.ndarray) -> Alarm:
    """Chi-squared of independence: is a category (tier, country, …), known before, as common in both arms?

    Head counts alone are not enough: a control drawn by the wrong hash had the right size and other people.
    """
    from scipy.stats import chi2

    _, kind = np.unique(categories, return_inverse=True)
    table = np.stack([np.bincount(kind[side], minlength=kind.max() + 1) for side in (treated, ~treated)])
    if table.shape[1] < 2 or 0 in table.sum(axis=1):
        return Alarm(name, 1.0)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    enough = expected.min(axis=0) >= 5  # the approximation needs this many; rarer ones say nothing
    if enough.sum() < 2:
        return Alarm(name, 1.0)
    statistic = ((table - expected) ** 2 / expected)[:, enough].sum()
    return Alarm(name, float(chi2.sf(statistic, int(enough.sum()) - 1)))


def balance_of_figures(name: str, figures: np.ndarray, treated: np.ndarray) -> Alarm:
    """Welch's test on a figure known before (orders, spending, visits)."""
    from scipy.stats import norm

    sides = [figures[treated], figures[~treated]]
    if min(map(len, sides)) < 2:
        return Alarm(name, 1.0)
    se = float(np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides)))
    if se == 0:
        return Alarm(name, 1.0)
    return Alarm(name, float(2 * norm.sf(abs(sides[0].mean() - sides[1].mean()) / se)))
