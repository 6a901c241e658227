"""The window as a job of its own: an ordinary run, one process, no step processes."""

import dagster as dg

from orchestration.defs.live.assets import live_window

live_window_job = dg.define_asset_job(
    "live_window_job",
    # Without the checks of others: the window ends when its time is over.
    selection=dg.AssetSelection.assets(live_window).without_checks()
    | dg.AssetSelection.checks(*live_window.check_keys),
    executor_def=dg.in_process_executor,
    description="One window of the live lane: minutes of micro-batches, then hand over.",
    # Lock wait, window and margin; monitoring ends a run that lives longer.
    tags={"dagster/max_runtime": "4200"},
)
