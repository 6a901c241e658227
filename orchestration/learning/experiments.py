"""What experiments say so far: first whether the comparison is fair, then the lift with its intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from orchestration.learning.alarms import Alarm, balance, balance_of_figures, sample_ratio
from orchestration.learning.anytime import half_width
from orchestration.learning.effects import MIN_HAPPENED, Effect, NoControl, adjusted, effect
from orchestration.learning.reading import read

# A confidence sequence is tightest at half of so many people: what ten percent more of an eighteenth takes.
PLANNED = 40_000
OUTCOMES = ("is_converted", "revenue")


@dataclass(frozen=True)
class Lift:
    """What the emails did to one outcome, per person who would have been mailed."""

    outcome: str
    effect: Effect
    anytime: float  # half the width that holds at every look
    adjusted: float  # the lift after covariates, and its standard error
    adjusted_se: float

    @property
    def is_certain(self) -> bool:
        """The interval that holds at every look is on one side of zero."""
        return abs(self.effect.lift) > self.anytime


@dataclass(frozen=True)
class Result:
    """One experiment; without `lifts` there is a reason."""

    experiment: str
    kind: str
    treated: int
    control: int
    alarms: tuple[Alarm, ...] = ()
    lifts: tuple[Lift, ...] = ()
    reason: str = ""

    @property
    def is_fair(self) -> bool:
        return not any(alarm.rings for alarm in self.alarms)


def read_people(warehouse: Path) -> pl.DataFrame:
    """fct_experiment_people. Raises duckdb.Error where the warehouse is missing or was never built."""
    return read(warehouse, "select * from fct_experiment_people order by experiment, person_id")


def measure(people: pl.DataFrame) -> list[Result]:
    """Every experiment in `people`, shaped as fct_experiment_people."""
    groups = people.sort("experiment", "person_id").group_by("experiment", maintain_order=True)
    return [_measured(str(name), group) for (name,), group in groups]


def _measured(name: str, people: pl.DataFrame) -> Result:
    control = people["is_control"].to_numpy()
    counts = int((~control).sum()), int(control.sum())
    alarms = tuple(_alarms(people, control, counts))
    result = Result(name, people["kind"][0], *counts, alarms)
    settled = people.filter("is_settled")
    try:
        lifts = tuple(_lift(settled, outcome) for outcome in OUTCOMES)
    except NoControl as error:
        return _without(result, f"{error}; {settled.height} people have had their days")
    if not lifts[0].effect.is_enough:
        return _without(
            result, f"too early: {MIN_HAPPENED} buyers are needed on each side, {_buyers(lifts[0])} so far"
        )
    if not result.is_fair:
        ringing = ", ".join(alarm.name for alarm in alarms if alarm.rings)
        return _without(result, f"the arms are not alike ({ringing}): find out why before believing any lift")
    return Result(name, result.kind, *counts, alarms, lifts)


def _buyers(lift: Lift) -> str:
    return f"{lift.effect.treated.happened} and {lift.effect.control.happened}"


def _without(result: Result, reason: str) -> Result:
    return Result(result.experiment, result.kind, result.treated, result.control, result.alarms, (), reason)


def _alarms(people: pl.DataFrame, control: np.ndarray, counts: tuple[int, int]) -> Iterator[Alarm]:
    share = float(people["share"][0])
    yield sample_ratio(counts, (1 - share, share))
    for column in ("segment", "country"):
        yield balance(f"balance_of_{column}", people[column].fill_null("").to_numpy(), ~control)
    yield balance_of_figures(
        "balance_of_earlier_orders", people["earlier_order_count"].to_numpy().astype(float), ~control
    )


def _lift(settled: pl.DataFrame, outcome: str) -> Lift:
    values = settled[outcome].to_numpy().astype(float)
    treated = ~settled["is_control"].to_numpy()
    found = effect(values, treated)
    return Lift(
        outcome, found, half_width(found.se, len(values), PLANNED), *adjusted(values, treated, _covariates(settled))
    )  # fmt: skip


def _covariates(settled: pl.DataFrame) -> np.ndarray:
    """What was known before: earlier orders, and the tiers that are common enough to tell anything."""
    common = settled["segment"].value_counts().filter(pl.col("count") >= 50)["segment"].sort().to_list()
    columns = [settled["earlier_order_count"].to_numpy().astype(float)]
    columns += [(settled["segment"] == tier).to_numpy().astype(float) for tier in common[1:]]
    return np.column_stack(columns)


def in_words(result: Result) -> list[str]:
    """One line per outcome, for the terminal and the Dagster UI."""
    if not result.lifts:
        return [f"{result.experiment}: {result.reason}"]
    return [f"{result.experiment}, {_of_lift(lift, result.kind)}" for lift in result.lifts]


def _of_lift(lift: Lift, kind: str) -> str:
    found, rate = lift.effect, lift.outcome == "is_converted"
    unit, scale = (" pt", 100) if rate else ("", 1)
    low, high = found.lift - lift.anytime, found.lift + lift.anytime
    against = "the shop's own schedule" if kind == "static" else "no email"
    relative = found.relative_interval
    shares = found.incremental_share
    words = [
        f"{'conversion' if rate else 'revenue'} {scale * found.treated.mean:.2f} against {scale * found.control.mean:.2f} with {against}",
        f"lift {scale * found.lift:+.2f}{unit} [{scale * low:+.2f}, {scale * high:+.2f}] at any look",
        f"adjusted {scale * lift.adjusted:+.2f} ± {1.96 * scale * lift.adjusted_se:.2f}",
    ]
    if relative and found.relative is not None:
        words.append(
            f"relative {100 * found.relative:+.0f} % [{100 * relative[0]:+.0f}, {100 * relative[1]:+.0f}]"
        )
    if shares is not None and lift.is_certain:
        words.append(f"{100 * shares:.0f} % of it caused by the emails")
    return "; ".join(words)
