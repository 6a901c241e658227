"""What the batch lane works out about people and hands to marketers."""

import dagster as dg

from orchestration.defs.resources import Kairos, dbt_project
from orchestration.people.catalogue import LIFETIMES_TABLE, PROPOSALS_TABLE, for_database
from orchestration.people.plot import as_markdown, sparkline
from orchestration.people.publish import (
    Places,
    Published,
    publish,
    read_manifest,
    work_out_lifetimes,
    work_out_proposals,
)

project = dbt_project()
MODELS = [table.name for table in for_database(read_manifest(project.manifest_path.parent)) if table.is_model]
LIFETIMES = dg.AssetKey(["segments", LIFETIMES_TABLE.name])
PROPOSALS = dg.AssetKey(["segments", PROPOSALS_TABLE.name])


@dg.asset(
    key=LIFETIMES,
    deps=["fct_orders"],
    group_name="segments",
    owners=["team:lifecycle"],
    kinds={"python", "parquet"},
    pool="warehouse",
    description=LIFETIMES_TABLE.description,
)
def customer_lifetimes(kairos: Kairos) -> dg.MaterializeResult:
    """BG/NBD and Gamma-Gamma on all orders; where they are too thin, the metadata say so."""
    found = work_out_lifetimes(Places(kairos.settings().data))
    return dg.MaterializeResult(metadata=found.as_metadata())


@dg.asset(
    key=PROPOSALS,
    deps=["int_session_figures"],
    group_name="segments",
    owners=["team:lifecycle"],
    kinds={"python", "scikitlearn", "parquet"},
    pool="warehouse",
    description=PROPOSALS_TABLE.description,
)
def segment_proposals(kairos: Kairos) -> dg.MaterializeResult:
    """k-means on standardised behaviour, each group with a rule in words and with how stable it is."""
    found = work_out_proposals(Places(kairos.settings().data))
    return dg.MaterializeResult(metadata=found.as_metadata())


@dg.asset(
    key=["segments", "published"],
    deps=[*MODELS, LIFETIMES, PROPOSALS],
    group_name="segments",
    owners=["team:lifecycle"],
    kinds={"python", "parquet", "csv", "duckdb"},
    pool="warehouse",
    description="Segments as Parquet and CSV in data/segments with a dictionary, and data/marts.duckdb for questions.",
)
def published(kairos: Kairos) -> dg.MaterializeResult:
    """Each file replaces its predecessor at once, so that anybody may have it open meanwhile."""
    places = Places(kairos.settings().data)
    done = publish(places, read_manifest(project.manifest_path.parent))
    return dg.MaterializeResult(metadata=_metadata(done, places))


def _metadata(done: Published, places: Places) -> dict[str, dg.MetadataValue | int]:
    now = {name: days[-1] for name, days in done.members.items()}
    lines = [f"| {name} | {now[name]} | `{sparkline(days)}` |" for name, days in done.members.items()]
    table = "\n".join(["| segment | members | over time |", "|---|---|---|", *lines])
    return {
        **{f"members_{name}": count for name, count in now.items()},
        "members": dg.MetadataValue.md(table),
        "members_plot": dg.MetadataValue.md(as_markdown(done.members)),
        "rows": dg.MetadataValue.json(done.marts),
        "dictionary": dg.MetadataValue.path(str(places.segments / "dictionary.md")),
        "marts": dg.MetadataValue.path(str(places.marts)),
    }
