"""What must not grow without bound: Dagster's own history, and where the links of old emails lead."""

import dagster as dg

from collector.destinations import prune as prune_destinations
from orchestration.defs.resources import Kairos
from orchestration.live.lease import utc_now
from orchestration.pruning import prune


@dg.op(description="Delete finished runs beyond the retention, with their event files.")
def prune_runs(context: dg.OpExecutionContext, kairos: Kairos) -> None:
    """Windows make 288 runs a day of about 200 KB each; see docs/operations.md for the arithmetic."""
    done = prune(context.instance, kairos.settings().retention_days, context.run_id)
    context.log.info(f"pruned {done.runs} runs, {done.files} files, {done.bytes} bytes")


@dg.op(description="Forget destinations of links that no email has led to for years.")
def prune_links(context: dg.OpExecutionContext, kairos: Kairos) -> None:
    """A destination is kept for `mail.link_days` after the last email that leads there."""
    settings = kairos.settings()
    count = prune_destinations(settings.destinations, utc_now().date(), settings.mail.link_days)
    context.log.info(f"forgot {count} destinations")


@dg.job(executor_def=dg.in_process_executor, description="Keeps storage bounded.")
def housekeeping_job() -> None:
    """Ops, so that they show in the UI with their logs."""
    prune_runs()
    prune_links()


housekeeping = dg.ScheduleDefinition(
    name="housekeeping",
    job=housekeeping_job,
    cron_schedule="17 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
