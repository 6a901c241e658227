"""Deletes old runs from Dagster's storage. Open-source Dagster has a retention for ticks, none for runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg

from orchestration.live.lease import utc_now

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
BATCH = 200


@dataclass(frozen=True)
class Pruned:
    """What one pass removed."""

    runs: int = 0
    files: int = 0
    bytes: int = 0


def prune(instance: dg.DagsterInstance, keep_days: float, spare: str = "") -> Pruned:
    """Delete finished runs older than `keep_days`, except `spare`.

    `delete_run` empties a run's SQLite file but leaves it behind (about 143 KB each), so that goes too.
    """
    before = utc_now() - timedelta(days=keep_days)
    done = Pruned()
    while True:
        records = instance.get_run_records(
            dg.RunsFilter(statuses=FINISHED, created_before=before), limit=BATCH
        )
        runs = [record.dagster_run.run_id for record in records if record.dagster_run.run_id != spare]
        if not runs:
            return done
        for run_id in runs:
            instance.delete_run(run_id)
            files = _files(instance, run_id)
            size = sum(file.stat().st_size for file in files)
            for file in files:
                file.unlink()
            done = Pruned(done.runs + 1, done.files + len(files), done.bytes + size)


def _files(instance: dg.DagsterInstance, run_id: str) -> list[Path]:
    """The run's own event files; none where events live in a shared database."""
    folder = Path(instance.root_directory) / "history" / "runs"
    return sorted(folder.glob(f"{run_id}.db*"))
