"""Who will buy: the published figure by a random split, and what is left of it when the future is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tests.prove.figures import Figure, need

FILE = "online_shoppers.csv.gz"
LATE = ["Nov", "Dec"]


def prove(data: Path, small: bool = False) -> list[Figure]:
    """AUC of gradient boosting, split three ways."""
    from threadpoolctl import threadpool_limits

    sessions = pl.read_csv(need(data / FILE), infer_schema_length=None)
    # One thread: on a busy machine two wait for each other, and it takes four times as long.
    with threadpool_limits(1, user_api="openmp"):
        return _figures(sessions, folds=2 if small else 5, rounds=60 if small else 250)


def _figures(sessions: pl.DataFrame, folds: int, rounds: int) -> list[Figure]:
    from sklearn.model_selection import StratifiedKFold

    y = (sessions["Revenue"].cast(pl.String).str.to_lowercase() == "true").to_numpy().astype(int)
    late = sessions["Month"].is_in(LATE).to_numpy()
    everything = _features(sessions, leave_out=("Revenue",))
    splits = StratifiedKFold(folds, shuffle=True, random_state=1).split(everything, y)
    random_split = float(np.mean([_auc(everything, y, train, test, rounds) for train, test in splits]))
    timed = _auc(_features(sessions, leave_out=("Revenue", "Month")), y, ~late, late, rounds)
    honest = _features(sessions, leave_out=("Revenue", "Month", "PageValues"))
    in_session = _auc(honest, y, ~late, late, rounds)
    return [
        Figure("Shoppers", f"AUC, random split, all columns ({len(y)} visits)", f"{random_split:.3f}", ".937 published (whole set)", random_split >= 0.90),
        Figure("Shoppers", "AUC, Feb to Oct -> Nov and Dec, no month", f"{timed:.3f}", ".833 on the whole set"),
        Figure("Shoppers", "AUC, the same without PageValues, which is computed from purchases", f"{in_session:.3f}", ".696 on the whole set"),
    ]  # fmt: skip


def _features(sessions: pl.DataFrame, leave_out: tuple[str, ...]) -> np.ndarray:
    """Words become numbers; trees do not mind which."""
    columns = []
    for name in sessions.columns:
        if name not in leave_out:
            column = sessions[name]
            columns.append(column.rank("dense") if column.dtype == pl.String else column.cast(pl.Float64))
    return np.column_stack([column.to_numpy().astype(float) for column in columns])


def _auc(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, rounds: int) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    model = HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=0.04, max_leaf_nodes=15, min_samples_leaf=30, l2_regularization=1.0,
        early_stopping=False, random_state=1,
    )  # fmt: skip
    return float(roc_auc_score(y[test], model.fit(x[train], y[train]).predict_proba(x[test])[:, 1]))
