"""Groups of people who behave alike: proposals for segments, each with a rule that can be read.

Named rules keep people where they are from week to week better than groups found anew (measured on purchase
histories: adjusted Rand .91 against .67 to .87), so nothing here is a segment: somebody may make one of a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from orchestration.people import behaviour
from orchestration.people.behaviour import FEATURES, standardised
from orchestration.people.rules import Rules, learn_rules

SEED = 20260101
GROUPS = range(3, 9)
WINDOW_DAYS = 28
# With fewer, a group of one in twenty has ten people in it.
MIN_PEOPLE = 200
MIN_SHARE = 0.02
FITTED = 20_000  # bounds the time: a million people take eight seconds of one core
SAMPLE = 4_000  # the silhouette compares everybody with everybody
BOOTSTRAPS = 5
# A rule that misses half of the group, or is wrong half of the time, is no name for it.
MIN_RULE = 0.5

PROPOSALS = pl.Schema(
    {
        "proposal": pl.String,
        "people": pl.Int64,
        "share": pl.Float64,
        "rule": pl.String,
        "precision": pl.Float64,
        "recall": pl.Float64,
        "fidelity": pl.Float64,
        "stability": pl.Float64,
        "stability_kind": pl.String,
        "figures": pl.String,
        "examples": pl.String,
        "as_of": pl.Datetime("us"),
    }
)
MEANINGS = {
    "proposal": "A name made of what stands out.",
    "people": "How many there are.",
    "share": "Of all who came within four weeks, 0 to 1.",
    "rule": "A rule in words that finds nearly the same people.",
    "precision": "Share of those whom the rule finds who are in the group.",
    "recall": "Share of the group whom the rule finds.",
    "fidelity": "Share of all people whom the rules together put into their group.",
    "stability": "Adjusted Rand index of all groups, 1 is the same groups again, 0 is chance; below 0.6 do not build on it.",
    "stability_kind": "week_to_week, of people seen both in these four weeks and in those a week earlier; or bootstrap.",
    "figures": "Means of the group, and of all in brackets: "
    + "; ".join(f"{name}, {meaning}" for name, meaning in behaviour.MEANINGS.items()),
    "examples": "Three who are typical, nearest to the middle first.",
    "as_of": "The instant up to which visits counted, UTC.",
}


@dataclass(frozen=True)
class Proposals:
    """One row per proposed segment as in PROPOSALS, or none and the reason why."""

    table: pl.DataFrame
    refused: str = ""

    def as_metadata(self) -> dict[str, int | float | str]:
        """For the UI."""
        if self.refused:
            return {"proposals": 0, "refused": self.refused}
        first = self.table.row(0, named=True)
        return {
            "proposals": self.table.height,
            "fidelity": round(first["fidelity"], 3),
            "stability": round(first["stability"], 3),
            "stability_kind": first["stability_kind"],
        }


@dataclass(frozen=True)
class Grouping:
    """Labels 0… per person, and how far each person is from the middle of the own group."""

    labels: np.ndarray
    distances: np.ndarray
    groups: int


def propose(people: pl.DataFrame, earlier: pl.DataFrame, as_of: datetime) -> Proposals:
    """Groups among `people`, as `behaviour` gives them; `earlier` is the same a week before, maybe empty.

    The same people give the same proposals. Refuses rather than guesses.
    """
    refused = _too_thin(people)
    if refused:
        return Proposals(PROPOSALS.to_frame(), refused)
    table = standardised(people)
    grouping = find_groups(table)
    stability, kind = _stability(people, table, grouping, earlier)
    rules = learn_rules(people.select(*FEATURES), grouping.labels, grouping.groups, SEED)
    names = name_groups(table, grouping)
    rows = [
        _row(people, grouping, rules, group, names[group])
        | {"stability": stability, "stability_kind": kind, "as_of": as_of}
        for group in range(grouping.groups)
        if min(rules.precision[group], rules.recall[group]) >= MIN_RULE
    ]
    if not rows:
        return Proposals(PROPOSALS.to_frame(), "no group can be told in a rule that holds for half of it")
    return Proposals(
        pl.DataFrame(rows, schema=PROPOSALS).sort("people", "proposal", descending=[True, False])
    )


def _too_thin(people: pl.DataFrame) -> str:
    if people.height < MIN_PEOPLE:
        return f"{people.height} people came within {WINDOW_DAYS} days; {MIN_PEOPLE} are needed"
    kinds = people.select(*FEATURES).unique().height
    if kinds < 2 * max(GROUPS):
        return f"people behave in {kinds} ways only; groups need more to tell"
    return ""


def find_groups(table: np.ndarray, groups: int | None = None) -> Grouping:
    """k-means on people by standardised figures; without `groups`, as many as are told apart best, none tiny.

    Found among FITTED people at most, so that the time is bounded; the others join the nearest group.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    if groups is None:
        return max(
            (find_groups(table, number) for number in GROUPS), key=lambda found: _told_apart(table, found)
        )
    fitted = np.random.default_rng(SEED).permutation(len(table))[:FITTED]
    with threadpool_limits(limits=1):  # the live lane needs the other cores
        model = KMeans(groups, n_init=5, random_state=SEED).fit(table[np.sort(fitted)])
        labels = model.predict(table)
    return Grouping(labels, np.linalg.norm(table - model.cluster_centers_[labels], axis=1), groups)


