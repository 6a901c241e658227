"""All triggers at once, for the data team: what is in force, what the traffic recommends, or why nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from orchestration.calibration.calibrate import Calibration, calibrate
from orchestration.calibration.grids import GRIDS
from orchestration.calibration.hazard import observed
from orchestration.calibration.moments import open_warehouse
from orchestration.calibration.report import html, written
from orchestration.durable import durable_file

LAST = timedelta(days=1)
"""Whoever calibrates by the minute follows noise."""


@dataclass(frozen=True)
class Proposals:
    """A row of text per trigger, how many have a recommendation, up to when they knew what happened (UTC), and which
    seeds were in force."""

    as_of: datetime | None
    recommended: int
    table: str
    seeds: str


def propose(warehouse: Path, seeds: Path, folder: Path) -> Proposals:
    """Measure every trigger on the warehouse and write its report, unless those there are of the same day and seeds.

    Changes no seed. Raises duckdb.IOException while another process writes to the warehouse, NotBuilt where models
    are missing.
    """
    with open_warehouse(warehouse) as connection:
        as_of = observed(connection).until
        version = hashlib.sha256((seeds / "thresholds.csv").read_bytes()).hexdigest()
        kept = _kept(folder)
        if kept and kept.seeds == version and _is_fresh(kept, as_of):
            return kept
        found = [calibrate(connection, seeds, trigger) for trigger in GRIDS]
    for one in found:
        _write(folder / f"{one.grid.trigger}.html", html(one).encode())
    fresh = Proposals(as_of, sum(one.recommendation is not None for one in found), _table(found), version)
    _write(_file(folder), msgspec.json.encode(asdict(fresh)))
    return fresh


def _is_fresh(kept: Proposals, as_of: datetime | None) -> bool:
    return bool(as_of and kept.as_of) and timedelta(0) <= as_of - kept.as_of < LAST


def _kept(folder: Path) -> Proposals | None:
    try:
        return msgspec.json.decode(_file(folder).read_bytes(), type=Proposals)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None  # none yet, or of an older version: measured anew


def _file(folder: Path) -> Path:
    return folder / "proposals.json"


def _write(path: Path, content: bytes) -> None:
    with durable_file(path) as file:
        file.write(content)


def _table(found: Sequence[Calibration]) -> str:
    """Markdown."""
    head = ["| trigger | in force | recommended | why |", "|---|---|---|---|"]
    return "\n".join([*head, *map(_row, found)])


def _row(found: Calibration) -> str:
    chosen = found.recommendation.chosen.value if found.recommendation else None
    return (
        f"| {found.grid.trigger} | {written(found, found.in_force)} "
        f"| {'–' if chosen is None else written(found, chosen)} "
        f"| {found.recommendation.reason if found.recommendation else found.refusal} |"
    )
