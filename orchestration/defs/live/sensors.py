"""Keeps one window of the live lane running, and starts its successor in time."""

import time

import dagster as dg

from orchestration.live.lease import read_lease
from orchestration.settings import load_settings

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job_name="live_window_job",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks every five seconds whether a window runs and how long it still will.",
)
def relay(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One window lives; shortly before its end a second one waits for the lock."""
    settings = load_settings()
    runs = context.instance.get_run_records(
        dg.RunsFilter(job_name="live_window_job", statuses=UNFINISHED), limit=5
    )
    if not runs:
        return dg.RunRequest()
    lease = read_lease(settings.lease)
    left = lease.ends_at - time.time()
    alone = len(runs) == 1 and runs[0].dagster_run.run_id == lease.run_id
    if alone and left < settings.live.lead_seconds:
        return dg.RunRequest()  # imports now, then waits for the lock
    return dg.SkipReason(f"{len(runs)} window run(s) live, {left:.0f} s left")
