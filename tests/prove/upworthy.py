"""Thousands of real headline tests: how much of the possible gain does the bandit get, beside simpler ways?

The truth of an arm is its shrunk click rate; the traffic of a test comes in 24 batches, results after each batch.
The prior's strength is learned from the oldest third of the tests, the policies are compared on the others.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from orchestration.learning.bandit import Learning, prior_strength, propensities
from tests.prove.figures import Figure, need, percent

FILE = "upworthy_tests.jsonl.gz"
BATCHES = 24
Counts = tuple[np.ndarray, np.ndarray]  # clicks, impressions: (tests, arms)
Policy = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]
"""(clicks, impressions, share of the traffic that is over) -> odds, shape (tests, arms)."""


def read(path: Path) -> list[Counts]:
    """Properly randomised tests with two arms or more, oldest first: per test (clicks, impressions)."""
    with gzip.open(need(path), "rt") as lines:
        tests = [json.loads(line) for line in lines]
    clean = [test for test in tests if not test["suspect"] and test["srm_p"] >= 0.001]
    clean.sort(key=lambda test: test["created"])
    pairs = [
        tuple(np.array([arm[name] for arm in test["arms"]], float) for name in ("clicks", "impressions"))
        for test in clean
        if len(test["arms"]) > 1
    ]
    return [(clicks, shown) for clicks, shown in pairs if shown.min() > 0 and clicks.sum() > 0]


def policies(strength: float, overall: float, learning: Learning) -> dict[str, Policy]:
    """What is compared; all of them see the same counts."""

    def uniform(clicks: np.ndarray, shown: np.ndarray, over: float, rng: np.random.Generator) -> np.ndarray:
        return np.full(clicks.shape, 1 / clicks.shape[1])

    def winner(clicks: np.ndarray, shown: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        rate = clicks / np.maximum(shown, 1) + 1e-9 * rng.random(clicks.shape)  # ties at random
        return np.eye(clicks.shape[1])[rate.argmax(axis=1)]

    won: list[np.ndarray] = []  # the winners of the tests that are being played

    def test_then_winner(clicks, shown, over, rng):
        if over < 0.2:
            won.clear()
            return uniform(clicks, shown, over, rng)
        if not won:
            won.append(winner(clicks, shown, rng))
        return won[0]

    def greedy(clicks, shown, over, rng):
        return 0.1 * uniform(clicks, shown, over, rng) + 0.9 * winner(clicks, shown, rng)

    def bandit(chosen: Learning, prior: float, per_arm: float | None = None) -> Policy:
        def odds(clicks, shown, over, rng):
            total, shown_total = clicks.sum(axis=1, keepdims=True), shown.sum(axis=1, keepdims=True)
            mean = (total + chosen.pooling * overall) / (shown_total + chosen.pooling)
            floor = chosen if per_arm is None else replace(chosen, exploration=per_arm * clicks.shape[1])
            return propensities(clicks, shown, mean, prior, floor)

        return odds

    return {
        "uniform": uniform,
        "20 % A/B then winner": test_then_winner,
        "eps-greedy .1": greedy,
        "bandit": bandit(learning, strength),
        "bandit, sharpening 2": bandit(replace(learning, sharpening=2.0), strength),
        "bandit, 5 % per arm": bandit(learning, strength, per_arm=0.05),
        "bandit, no floor": bandit(replace(learning, exploration=0.0), strength),
    }


def play(
    tests: list[Counts], truth: list[np.ndarray], policy: Policy, traffic: float, seed: int
) -> np.ndarray:
    """Expected clicks per test under a policy, shape (tests,)."""
    rng = np.random.default_rng(seed)
    gained = np.zeros(len(tests))
    arms = np.array([len(rate) for rate in truth])
    for count in np.unique(arms):
        chosen = np.flatnonzero(arms == count)
        rates = np.stack([truth[number] for number in chosen])
        order = rng.permuted(np.tile(np.arange(count), (len(chosen), 1)), axis=1)  # stored sorted by clicks
        rates = np.take_along_axis(rates, order, axis=1)
        batch = np.array([round(traffic * tests[number][1].sum() / BATCHES) for number in chosen])
        clicks, shown = np.zeros_like(rates), np.zeros_like(rates)
        for number in range(BATCHES):
            odds = policy(clicks, shown, number / BATCHES, rng)
            sent = rng.multinomial(batch, odds / odds.sum(axis=1, keepdims=True))
            gained[chosen] += (sent * rates).sum(axis=1)
            clicks += rng.binomial(sent, rates)
            shown += sent
    return gained


def compare(
    tests: list[Counts],
    strength: float,
    overall: float,
    learning: Learning,
    traffic: float,
    names: Sequence[str] = (),
    seed: int = 1,
) -> tuple[dict[str, float], dict[str, float]]:
    """Per policy: its share of the oracle's gain over uniform, and its clicks relative to A/B then winner."""
    truth = [shrunk(clicks, shown, strength) for clicks, shown in tests]
    batches = [BATCHES * round(traffic * shown.sum() / BATCHES) for _, shown in tests]
    best = sum(size * rate.max() for size, rate in zip(batches, truth, strict=True))
    even = sum(size * rate.mean() for size, rate in zip(batches, truth, strict=True))
    clicks = {
        name: float(play(tests, truth, policy, traffic, seed).sum())
        for name, policy in policies(strength, overall, learning).items()
        if not names or name in names
    }
    base = clicks["20 % A/B then winner"]
    return (
        {name: (total - even) / (best - even) for name, total in clicks.items()},
        {name: total / base - 1 for name, total in clicks.items()},
    )


def shrunk(clicks: np.ndarray, shown: np.ndarray, strength: float) -> np.ndarray:
    """Rates as they probably are: raw ones would overstate what there is to gain."""
    mean = clicks.sum() / shown.sum()
    return (clicks + strength * mean) / (shown + strength)


def prove(data: Path, small: bool = False) -> list[Figure]:
    """Shares of the oracle's gain at the tests' own traffic and at four times as much."""
    tests = read(data / FILE)
    past, later = tests[: len(tests) // 3], tests[len(tests) // 3 :]
    learning = Learning()
    strength = prior_strength(past, learning)
    overall = sum(clicks.sum() for clicks, _ in past) / sum(shown.sum() for _, shown in past)
    later = later[:150] if small else later
    names = ("20 % A/B then winner", "bandit") if small else ()
    figures = []
    for traffic, promised in ((1.0, 0.55), (4.0, 0.75)):
        share, against = compare(later, strength, float(overall), learning, traffic, names)
        figures += _figures(share, against, traffic, promised, len(later))
    return figures


def _figures(
    share: Mapping[str, float], against: Mapping[str, float], traffic: float, promised: float, count: int
) -> list[Figure]:
    beside = ", ".join(
        f"{name} {percent(share[name])}" for name in share if name not in ("uniform", "bandit")
    )
    return [
        Figure(
            "Upworthy", f"share of the oracle's gain, traffic x{traffic:g} ({count} tests)",
            percent(share["bandit"]), f">= {percent(promised, 0)}; {beside}", share["bandit"] >= promised,
        ),
        Figure(
            "Upworthy", f"clicks against A/B then winner, traffic x{traffic:g}",
            f"{100 * against['bandit']:+.2f} %",
            ">= +3 %" if traffic == 1 else "+3 % was hoped for", against["bandit"] >= 0.03 if traffic == 1 else None,
        ),
    ]  # fmt: skip
