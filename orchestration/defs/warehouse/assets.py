"""The batch lane: the same models over all history, as ordinary dbt assets."""

from collections.abc import Iterator

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.defs.resources import dbt_project

project = dbt_project()


@dbt_assets(
    manifest=project.manifest_path, project=project, exclude="resource_type:unit_test", pool="warehouse"
)
def warehouse_models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """Recompute what the live lane decided, and everything it does not need to know."""
    yield from dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context).stream()
