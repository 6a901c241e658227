"""Values for assets and sensors: the only part of Dagster's code that touches the environment."""

import os
import sys
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject

from orchestration.dbt import parsed_project
from orchestration.live.statements import project_version
from orchestration.settings import Settings, load_settings


class Kairos(dg.ConfigurableResource):
    """Settings, read when a run starts, so that an edited file counts from the next run on."""

    def settings(self) -> Settings:
        """All settings; raises SettingsError naming what is wrong."""
        return load_settings()


def dbt_project() -> DbtProject:
    """The dbt project on the warehouse target, parsed if anything changed since the last time."""
    settings = load_settings()
    parsed = parsed_project(settings.dbt_project, project_version(settings.dbt_project), settings.data)
    # dbt's profile and sources find the data folder by this variable, wherever the setting came from.
    os.environ["KAIROS_DATA"] = str(settings.data.resolve())
    return DbtProject(
        project_dir=settings.dbt_project,
        target="warehouse",
        target_path=parsed,
        profiles_dir=settings.dbt_project,
    )


@dg.definitions
def resources() -> dg.Definitions:
    """What every asset may ask for by name; one process per run, since steps are short."""
    dbt = DbtCliResource(project_dir=dbt_project(), dbt_executable=str(Path(sys.executable).with_name("dbt")))
    return dg.Definitions(resources={"kairos": Kairos(), "dbt": dbt}, executor=dg.in_process_executor)
