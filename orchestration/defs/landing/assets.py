"""The log's older part as Parquet, for the batch lane."""

import dagster as dg

from collector.log.file import FileLog
from orchestration.archive import archive, prepare
from orchestration.defs.resources import Kairos
from orchestration.live.lease import read_lease

SEAL_AFTER_SECONDS = 300  # a quiet shop's segment is sealed by nobody else


@dg.asset(
    key=["landing", "archive"],
    deps=[["landing", "events"]],
    group_name="landing",
    owners=["team:data"],
    kinds={"python", "parquet"},
    description="Sealed segments of the log as Parquet; a segment leaves the log once its archive is verified.",
)
def landing_archive(kairos: Kairos) -> dg.MaterializeResult:
    """Archive what is sealed, refresh the tail, remove what every reader has passed."""
    settings = kairos.settings()
    prepare(settings.archive, settings.profiles)
    log = FileLog(settings.landing)
    log.seal(now_if_older_than=SEAL_AFTER_SECONDS)
    done = archive(log, settings.archive, read_lease(settings.lease).position)
    return dg.MaterializeResult(
        metadata={
            "segments": done.segments,
            "events": done.events,
            "quarantined": done.quarantined,
            "not_sealed_yet": done.tail_events,
            "segments_removed": done.removed,
        }
    )
