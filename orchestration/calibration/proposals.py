"""All triggers at once, for the data team: what is in force, what the traffic recommends, or why nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.calibration.calibrate import Calibration, calibrate
from orchestration.calibration.grids import GRIDS
from orchestration.calibration.moments import open_warehouse
from orchestration.calibration.report import html, written
from orchestration.durable import durable_file


@dataclass(frozen=True)
class Proposals:
    """One calibration per trigger, and the folder with their reports."""

    calibrations: Sequence[Calibration]
    folder: Path

    @property
    def recommended(self) -> int:
        """How many triggers have a recommendation."""
        return sum(found.recommendation is not None for found in self.calibrations)

    def as_markdown(self) -> str:
        """One row per trigger."""
        head = ["| trigger | in force | recommended | why |", "|---|---|---|---|"]
        return "\n".join([*head, *(_row(found) for found in self.calibrations)])


def propose(warehouse: Path, seeds: Path, folder: Path) -> Proposals:
    """Measure every trigger on the warehouse and write its report; changes no seed.

    Raises duckdb.IOException while another process writes to the warehouse, NotBuilt where models are missing.
    """
    with open_warehouse(warehouse) as connection:
        found = [calibrate(connection, seeds, trigger) for trigger in GRIDS]
    for one in found:
        with durable_file(folder / f"{one.grid.trigger}.html") as file:
            file.write(html(one).encode())
    return Proposals(found, folder)


def _row(found: Calibration) -> str:
    chosen = found.recommendation.chosen.value if found.recommendation else None
    return (
        f"| {found.grid.trigger} | {written(found, found.in_force)} "
        f"| {'–' if chosen is None else written(found, chosen)} "
        f"| {found.recommendation.reason if found.recommendation else found.refusal} |"
    )
