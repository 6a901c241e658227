"""What other odds would have brought, from the emails that were sent: nothing is tried out on anybody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from orchestration.learning.off_policy import NoEstimate, estimate
from orchestration.learning.reading import read

_SENT = """
select slot, arm, propensity, is_rewarded
from fct_send_rewards
where is_settled and propensity is not null and arm is not null
order by slot, decision_id
"""


def read_rewards(warehouse: Path) -> pl.DataFrame:
    """Settled emails that know how probable their variant was. Raises duckdb.Error as `read` does."""
    return read(warehouse, _SENT)


def looking_back(rewards: pl.DataFrame) -> list[str]:
    """Per slot with a choice, a line for each policy asked about: even odds, and each variant for everybody.

    `rewards`: slot, arm, propensity, is_rewarded. A line says why where the log cannot answer.
    """
    lines = []
    for (slot,), sent in rewards.sort("slot").group_by("slot", maintain_order=True):
        arms = sent["arm"].unique().sort().to_list()
        if len(arms) > 1:
            lines.append(
                f"{slot}: {100 * sent['is_rewarded'].mean():.2f} % rewarded of {sent.height} settled"
            )
            policies = {"even odds": np.full(len(arms), 1 / len(arms))}
            policies |= {f"always {arm}": np.eye(len(arms))[number] for number, arm in enumerate(arms)}
            lines += [f"  {name}: {_answer(sent, arms, odds)}" for name, odds in policies.items()]
    return lines


def _answer(sent: pl.DataFrame, arms: list[str], odds: np.ndarray) -> str:
    taken = np.array([arms.index(arm) for arm in sent["arm"]])
    try:
        found = estimate(
            sent["is_rewarded"].to_numpy().astype(float),
            taken,
            sent["propensity"].to_numpy().astype(float),
            np.tile(odds, (sent.height, 1)),
        )
    except NoEstimate as error:
        return f"no estimate, {error}"
    low, high = found["DR"].interval
    return f"{100 * found['DR'].value:.2f} % [{100 * low:.2f}, {100 * high:.2f}], {found['DR'].effective:.0f} effective"
