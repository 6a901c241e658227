"""From the warehouse to the live lane: models as Parquet files that appear whole or not at all."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Collection
from pathlib import Path

import duckdb

from orchestration.dbt import run_dbt
from orchestration.durable import durable_file
from orchestration.live.content import PUBLISHED
from orchestration.settings import Settings

CATALOGUE = ("fct_product_blocks",)
"""What of it can be built from the catalogue and the archive without all models about people."""


def publish(settings: Settings, names: Collection[str] = tuple(PUBLISHED)) -> dict[str, int]:
    """Write what the warehouse holds to data/published; returns the rows of each file.

    A file whose content did not change stays untouched, so that no window imports it again. Raises duckdb.Error
    where the warehouse is missing, in use, or was never built.
    """
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return {name: _write(warehouse, name, settings.published / f"{name}.parquet") for name in names}


def publish_catalogue(settings: Settings) -> dict[str, int]:
    """Build only what is published of products, from the catalogue and the archive as they are, and publish it.

    For a new catalogue that shall not wait for the next batch; nobody else may use the warehouse meanwhile.
    Raises DbtFailed with dbt's message.
    """
    selection = [
        "--select",
        *(f"+{name}" for name in CATALOGUE),
        "--exclude-resource-type",
        "unit_test",
        "test",
    ]
    with tempfile.TemporaryDirectory() as target:
        run_dbt(settings.dbt_project, "warehouse", Path(target), ["build", *selection], settings.data)
    return publish(settings, CATALOGUE)


def _write(warehouse: duckdb.DuckDBPyConnection, name: str, path: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / path.name
        warehouse.execute(f"copy (select * from {name} order by all) to '{fresh}' (format parquet)")
        if not (path.exists() and filecmp.cmp(fresh, path, shallow=False)):
            with durable_file(path) as file:
                file.write(fresh.read_bytes())
    row = warehouse.execute(f"select count(*) from {name}").fetchone()
    return int(row[0]) if row else 0
