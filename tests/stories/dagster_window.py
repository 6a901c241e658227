"""Runs `live_window_job` once, as Dagster would: the run of the stories."""

import sys

import dagster as dg

from orchestration.definitions import defs


def main() -> None:
    """One run with its events stored; exit code 0 if it succeeded."""
    with dg.DagsterInstance.get() as instance:
        result = (
            defs()
            .resolve_job_def("live_window_job")
            .execute_in_process(instance=instance, raise_on_error=False)
        )
    sys.exit(not result.success)


if __name__ == "__main__":
    main()
