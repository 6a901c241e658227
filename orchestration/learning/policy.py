"""The policy: for each slot, segment and arm its odds, as a table that both lanes read.

A policy is announced ahead of its beginning, so that every window has read it before it counts, and it never
changes: what was drawn can be drawn again, in the warehouse, in a replay, in a notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from orchestration.durable import durable_file
from orchestration.learning.bandit import Learning, intervals, prior_strength, slot_odds
from orchestration.learning.reading import read

EVERYBODY_ELSE = "*"
RENEWED_EVERY = timedelta(hours=24)
KEPT = timedelta(days=400)
NAME = "bandit_policy"

POLICY = pl.Schema(
    {
        "policy_version": pl.String,
        "valid_from": pl.Datetime("us"),
        "slot": pl.String,
        "segment": pl.String,
        "arm": pl.String,
        "lo": pl.Float64,
        "hi": pl.Float64,
        "propensity": pl.Float64,
    }
)
RESULTS = pl.Schema(
    {"slot": pl.String, "segment": pl.String, "arm": pl.String, "trials": pl.Int64, "successes": pl.Int64}
)


@dataclass(frozen=True)
class Renewed:
    """What was published, or why the policy of before goes on."""

    version: str
    rows: int
    slots: int
    emails: int  # settled ones it rests on
    reason: str = ""

    def as_metadata(self) -> dict[str, int | str]:
        """For the UI."""
        found: dict[str, int | str] = {
            "policy_version": self.version or "none", "slots": self.slots, "settled_emails": self.emails,
        }  # fmt: skip
        return found | ({"not_renewed": self.reason} if self.reason else {})


def policy(results: pl.DataFrame, arms: pl.DataFrame, learning: Learning | None = None) -> pl.DataFrame:
    """Columns slot, segment, arm, lo, hi, propensity, for every slot with a choice.

    `results` as in RESULTS, settled emails only; `arms` (slot, arm): what can be sent today. An arm without
    results begins at its slot's mean, one that is gone is left out; what it brought still tells the slot's mean.
    """
    learning = learning or Learning()
    strength = prior_strength(_tests(results), learning)
    trials, successes = results["trials"].sum(), results["successes"].sum()
    overall = (successes + 1) / (trials + 50)  # a fiftieth, while nothing is known
    frames = []
    for (slot,), group in arms.sort("slot", "arm").group_by("slot", maintain_order=True):
        names = group["arm"].unique(maintain_order=True).to_list()
        if len(names) > 1:
            found = results.filter(pl.col("slot") == slot, pl.col("arm").is_in(names))
            frames.append(_of_slot(str(slot), names, found, float(overall), strength, learning))
    schema = {name: POLICY[name] for name in ("slot", "segment", "arm", "lo", "hi", "propensity")}
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def renew(warehouse: Path, published: Path, now: datetime, ahead: timedelta) -> Renewed:
    """Publish the next policy if the last one is a day old; it begins at `now + ahead` (naive UTC).

    Earlier policies stay in the file, with their `valid_from`. Raises duckdb.Error where the warehouse is missing
    or was never built.
    """
    path = published / f"{NAME}.parquet"
    known = _known(path)
    newest = known["valid_from"].max() if known.height else None
    results = read(
        warehouse,
        "select slot, segment, arm, settled_count as trials, reward_count as successes from fct_variant_results",
        RESULTS,
    )
    arms = read(
        warehouse,
        "select trigger_name || '/' || route as slot, variant as arm from seeds.variants",
        pl.Schema({"slot": pl.String, "arm": pl.String}),
    )
    emails = int(results["trials"].sum())
    slots = known.filter(pl.col("valid_from") == newest)["slot"].n_unique() if known.height else 0
    if isinstance(newest, datetime) and now < newest + RENEWED_EVERY - ahead:
        version = known.filter(pl.col("valid_from") == newest)["policy_version"][0]
        return Renewed(version, 0, slots, emails, "the last one is less than a day old")
    if emails == 0 and not known.height:
        return Renewed("", 0, 0, 0, "no email is settled yet; variants are drawn evenly")
    begins = (now + ahead).replace(microsecond=0)
    version = begins.strftime("%Y%m%dT%H%M%SZ")
    fresh = policy(results, arms).with_columns(
        policy_version=pl.lit(version), valid_from=pl.lit(begins).cast(pl.Datetime("us"))
    ).select(list(POLICY))  # fmt: skip
    if not fresh.height:
        return Renewed("", 0, 0, emails, "no email has two variants")
    _write(pl.concat([known.filter(pl.col("valid_from") > now - KEPT), fresh]), path)
    return Renewed(version, fresh.height, fresh["slot"].n_unique(), emails)


def _tests(results: pl.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each slot and segment as a test of its arms."""
    groups = results.sort("slot", "segment", "arm").group_by("slot", "segment", maintain_order=True)
    return [(group["successes"].to_numpy(), group["trials"].to_numpy()) for _, group in groups]


def _of_slot(
    slot: str, arms: list[str], results: pl.DataFrame, overall: float, strength: float, learning: Learning
) -> pl.DataFrame:
    segments = sorted(set(results["segment"].to_list()) - {EVERYBODY_ELSE})
    successes = np.zeros((len(segments), len(arms)))
    trials = np.zeros_like(successes)
    for row in results.iter_rows(named=True):
        at = segments.index(row["segment"]), arms.index(row["arm"])
        successes[at], trials[at] = row["successes"], row["trials"]
    odds = slot_odds(successes, trials, overall, strength, learning)
    low, high = intervals(odds)
    labels = [(segment, arm) for segment in (*segments, EVERYBODY_ELSE) for arm in arms]
    return pl.DataFrame(
        {
            "slot": [slot] * len(labels),
            "segment": [segment for segment, _ in labels],
            "arm": [arm for _, arm in labels],
            "lo": low.ravel(),
            "hi": high.ravel(),
            "propensity": (high - low).ravel(),  # what the draw really does
        }
    )


def _known(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path).select(list(POLICY)).cast(POLICY) if path.exists() else POLICY.to_frame()


def _write(frame: pl.DataFrame, path: Path) -> None:
    with durable_file(path) as file:
        frame.write_parquet(file)
