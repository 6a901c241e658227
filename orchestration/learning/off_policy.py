"""What another policy would have brought, from what this one did: estimates from logged propensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MIN_EFFECTIVE = 100.0


class NoEstimate(ValueError):
    """The log cannot answer; the message says why and what would help."""


@dataclass(frozen=True)
class Estimate:
    """A mean reward with its standard error."""

    name: str
    value: float
    se: float
    effective: float  # sample size after weighting

    @property
    def interval(self) -> tuple[float, float]:
        """95 %."""
        return self.value - 1.96 * self.se, self.value + 1.96 * self.se


def weights(target: np.ndarray, logged: np.ndarray) -> np.ndarray:
    """How much each logged row says about the target: its probability there over the logged propensity.

    `target`, `logged`: the probability of the action taken, shape (n,). Raises NoEstimate for a propensity that
    is missing, not positive or above 1.
    """
    if not len(logged):
        raise NoEstimate("nothing was logged")
    if not np.all(np.isfinite(logged) & (logged > 0) & (logged <= 1)):
        raise NoEstimate("propensities must lie in (0, 1]: rows without one cannot be used")
    return target / logged


def effective_size(weight: np.ndarray) -> float:
    """(sum w)^2 / sum w^2: how many unweighted rows would say as much."""
    squared = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squared if squared else 0.0


def check_support(target: np.ndarray, taken: np.ndarray, logged_arms: np.ndarray) -> None:
    """Every arm that the target wants must have been possible in the log, and must occur.

    `target`: (n, arms) probabilities of the policy asked about; `taken`: (n,) arm numbers; `logged_arms`: (arms,)
    whether an arm was offered. Raises NoEstimate.
    """
    wanted = target.sum(axis=0) > 1e-12
    unseen = wanted & ~(np.bincount(taken, minlength=target.shape[1]) > 0)
    if np.any(wanted & ~logged_arms) or np.any(unseen):
        missing = np.flatnonzero((wanted & ~logged_arms) | unseen)
        raise NoEstimate(
            f"no support: arm(s) {', '.join(map(str, missing))} were never sent; send some of them first"
        )


def estimate(
    reward: np.ndarray,
    taken: np.ndarray,
    logged: np.ndarray,
    target: np.ndarray,
    features: np.ndarray | None = None,
) -> dict[str, Estimate]:
    """IPS, SNIPS and DR of the target policy; DM beside them only to compare.

    `reward` (n,), `taken` (n,) arm numbers, `logged` (n,) propensities of what was taken, `target` (n, arms).
    `features` (n, d) help the model of rewards behind DM and DR; without them it is a mean per arm, pulled to the
    overall mean. Raises NoEstimate below 100 effective rows or without support.
    """
    rows = np.arange(len(reward))
    weight = weights(target[rows, taken], logged)
    check_support(target, taken, np.ones(target.shape[1], bool))
    effective = effective_size(weight)
    if effective < MIN_EFFECTIVE:
        raise NoEstimate(
            f"only {effective:.0f} effective rows of {len(reward)}, {MIN_EFFECTIVE:.0f} are needed: "
            "this policy differs too much from the one that sent"
        )
    modelled = _cross_fitted(reward, taken, target.shape[1], features)
    direct = (target * modelled).sum(axis=1)
    doubly = direct + weight * (reward - modelled[rows, taken])
    weighted = weight * reward
    mean = float(weighted.sum() / weight.sum())
    normalised = weight * (reward - mean) / weight.mean()
    return {
        "IPS": _mean("IPS", weighted, effective),
        "SNIPS": Estimate("SNIPS", mean, float(normalised.std(ddof=1) / np.sqrt(len(reward))), effective),
        "DR": _mean("DR", doubly, effective),
        "DM": _mean("DM", direct, effective),
    }


def _mean(name: str, values: np.ndarray, effective: float) -> Estimate:
    return Estimate(name, float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), effective)


def _cross_fitted(
    reward: np.ndarray, taken: np.ndarray, arms: int, features: np.ndarray | None
) -> np.ndarray:
    """Expected reward of each arm, shape (n, arms), each half predicted from the other."""
    half = np.arange(len(reward)) % 2 == 0
    modelled = np.empty((len(reward), arms))
    for fit in (half, ~half):
        inputs = None if features is None else (features[fit], features[~fit])
        modelled[~fit] = _predicted(reward[fit], taken[fit], arms, inputs, int((~fit).sum()))
    return modelled


def _predicted(
    reward: np.ndarray, taken: np.ndarray, arms: int, inputs: tuple[np.ndarray, np.ndarray] | None, rows: int
) -> np.ndarray:
    if inputs is None or set(np.unique(reward)) - {0.0, 1.0} or len(np.unique(reward)) < 2:
        overall, count = reward.mean(), np.bincount(taken, minlength=arms)
        total = np.bincount(taken, weights=reward, minlength=arms)
        return np.tile((total + 300 * overall) / (count + 300), (rows, 1))
    from sklearn.linear_model import LogisticRegression

    known, asked = inputs
    one_hot = np.eye(arms)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(np.hstack([known, one_hot[taken]]), reward)
    return np.column_stack(
        [
            model.predict_proba(np.hstack([asked, np.tile(one_hot[arm], (rows, 1))]))[:, 1]
            for arm in range(arms)
        ]
    )
