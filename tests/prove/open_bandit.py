"""Off-policy estimates on logged recommendations of a real shop, beside what the other policy really brought."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from orchestration.learning.off_policy import NoEstimate, estimate
from tests.prove.figures import Figure, need, percent

ITEMS, POSITIONS = 34, 3
# Click rates of the whole logs (st-tech/zr-obp): what a perfect estimate would say.
PUBLISHED = {"random": 0.0051, "bts": 0.0067}
# Relative errors of the library's own example on its whole data (zr-obp, examples/obd).
PUBLISHED_ERRORS = {"IPS": 0.311, "SNIPS": 0.312, "DR": 0.292, "DM": 0.157}


def read(data: Path, policy: str) -> pl.DataFrame:
    """One log: item_id, position (0 to 2), click, propensity_score, user features."""
    frame = pl.read_csv(need(data / "obd" / policy / "men" / "men.csv.gz"))
    return frame.with_columns(position=pl.col("position") - 1)


def probabilities(log: pl.DataFrame) -> np.ndarray:
    """The policy behind a log, shape (positions, items): its mean propensity of each item, normalised.

    Neither policy knew anything of the user, so that much describes it.
    """
    table = np.zeros((POSITIONS, ITEMS))
    means = log.group_by("position", "item_id").agg(pl.col("propensity_score").mean())
    for position, item, propensity in means.iter_rows():
        table[position, item] = propensity
    return table / table.sum(axis=1, keepdims=True)


def features(log: pl.DataFrame) -> np.ndarray:
    """Position and user, one-hot; rare values of a feature are left out."""
    columns = [log["position"].to_dummies().to_numpy()]
    for name in (f"user_feature_{number}" for number in range(4)):
        common = log[name].value_counts().filter(pl.col("count") >= 100)[name].to_list()
        columns += [(log[name] == value).to_numpy()[:, None] for value in sorted(common)]
    return np.hstack(columns).astype(float)


def prove(data: Path, small: bool = False) -> list[Figure]:
    """The click rate of Thompson sampling from the uniform log, and the other way round."""
    logs = {name: read(data, name) for name in ("random", "bts")}
    return [
        *_figures("uniform -> Thompson", logs["random"], probabilities(logs["bts"]), PUBLISHED["bts"]),
        *_figures("Thompson -> uniform", logs["bts"], probabilities(logs["random"]), PUBLISHED["random"]),
        *([] if small else [_refused(logs["random"])]),
    ]


def _figures(name: str, log: pl.DataFrame, target: np.ndarray, published: float) -> list[Figure]:
    found = estimate(
        log["click"].to_numpy().astype(float),
        log["item_id"].to_numpy(),
        log["propensity_score"].to_numpy(),
        target[log["position"].to_numpy()],
        features(log),
    )
    effective = found["SNIPS"].effective
    return [
        Figure(
            "Open Bandit", f"{name}, {kind} (ESS {effective:.0f} of {log.height})",
            f"{percent(one.value, 3)} [{percent(one.interval[0], 2)}, {percent(one.interval[1], 2)}]",
            f"{percent(published, 2)}; relative error {abs(one.value / published - 1):.2f}"
            f" (published {PUBLISHED_ERRORS[kind]:.2f})",
            one.interval[0] <= published <= one.interval[1] if kind != "DM" and name.startswith("uniform") else None,
        )
        for kind, one in found.items()
    ]  # fmt: skip


def _refused(log: pl.DataFrame) -> Figure:
    """A policy that always shows one item has hardly any rows in a uniform log."""
    rare = np.zeros((log.height, ITEMS))
    rare[:, 0] = 1
    few = slice(0, 2_000)
    try:
        estimate(
            log["click"].to_numpy()[few].astype(float),
            log["item_id"].to_numpy()[few],
            log["propensity_score"].to_numpy()[few],
            rare[few],
        )
        said = "an estimate"
    except NoEstimate as error:
        said = f"refused: {error}"
    return Figure(
        "Open Bandit", "one item for everybody, 2,000 rows", said, "a refusal", said.startswith("refused")
    )
