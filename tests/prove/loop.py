"""`make prove-loop`: holdout, caps and a bandit with late rewards together, in a shop whose truth is known.

Each replicate is four weeks of another shop. Assignment, odds, draws, intervals and alarms are those of production.
Every cart has one stored uniform that drives what happens with and without an email, so the true effect is exact.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orchestration.learning.alarms import balance, sample_ratio
from orchestration.learning.anytime import half_width
from orchestration.learning.assignment import in_control, unit_draws
from orchestration.learning.bandit import Learning, intervals, slot_odds
from orchestration.learning.effects import effect
from orchestration.learning.off_policy import estimate
from orchestration.settings import ROOT
from tests.prove.figures import Figure, percent, show

RESULTS = ROOT / "data" / "prove"
# Explorers, bargain hunters, loyal, VIPs: shares, carts, what happens without and with an email.
SHARES = np.array([0.45, 0.30, 0.15, 0.10])
ACTIVITY = np.array([0.8, 1.0, 1.6, 2.2])
RECOVERY = np.array([-2.6, -2.2, -1.5, -1.2])
EFFECT = np.array([0.15, 0.45, 0.40, 0.55])
ARM_EFFECT = np.array([0.0, 0.12, 0.30])
CLICKS = np.array([0.06, 0.075, 0.10])
FATIGUE = 0.12  # on the logit, per email of the last seven days
DELAY = 2  # days until a reward is known: one to settle, one for the batch
STRENGTH = 600.0


@dataclass(frozen=True)
class World:
    """`works` false: emails change nothing, as in an A/A test."""

    people: int = 8_000
    days: int = 28
    carts_per_day: float = 0.04
    held_out: float = 0.10
    cap: int = 3
    learns: bool = True
    works: bool = True


@dataclass(frozen=True)
class Carts:
    """One row per eligible cart of a replicate, in order of time; `person` numbers people."""

    day: np.ndarray
    person: np.ndarray
    is_treated: np.ndarray
    bought: np.ndarray
    clicked: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    with_email: np.ndarray  # probability to buy
    without: np.ndarray
    most_in_a_week: int
    alarms_ring: bool


def live(world: World, seed: int) -> Carts:
    """Four weeks of one shop."""
    rng = np.random.default_rng(seed)
    segment = rng.choice(len(SHARES), world.people, p=SHARES)
    rate = world.carts_per_day * ACTIVITY[segment] * rng.gamma(0.7, 1 / 0.7, world.people)
    names = [f"person-{number}" for number in range(world.people)]
    held_out = in_control(f"loop-{seed}", names, world.held_out)
    sent = np.zeros((world.days, world.people), bool)
    counts = np.zeros((2, world.days, len(SHARES), len(ARM_EFFECT)))  # emails and clicks by day
    days = [_day(world, seed, day, rng, segment, rate, held_out, sent, counts) for day in range(world.days)]
    columns = [np.concatenate(parts) for parts in zip(*days, strict=True)]
    week = np.lib.stride_tricks.sliding_window_view(sent, 7, axis=0).sum(axis=2)
    treated_people = ~held_out
    alarms = (
        sample_ratio([int(treated_people.sum()), int(held_out.sum())], [1 - world.held_out, world.held_out]),
        balance("segment", segment, treated_people),
    )
    return Carts(*columns, int(week.max()), any(alarm.rings for alarm in alarms))


def _day(world, seed, day, rng, segment, rate, held_out, sent, counts) -> tuple[np.ndarray, ...]:
    """Whose cart is left today, what they are sent, and what they do. Ghosts count under the cap as emails do."""
    recent = sent[max(0, day - 6) : day].sum(axis=0)
    left = rng.random(world.people) < 1 - np.exp(-rate)
    value, buys, clicks = (
        rng.lognormal(3.9, 0.8, world.people),
        rng.random(world.people),
        rng.random(world.people),
    )
    who = np.flatnonzero(left & (recent < world.cap))
    sent[day, who] = True
    odds = _odds(world, counts, day)[segment[who]]
    draw = unit_draws("bandit", [f"{seed}/{day}/{person}" for person in who])
    low, high = intervals(odds)
    arm = ((draw[:, None] >= low) & (draw[:, None] < high)).argmax(axis=1)
    base = RECOVERY[segment[who]] + 0.25 * np.log1p(value[who] / 80)
    push = EFFECT[segment[who]] + ARM_EFFECT[arm] - FATIGUE * recent[who] if world.works else 0.0
    without, with_email = _chance(base), _chance(base + push)
    treated = ~held_out[who]
    bought = buys[who] < np.where(treated, with_email, without)
    clicked = treated & (clicks[who] < CLICKS[arm])
    for number, happened in ((0, treated), (1, clicked)):
        np.add.at(counts[number, day], (segment[who[happened]], arm[happened]), 1)
    chosen = (high - low)[np.arange(len(who)), arm]
    return np.full(len(who), day), who, treated, bought, clicked, arm, chosen, with_email, without


def _odds(world: World, counts: np.ndarray, day: int) -> np.ndarray:
    """Odds by segment, from what is settled."""
    if not world.learns:
        return np.full((len(SHARES), len(ARM_EFFECT)), 1 / len(ARM_EFFECT))
    trials, successes = (
        counts[:, : max(0, day - DELAY + 1)].sum(axis=1) if day >= DELAY else np.zeros_like(counts[:, 0])
    )
    overall = (successes.sum() + 1) / (trials.sum() + 50)
    return slot_odds(successes, trials, overall, STRENGTH, Learning())[:-1]


def _chance(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


@dataclass(frozen=True)
class Verdict:
    """What one replicate says of the methods."""

    covers: bool
    covers_relative: bool
    anytime_covers: bool  # at all daily looks
    naive_covers: bool  # the fixed interval, looked at each day
    covers_off_policy: bool
    most_in_a_week: int
    alarms_ring: bool
    true_lift: float
    estimated_lift: float
    best_arm_share: float
    mailed_chance: float


def judge(world: World, carts: Carts) -> Verdict:
    """Compare what production would print with the truth."""
    bought = carts.bought.astype(float)
    truth = float((carts.with_email - carts.without).mean())
    found = effect(bought, carts.is_treated, carts.person)
    relative_truth = float(carts.with_email.mean() / carts.without.mean() - 1)
    relative = found.relative_interval or (-np.inf, np.inf)
    looks = [_look(world, carts, bought, day) for day in range(world.days)]
    mailed = carts.is_treated
    uniform = np.full((int(mailed.sum()), len(ARM_EFFECT)), 1 / len(ARM_EFFECT))
    snips = estimate(
        carts.clicked[mailed].astype(float), carts.arm[mailed], carts.propensity[mailed], uniform
    )["SNIPS"]
    return Verdict(
        covers=found.interval[0] <= truth <= found.interval[1],
        covers_relative=relative[0] <= relative_truth <= relative[1],
        anytime_covers=all(anytime for anytime, _ in looks),
        naive_covers=all(naive for _, naive in looks),
        covers_off_policy=snips.interval[0] <= CLICKS.mean() <= snips.interval[1],
        most_in_a_week=carts.most_in_a_week,
        alarms_ring=carts.alarms_ring,
        true_lift=truth,
        estimated_lift=found.lift,
        best_arm_share=float((carts.arm == 2).mean()),
        mailed_chance=float(carts.with_email.mean()),
    )


def _look(world: World, carts: Carts, bought: np.ndarray, day: int) -> tuple[bool, bool]:
    """Whether the interval that holds at every look covers the truth of today, and whether the fixed one does.

    What is not printed, since it is too early, does not mislead anybody.
    """
    so_far = carts.day <= day
    truth = float((carts.with_email - carts.without)[so_far].mean())
    found = effect(bought[so_far], carts.is_treated[so_far], carts.person[so_far])
    if not found.is_enough:
        return True, True
    planned = world.people * world.days * world.carts_per_day
    error = abs(found.lift - truth)
    return error <= half_width(found.se, int(so_far.sum()), planned), error <= 1.96 * found.se


def run(world: World, replicates: int, first_seed: int = 1) -> list[Verdict]:
    """Shops one after another."""
    from rich.progress import track

    seeds = range(first_seed, first_seed + replicates)
    return [judge(world, live(world, seed)) for seed in track(seeds, description="shops", transient=True)]


def figures(
    working: list[Verdict], without_effect: list[Verdict], even: list[Verdict], cap: int
) -> list[Figure]:
    """The promises, with how sure so many replicates are of them."""

    def share(verdicts: list[Verdict], name: str) -> float:
        return float(np.mean([getattr(verdict, name) for verdict in verdicts]))

    count, blank = len(working), len(without_effect)
    error = 1.96 * np.sqrt(0.05 * 0.95 / count)
    false_alarms = 1 - share(without_effect, "anytime_covers")
    naive = 1 - share(without_effect, "naive_covers")
    truths = np.array([[one.true_lift, one.estimated_lift] for one in working])
    bias = float((truths[:, 1] - truths[:, 0]).mean())
    most = max(one.most_in_a_week for one in (*working, *without_effect))
    gained = share(working, "mailed_chance") / share(even, "mailed_chance") - 1
    everyone = (*working, *without_effect, *even)
    ringing = float(np.mean([one.alarms_ring for one in everyone]))
    figures = [
        _coverage("95 % interval covers the true lift", share(working, "covers"), error, count),
        _coverage("… the relative lift", share(working, "covers_relative"), error, count),
        _coverage("95 % interval of SNIPS covers the uniform policy's clicks", share(working, "covers_off_policy"), error, count, 0.93, 0.97),
        Figure("loop", f"confidence sequence covers at all daily looks, {count} shops", percent(share(working, "anytime_covers")), ">= 95 %", share(working, "anytime_covers") >= 0.95),
        Figure("loop", f"false alarms in 28 daily looks, {blank} shops without effect", percent(false_alarms), f"<= 5 %; the fixed interval, looked at as often: {percent(naive)}", false_alarms <= 0.05),
        Figure("loop", "most emails and ghosts of one person in 7 days", str(most), f"<= {cap}", most <= cap),
        Figure("loop", "true lift, mean; bias of the estimate", f"{100 * truths[:, 0].mean():.2f} pt; {100 * bias:+.3f} pt", "bias near 0"),
        Figure("loop", "emails of the best arm", percent(share(working, "best_arm_share")), f"{percent(1 / len(ARM_EFFECT))} when drawn evenly"),
        Figure("loop", "recoveries of the mailed, learned against even", f"{100 * gained:+.1f} %", "> 0", gained > 0),
        Figure("loop", f"fairness alarms that ring, {len(everyone)} fair shops", percent(ringing, 2), "about .2 %", ringing <= 0.01),
    ]  # fmt: skip
    return figures


def _coverage(
    what: str, measured: float, error: float, count: int, low: float = 0.94, high: float = 0.96
) -> Figure:
    """A share of so many replicates is only known up to chance: a promise is broken if even that does not reach it."""
    holds = low - error <= measured <= high + error
    return Figure(
        "loop",
        f"{what}, {count} shops",
        percent(measured),
        f"{percent(low, 0)} to {percent(high, 0)} (± {percent(error)})",
        holds,
    )


def main() -> int:
    """Run it, print the table, keep the figures."""
    parser = argparse.ArgumentParser(prog="make prove-loop", description=__doc__)
    parser.add_argument("--replicates", type=int, default=600)
    count = parser.parse_args().replicates
    world = World()
    found = figures(
        run(world, count),
        run(World(works=False), count, 10_001),
        run(World(learns=False), max(count // 5, 10)),
        world.cap,
    )
    show(found)
    write(found, RESULTS / "loop.json")
    return int(any(figure.holds is False for figure in found))


def write(found: list[Figure], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([figure.as_json() for figure in found], indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
