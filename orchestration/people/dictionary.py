"""The data dictionary beside the files: what each table and column means, and where to be careful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestration.people.catalogue import Table
from orchestration.people.export import Exported

ADDRESSES = "email"
WARNING = "**Has addresses of people: do not pass it on.**"


@dataclass(frozen=True)
class Entry:
    """One table; `is_file` if it lies beside the dictionary too, not only in the database."""

    table: Table
    found: Exported
    is_file: bool

    @property
    def has_addresses(self) -> bool:
        """Whether it tells how to reach people."""
        return any(name == ADDRESSES or name.endswith(f"_{ADDRESSES}") for name, _ in self.found.columns)


def dictionary(entries: Sequence[Entry], as_of: datetime | None) -> str:
    """The page, in Markdown; `as_of` (UTC) is None as long as nothing has landed."""
    known = f"As of {as_of:%Y-%m-%d %H:%M:%S} UTC." if as_of else "Nothing has landed yet."
    lines = ["# Data dictionary", "", known, "Instants are UTC.", ""]
    lines += ["| table | rows | where | addresses |", "|---|---|---|---|", *map(_row, entries)]
    for entry in entries:
        lines += ["", *_section(entry)]
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> str:
    where = "Parquet, CSV, marts.duckdb" if entry.is_file else "marts.duckdb"
    mark = "**yes**" if entry.has_addresses else "no"
    name = entry.table.name
    return f"| [{name}](#{name}) | {entry.found.rows} | {where} | {mark} |"


def _section(entry: Entry) -> list[str]:
    warning = [WARNING, ""] if entry.has_addresses else []
    head = [f"## {entry.table.name}", "", entry.table.description, "", *warning]
    meanings = entry.table.meanings
    return [
        *head,
        "| column | type | meaning |",
        "|---|---|---|",
        *(
            f"| {name} | {kind.lower()} | {_cell(meanings.get(name, ''))} |"
            for name, kind in entry.found.columns
        ),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
