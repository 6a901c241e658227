"""Tables as Parquet and CSV, for people and programs that have no database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.people.files import replaced

# A spreadsheet takes a cell that begins like this for a formula, and formulas can call out.
DANGEROUS = r"^[=+\-@\t\r\n]"
PLAIN = (
    "BOOLEAN", "DATE", "TIME", "DOUBLE", "FLOAT", "DECIMAL",
    "INTEGER", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "UINTEGER", "UBIGINT", "USMALLINT", "UTINYINT",
)  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A table that was written; `columns` are (name, type of DuckDB)."""

    name: str
    rows: int
    columns: tuple[tuple[str, str], ...]


def export(connection: duckdb.DuckDBPyConnection, name: str, source: str, folder: Path) -> Exported:
    """Write `source`, a relation in SQL, as `name`.parquet and `name`.csv; in the order of its columns.

    Each replaces its predecessor at once.
    """
    columns = describe(connection, source)
    with replaced(folder / f"{name}.parquet") as file:
        connection.execute(f"copy (select * from {source} order by all) to {_text(file)} (format parquet)")
    cells = ", ".join(_cell(column, kind) for column, kind in columns)
    with replaced(folder / f"{name}.csv") as file:
        connection.execute(
            f"copy (select {cells} from {source} order by all) to {_text(file)} (format csv, header)"
        )
    return Exported(name, count(connection, source), columns)


def describe(connection: duckdb.DuckDBPyConnection, source: str) -> tuple[tuple[str, str], ...]:
    """(column, type) of a relation."""
    rows = connection.execute(f"describe select * from {source}").fetchall()
    return tuple((row[0], row[1]) for row in rows)


def count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    """Number of rows."""
    return int(connection.execute(f"select count(*) from {source}").fetchall()[0][0])


def forget_others(folder: Path, kept: set[str]) -> list[str]:
    """Remove the files of segments that are no more: a stale list of people is worse than none."""
    stale = [
        file
        for file in folder.glob("seg_*.*")
        if file.suffix in (".csv", ".parquet") and file.stem not in kept
    ]
    for file in stale:
        file.unlink()
    return sorted(file.name for file in stale)


def _cell(column: str, kind: str) -> str:
    """Numbers and instants as they are, every text so that no spreadsheet runs it."""
    name = f'"{column}"'
    if kind.startswith(PLAIN):
        return name
    text = f"cast({name} as varchar)"
    return f"case when regexp_matches({text}, '{DANGEROUS}') then '''' || {text} else {text} end as {name}"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
