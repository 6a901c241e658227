"""Entry point of Dagster; assets, checks, sensors and schedules live under defs/."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under defs/, loaded by folder."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__))
