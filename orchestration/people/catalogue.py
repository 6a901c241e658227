"""Which tables marketers get, and what each of them and its columns mean: from dbt's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from orchestration.people import clusters, lifetime

# Exposures name what leaves the warehouse: files for marketers, and the database for everybody who asks.
FILES, DATABASE = "segments_export", "marts_export"
SEGMENT = "seg_"


@dataclass(frozen=True)
class Table:
    """A table as published. `schema`: of what Python works out; None for a model."""

    name: str
    description: str
    meanings: Mapping[str, str] = field(default_factory=dict)
    schema: pl.Schema | None = None

    @property
    def is_model(self) -> bool:
        return self.schema is None

    @property
    def is_segment(self) -> bool:
        return self.name.startswith(SEGMENT)


# What Python works out beside the models.
LIFETIMES_TABLE = Table(
    "customer_lifetimes",
    "What each customer is worth in the next 90 days. One row per customer who ever bought; empty as long as too few "
    "have bought more than once.",
    lifetime.MEANINGS,
    lifetime.LIFETIMES,
)
PROPOSALS_TABLE = Table(
    "segment_proposals",
    "Groups of people who behave alike, as proposals for segments; no email uses them. One row per proposal; empty as "
    "long as too few people came.",
    clusters.MEANINGS,
    clusters.PROPOSALS,
)
WORKED_OUT = (LIFETIMES_TABLE, PROPOSALS_TABLE)


def for_files(manifest: Mapping[str, Any]) -> list[Table]:
    """What is published as Parquet and CSV: segments first."""
    models = sorted(_models(manifest, FILES), key=lambda table: (not table.is_segment, table.name))
    return [*models, *WORKED_OUT]


def for_database(manifest: Mapping[str, Any]) -> list[Table]:
    """What stands in the database: the same and everything else that is meant to be read."""
    files = for_files(manifest)
    known = {table.name for table in files}
    return [*files, *(table for table in _models(manifest, DATABASE) if table.name not in known)]


def _models(manifest: Mapping[str, Any], exposure: str) -> list[Table]:
    found = next(one for one in manifest["exposures"].values() if one["name"] == exposure)
    nodes = [manifest["nodes"][key] for key in found["depends_on"]["nodes"]]
    return [
        Table(
            node["name"],
            _line(node["description"]),
            {name: _line(column["description"]) for name, column in node["columns"].items()},
        )
        for node in nodes
    ]


def _line(text: str) -> str:
    return " ".join(text.split())
