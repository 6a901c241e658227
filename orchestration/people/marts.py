"""One database file that anybody may open at any time: the tables people ask, with their meanings inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestration.people.catalogue import Table
from orchestration.people.files import replaced


def write_marts(file: Path, warehouse: Path, tables: Mapping[str, tuple[Table, str]]) -> dict[str, int]:
    """Build the file beside, then swap it in; returns rows per table.

    `tables`: (what it means, its relation in SQL, of the attached database `warehouse` or of a file) by name.
    """
    # Closed before the swap, so that nothing is left in a journal beside the scratch file.
    with replaced(file) as scratch, duckdb.connect(str(scratch)) as marts:
        marts.execute(f"attach '{_quoted(str(warehouse))}' as warehouse (read_only)")
        for name, (table, source) in tables.items():
            marts.execute(f"create table {name} as select * from {source}")
            _explain(marts, name, table)
        rows = {name: _rows(marts, name) for name in tables}
        marts.execute("detach warehouse")
    return rows


def _explain(marts: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    marts.execute(f"comment on table {name} is '{_quoted(table.description)}'")
    columns = {row[0] for row in marts.execute(f"describe {name}").fetchall()}
    for column, meaning in table.meanings.items():
        if column in columns and meaning:
            marts.execute(f"comment on column {name}.{column} is '{_quoted(meaning)}'")


def _rows(marts: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(marts.execute(f"select count(*) from {name}").fetchall()[0][0])


def _quoted(text: str) -> str:
    return text.replace("'", "''")