def _told_apart(table: np.ndarray, found: Grouping) -> tuple[float, int]:
    """The silhouette, and for ties the fewer; -1 where a group is tiny or empty."""
    from sklearn.metrics import silhouette_score

    sizes = np.bincount(found.labels, minlength=found.groups)
    if sizes.min() < MIN_SHARE * len(table):
        return -1.0, -found.groups
    size = min(SAMPLE, len(table))
    return round(
        float(silhouette_score(table, found.labels, sample_size=size, random_state=SEED)), 6
    ), -found.groups


def _stability(
    people: pl.DataFrame, table: np.ndarray, grouping: Grouping, earlier: pl.DataFrame
) -> tuple[float, str]:
    """How alike the groups are when they are found anew: a week earlier, else among people drawn with repeats."""
    from sklearn.metrics import adjusted_rand_score

    both = people.with_row_index("now").join(earlier.with_row_index("then"), on="person_id").sort("now")
    if both.height >= MIN_PEOPLE:
        then = find_groups(standardised(earlier), grouping.groups).labels
        score = adjusted_rand_score(grouping.labels[both["now"].to_numpy()], then[both["then"].to_numpy()])
        return float(score), "week_to_week"
    rng = np.random.default_rng(SEED)
    draws = [rng.integers(0, len(table), len(table)) for _ in range(BOOTSTRAPS)]
    scores = [
        adjusted_rand_score(grouping.labels[draw], find_groups(table[draw], grouping.groups).labels)
        for draw in draws
    ]
    return float(np.mean(scores)), "bootstrap"


def name_groups(table: np.ndarray, grouping: Grouping) -> list[str]:
    """What stands out most; a second thing where two groups would be called alike, at last a number."""
    words = list(FEATURES.values())
    names: list[str] = []
    for group in range(grouping.groups):
        means = table[grouping.labels == group].mean(axis=0)
        high = [words[place] for place in np.argsort(-means, kind="stable") if means[place] >= 0.5]
        choices = [high[0], *(f"{high[0]}, {word}" for word in high[1:])] if high else ["passers-by"]
        free = [choice for choice in choices if choice not in names]
        names.append(free[0] if free else f"{choices[0]} {group + 1}")
    return names


def _row(people: pl.DataFrame, grouping: Grouping, rules: Rules, group: int, name: str) -> dict[str, Any]:
    mine = grouping.labels == group
    typical = np.flatnonzero(mine)[np.argsort(grouping.distances[mine], kind="stable")[:3]]
    return {
        "proposal": name,
        "people": int(mine.sum()),
        "share": float(mine.mean()),
        "rule": rules.texts[group],
        "precision": rules.precision[group],
        "recall": rules.recall[group],
        "fidelity": rules.fidelity,
        "figures": _figures(people.select(*FEATURES), mine),
        "examples": ", ".join(_ids(people, typical)),
    }


def _figures(people: pl.DataFrame, mine: np.ndarray) -> str:
    group, everybody = people.filter(pl.Series(mine)).mean().row(0), people.mean().row(0)
    return ", ".join(
        f"{name} {a:.2f} ({b:.2f})" for name, a, b in zip(FEATURES, group, everybody, strict=True)
    )


def _ids(people: pl.DataFrame, rows: Sequence[int] | np.ndarray) -> list[str]:
    return [people["person_id"][int(row)] for row in rows]
