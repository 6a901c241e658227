"""A measured figure beside the published or promised one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class Absent(FileNotFoundError):
    """A part cannot be proved here; the message names the file it needs."""


@dataclass(frozen=True)
class Figure:
    """`holds`: whether a promise is kept; None where the other figure is only shown beside ours."""

    part: str
    what: str
    measured: str
    beside: str
    holds: bool | None = None

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"holds": None if self.holds is None else bool(self.holds)}


def need(path: Path) -> Path:
    """The file, or Absent."""
    if not path.exists():
        raise Absent(f"{path} is not here; see the table in docs/experiments.md for where the data come from")
    return path


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def show(figures: Sequence[Figure]) -> None:
    """A table in the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table("part", "what", "measured", "published or promised", "")
    for one in figures:
        mark = "" if one.holds is None else "[green]holds[/]" if one.holds else "[red]does not hold[/]"
        table.add_row(one.part, one.what, one.measured, one.beside, mark)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
