"""The batch lane on its schedule: archive, models, checks."""

import dagster as dg

from orchestration.defs.delivery.checks import reviews_are_answered
from orchestration.defs.warehouse.published import PUBLISHED_KEYS
from orchestration.settings import load_settings

batch_lane_job = dg.define_asset_job(
    "batch_lane_job",
    selection=dg.AssetSelection.assets(["landing", "archive"], *PUBLISHED_KEYS)
    | dg.AssetSelection.kind("dbt") - dg.AssetSelection.groups("live")
    | dg.AssetSelection.groups("segments", "outcomes")
    | dg.AssetSelection.checks(reviews_are_answered),
    executor_def=dg.in_process_executor,
    description="Archive the log, recompute all models over all history, compare both lanes, publish.",
)

batch_lane = dg.ScheduleDefinition(
    name="batch_lane",
    job=batch_lane_job,
    cron_schedule=load_settings().batch_cron,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
