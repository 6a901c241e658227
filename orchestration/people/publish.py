"""After each batch: segments and what belongs to them as files, and one database, from the warehouse."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from orchestration.people.behaviour import behaviour
from orchestration.people.catalogue import LIFETIMES_TABLE, PROPOSALS_TABLE, Table, for_database, for_files
from orchestration.people.clusters import PROPOSALS, WINDOW_DAYS, Proposals, propose
from orchestration.people.dictionary import Entry, dictionary
from orchestration.people.export import Exported, count, describe, export, forget_others
from orchestration.people.files import replaced
from orchestration.people.lifetime import LIFETIMES, Lifetimes, lifetimes
from orchestration.people.marts import write_marts

PROPOSALS_LAST = timedelta(days=1)


@dataclass(frozen=True)
class Places:
    """Where things lie in the data folder."""

    data: Path

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def segments(self) -> Path:
        return self.data / "segments"

    @property
    def marts(self) -> Path:
        return self.data / "marts.duckdb"

    def worked_out(self, name: str) -> Path:
        """What Python worked out beside the models."""
        return self.data / "worked_out" / f"{name}.parquet"


@dataclass(frozen=True)
class Published:
    """Rows per table, and the members of each segment day by day (oldest first)."""

    files: dict[str, int]
    marts: dict[str, int]
    members: dict[str, list[int]]


def read_manifest(target: Path) -> dict[str, Any]:
    """dbt's manifest from a folder with a parsed project."""
    return json.loads((target / "manifest.json").read_text())


def work_out_lifetimes(places: Places) -> Lifetimes:
    """Fit on all orders, as far as the warehouse knows, and keep the result for `publish`."""
    with duckdb.connect(str(places.warehouse), read_only=True) as warehouse:
        as_of = known_until(warehouse)
        rows = warehouse.execute("select customer_id, ordered_at, order_value from fct_orders").fetchall()
    schema = {"customer_id": pl.String, "ordered_at": pl.Datetime("us"), "order_value": pl.Float64}
    orders = pl.DataFrame(rows, schema=schema, orient="row")
    found = lifetimes(orders, as_of) if as_of else Lifetimes(LIFETIMES.to_frame(), "nothing has landed yet")
    keep(found.customers, places.worked_out(LIFETIMES_TABLE.name))
    return found


def work_out_proposals(places: Places) -> Proposals:
    """Groups among those who came within the last weeks, and how they compare with a week earlier.

    Anew once a day: what people are like does not change in minutes, and it takes seconds of a core.
    """
    file = places.worked_out(PROPOSALS_TABLE.name)
    kept = pl.read_parquet(file) if file.exists() else PROPOSALS.to_frame()
    with duckdb.connect(str(places.warehouse), read_only=True) as warehouse:
        as_of = known_until(warehouse)
        if as_of is None:
            found = Proposals(PROPOSALS.to_frame(), "nothing has landed yet")
        elif _is_fresh(kept, as_of):
            return Proposals(kept)
        else:
            people = behaviour(warehouse, as_of, WINDOW_DAYS)
            found = propose(people, behaviour(warehouse, as_of - timedelta(days=7), WINDOW_DAYS), as_of)
    keep(found.table, file)
    return found


def _is_fresh(kept: pl.DataFrame, as_of: datetime) -> bool:
    """Proposals of this version of the table, worked out within the last day before `as_of`."""
    if kept.schema != PROPOSALS or kept.is_empty():
        return False
    return timedelta(0) <= as_of - kept["as_of"][0] < PROPOSALS_LAST


def keep(frame: pl.DataFrame, file: Path) -> None:
    """As Parquet, whole or not at all."""
    with replaced(file) as scratch:
        frame.write_parquet(scratch)


def publish(places: Places, manifest: dict[str, Any]) -> Published:
    """Write files, dictionary and database; raises duckdb.Error if a model has not been built."""
    files, everything = for_files(manifest), for_database(manifest)
    _prepare(places, everything)
    with duckdb.connect() as connection:
        connection.execute(f"attach {_text(places.warehouse)} as warehouse (read_only)")
        written = {
            table.name: export(connection, table.name, _source(places, table), places.segments)
            for table in files
        }
        entries = [_entry(connection, places, table, written) for table in everything]
        as_of, members = known_until(connection), _members(connection)
    forget_others(places.segments, set(written))
    with replaced(places.segments / "dictionary.md") as scratch:
        scratch.write_text(dictionary(entries, as_of))
    sources = {table.name: (table, _source(places, table)) for table in everything}
    rows = write_marts(places.marts, places.warehouse, sources)
    return Published({name: found.rows for name, found in written.items()}, rows, members)


def _prepare(places: Places, tables: list[Table]) -> None:
    """What has not been worked out yet is empty."""
    for table in tables:
        if table.schema is not None and not places.worked_out(table.name).exists():
            keep(table.schema.to_frame(), places.worked_out(table.name))


def _entry(
    connection: duckdb.DuckDBPyConnection, places: Places, table: Table, written: dict[str, Exported]
) -> Entry:
    found = written.get(table.name)
    source = _source(places, table)
    return Entry(
        table,
        found or Exported(table.name, count(connection, source), describe(connection, source)),
        found is not None,
    )


def known_until(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Up to when the warehouse knows what happened (UTC, without zone); None if nothing has."""
    rows = connection.execute("select max(received_at) from warehouse.main.int_visitor_events").fetchall()
    return rows[0][0]


def _source(places: Places, table: Table) -> str:
    if table.is_model:
        return f"warehouse.main.{table.name}"
    return f"read_parquet({_text(places.worked_out(table.name))})"


def _members(connection: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    rows = connection.execute(
        "select segment_name, member_count from warehouse.main.fct_segment_movements "
        "order by segment_name, movement_date"
    )
    for name, member_count in rows.fetchall():
        found.setdefault(name, []).append(member_count)
    return found


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
