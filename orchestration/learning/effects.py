"""What an email brought: arm against control, with intervals. Without a control there is no effect to print."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054
# All intervals lean on the normal distribution, which a handful of purchases does not follow: in simulated shops the
# one that should err once in twenty at any look erred once in nine while the first days were looked at, too.
MIN_PEOPLE = 100
MIN_HAPPENED = 20


class NoControl(ValueError):
    """Nobody was left out, so nothing can be said about what the emails caused."""


@dataclass(frozen=True)
class Arm:
    """The mean of one arm, and its variance with all rows of a person taken together."""

    rows: int
    people: int
    happened: int  # rows that are not zero
    mean: float
    variance: float


@dataclass(frozen=True)
class Effect:
    """Treated minus control, per eligible row (intention to treat), and the same relative to control."""

    treated: Arm
    control: Arm
    lift: float
    se: float

    @property
    def is_enough(self) -> bool:
        """Whether both arms are large enough for any of the intervals to mean what it says."""
        arms = (self.treated, self.control)
        return all(arm.people >= MIN_PEOPLE and arm.happened >= MIN_HAPPENED for arm in arms)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, for one look at the planned end."""
        return self.lift - Z * self.se, self.lift + Z * self.se

    @property
    def relative(self) -> float | None:
        """+0.4 is 40 % more; None where nothing happened in one of the arms."""
        if self.treated.mean <= 0 or self.control.mean <= 0:
            return None
        return self.treated.mean / self.control.mean - 1

    @property
    def relative_interval(self) -> tuple[float, float] | None:
        """95 %, on the scale of the logarithm, where a ratio is nearly normal."""
        if self.relative is None:
            return None
        log = math.log(self.treated.mean / self.control.mean)
        se = math.sqrt(
            self.treated.variance / self.treated.mean**2 + self.control.variance / self.control.mean**2
        )
        return math.exp(log - Z * se) - 1, math.exp(log + Z * se) - 1

    @property
    def incremental_share(self) -> float | None:
        """How much of what the treated did is caused by the emails; the rest would have come anyway."""
        return self.lift / self.treated.mean if self.treated.mean > 0 else None


def arm(outcome: np.ndarray, person: np.ndarray | None = None) -> Arm:
    """One arm; `person` (n,) says whose row it is, since rows of one person go together. Rows alone otherwise.

    Raises NoControl for an arm without two people.
    """
    rows = len(outcome)
    if rows == 0:
        raise NoControl("not measurable: an arm without people (no control)")
    mean = float(outcome.mean())
    if person is None:
        totals = outcome - mean
    else:
        _, number = np.unique(person, return_inverse=True)
        totals = np.bincount(number, weights=outcome - mean)
    people = len(totals)
    if people < 2:
        raise NoControl("not measurable: an arm of one person has no spread")
    variance = float((totals**2).sum()) / rows**2 * people / (people - 1)
    return Arm(rows, people, int(np.count_nonzero(outcome)), mean, variance)


def effect(outcome: np.ndarray, treated: np.ndarray, person: np.ndarray | None = None) -> Effect:
    """Intention to treat: everybody counts where they were assigned, whatever reached them.

    `outcome` (n,), `treated` (n,) booleans, `person` (n,) for clustered errors. Raises NoControl.
    """
    arms = [arm(outcome[side], None if person is None else person[side]) for side in (treated, ~treated)]
    return Effect(*arms, arms[0].mean - arms[1].mean, math.sqrt(arms[0].variance + arms[1].variance))


def adjusted(
    outcome: np.ndarray, treated: np.ndarray, covariates: np.ndarray, person: np.ndarray | None = None
) -> tuple[float, float]:
    """Lift and standard error after Lin's regression: Y on T, centred X and T times centred X.

    With what the same people did before as X this is CUPED. Covariates must be from before the assignment.
    `covariates` (n, d). The error is clustered by `person`.
    """
    centred = covariates - covariates.mean(axis=0)
    side = treated.astype(float)[:, None]
    design = np.hstack([np.ones_like(side), side, centred, side * centred])
    inverse = np.linalg.pinv(design.T @ design)
    residual = outcome - design @ (inverse @ (design.T @ outcome))
    scores = design * residual[:, None]
    if person is not None:
        _, number = np.unique(person, return_inverse=True)
        scores = np.column_stack([np.bincount(number, weights=column) for column in scores.T])
    groups = len(scores)
    variance = inverse @ (scores.T @ scores) @ inverse * groups / max(groups - design.shape[1], 1)
    lift = float((inverse @ (design.T @ outcome))[1])
    return lift, math.sqrt(float(variance[1, 1]))
