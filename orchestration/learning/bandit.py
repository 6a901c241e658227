"""Odds of variants: hierarchical Thompson sampling with a floor, computed instead of sampled.

A slot is an email (trigger and branch or step), an arm one of its variants. What is known of a slot pulls its arms
together, what is known of an arm everywhere pulls it in each segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.learning.best import probability_best


@dataclass(frozen=True)
class Learning:
    """How odds follow from results. The defaults carry their evidence: `make prove`, docs/experiments.md."""

    exploration: float = (
        0.05  # shared evenly is what every arm gets at least: no propensity is below a K-th of it
    )
    # Posteriors are taken for this much more certain: campaigns end some day, and the floor goes on exploring. On
    # Upworthy 2 gets 51 % of what there is to gain and 8 gets 58; at 20 against 25 % and 5,000 emails, 8 loses 45
    # clicks where 2 loses 25 and even odds 125.
    sharpening: float = 8.0
    pooling: float = 300.0  # a slot's mean counts as much as the overall mean after so many emails
    strength: float = 600.0  # of the prior in emails, while there are too few tests to tell


def slot_mean(successes: float, trials: float, overall: float, learning: Learning) -> float:
    """The running mean of a slot, pulled to the overall mean while it is young."""
    return (successes + learning.pooling * overall) / (trials + learning.pooling)


def prior_strength(tests: list[tuple[np.ndarray, np.ndarray]], learning: Learning) -> float:
    """How much arms of one test are alike, in emails: empirical Bayes over (successes, trials) of past tests.

    Raw moments of relative rates, minus what chance alone would scatter. With fewer than 20 informative tests
    the answer is `learning.strength`.
    """
    scatter, noise, weights, means = [], [], [], []
    for successes, trials in tests:
        if len(trials) < 2 or trials.min() < 1 or successes.sum() == 0:
            continue
        mean = successes.sum() / trials.sum()
        relative = successes / trials / mean
        arms = len(trials)
        scatter.append(((relative - 1) ** 2).mean() * arms / (arms - 1))
        noise.append(((1 - mean) / (mean * trials)).mean())
        weights.append(1 / noise[-1])
        means.append(mean)
    if len(scatter) < 20:
        return learning.strength
    spread = float(np.average(np.array(scatter) - np.array(noise), weights=weights))
    mean = float(np.average(means, weights=weights))
    return max((1 - mean) / (mean * max(spread, 1e-4)) - 1, 1.0)


def propensities(
    successes: np.ndarray, trials: np.ndarray, prior_mean: np.ndarray, strength: float, learning: Learning
) -> np.ndarray:
    """The odds of each arm, shape (groups, arms): all arguments have or broadcast to that shape.

    Rows sum to 1, and no entry is below exploration / arms.
    """
    sharp = learning.sharpening
    mean = np.clip(np.broadcast_to(prior_mean, successes.shape), 1e-6, 1 - 1e-6)
    best = probability_best(
        sharp * (mean * strength + successes), sharp * ((1 - mean) * strength + trials - successes)
    )
    floor = learning.exploration / successes.shape[1]
    above = np.maximum(best - floor, 1e-12)
    return floor + (1 - learning.exploration) * above / above.sum(axis=1, keepdims=True)


def slot_odds(
    successes: np.ndarray, trials: np.ndarray, overall: float, strength: float, learning: Learning
) -> np.ndarray:
    """The odds in one slot: shape (segments + 1, arms), the last row for people of no known segment.

    `successes`, `trials`: (segments, arms), whole counts of settled emails. A segment's arm is pulled to what the
    arm brought in the other segments, and that to the slot's mean; its own emails count once.
    """
    mean = slot_mean(float(successes.sum()), float(trials.sum()), overall, learning)
    everyone = np.vstack([np.zeros_like(successes), successes.sum(axis=0, keepdims=True)])
    tried = np.vstack([np.zeros_like(trials), trials.sum(axis=0, keepdims=True)])
    elsewhere = everyone[-1] - np.vstack([successes, everyone[-1:]])
    others = tried[-1] - np.vstack([trials, tried[-1:]])
    prior = (mean * strength + elsewhere) / (strength + others)
    own, own_trials = everyone.copy(), tried.copy()
    own[:-1], own_trials[:-1] = successes, trials
    return propensities(own, own_trials, prior, strength, learning)


def intervals(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[lo, hi) of each arm for a draw in [0, 1); the last hi is exactly 1, whatever the sum rounds to."""
    high = np.cumsum(odds, axis=-1)
    high[..., -1] = 1.0
    return np.concatenate([np.zeros_like(high[..., :1]), high[..., :-1]], axis=-1), high
