"""The models over recorded traffic, in a warehouse of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestration.arrivals import read_calls
from orchestration.dbt import run_dbt
from orchestration.recorded import land

MODELS = (
    "+trg_cart_abandonment", "+trg_time_on_page", "+trg_page_depth", "+trg_feature_exploration", "+fct_orders",
    "+int_customer_states", "+stg_kairos__receipts",
)  # fmt: skip


def recorded_warehouse(
    project: Path, files: Sequence[Path], folder: Path, models: Sequence[str] = MODELS
) -> Path:
    """Land Segment calls and build what `models` select; returns the database file, in `folder`.

    Raises DbtFailed with dbt's message.
    """
    land(folder, read_calls(list(files), identify=False))
    selection = ["--select", *models, "--exclude-resource-type", "test", "unit_test"]
    run_dbt(project, "warehouse", folder / "target", ["build", *selection], folder)
    return folder / "warehouse.duckdb"
