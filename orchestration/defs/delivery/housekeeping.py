"""Dagster's own history must not grow without bound."""

import dagster as dg

from orchestration.defs.resources import Kairos
from orchestration.pruning import prune


@dg.op(description="Delete finished runs beyond the retention, with their event files.")
def prune_runs(context: dg.OpExecutionContext, kairos: Kairos) -> None:
    """Windows make 288 runs a day of about 200 KB each; see docs/operations.md for the arithmetic."""
    done = prune(context.instance, kairos.settings().retention_days, context.run_id)
    context.log.info(f"pruned {done.runs} runs, {done.files} files, {done.bytes} bytes")


@dg.job(executor_def=dg.in_process_executor, description="Keeps Dagster's storage bounded.")
def housekeeping_job() -> None:
    """One op, so that it shows in the UI with its log."""
    prune_runs()


housekeeping = dg.ScheduleDefinition(
    name="housekeeping",
    job=housekeeping_job,
    cron_schedule="17 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
