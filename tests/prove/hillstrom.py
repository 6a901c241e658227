"""A real randomised email campaign through the functions that measure a shop's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from orchestration.learning.alarms import sample_ratio
from orchestration.learning.effects import Effect, adjusted, effect
from tests.prove.figures import Figure, need, percent

FILE = "hillstrom.csv.gz"
# Of all 64,000 people; the file at hand may hold half of them.
PUBLISHED = {
    ("Mens", "visit"): 0.0766, ("Womens", "visit"): 0.0452,
    ("Mens", "conversion"): 0.0068, ("Womens", "conversion"): 0.0031,
    ("Mens", "spend"): 0.770, ("Womens", "spend"): 0.424,
}  # fmt: skip
COVARIATES = ("recency", "history", "mens", "womens", "newbie")


def prove(data: Path, small: bool = False) -> list[Figure]:
    """Lifts over no mail, with intervals, relative lifts, and what covariates save."""
    people = pl.read_csv(need(data / FILE), schema_overrides={"spend": pl.Float64, "history": pl.Float64})
    counts = people.group_by("segment").len().sort("segment")["len"].to_list()
    alarm = sample_ratio(counts, [1, 1, 1])
    figures = [
        Figure("Hillstrom", "sample ratio of three arms", f"p = {alarm.p:.3f}", ">= .001", not alarm.rings)
    ]
    for (mail, metric), published in PUBLISHED.items():
        two = people.filter(pl.col("segment").is_in([f"{mail} E-Mail", "No E-Mail"]))
        treated = (two["segment"] != "No E-Mail").to_numpy()
        outcome = two[metric].to_numpy().astype(float)
        found = effect(outcome, treated)
        covariates = two.select(COVARIATES).to_numpy().astype(float)
        saved = 1 - (adjusted(outcome, treated, covariates)[1] / found.se) ** 2
        figures.append(_figure(f"{mail} mail, {metric}", found, published, saved, metric == "spend"))
    return figures


def _figure(what: str, found: Effect, published: float, saved: float, is_money: bool) -> Figure:
    def show(value: float) -> str:
        return f"{value:+.3f}" if is_money else f"{100 * value:+.2f} pt"

    low, high = found.interval
    relative = found.relative_interval or (np.nan, np.nan)
    return Figure(
        "Hillstrom", what,
        f"{show(found.lift)} [{show(low)}, {show(high)}], relative {100 * (found.relative or 0):+.0f} %"
        f" [{100 * relative[0]:+.0f}, {100 * relative[1]:+.0f}], covariates save {percent(saved)} of the variance",
        show(published), low <= published <= high,
    )  # fmt: skip
