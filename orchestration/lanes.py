"""Live lane against warehouse: the same models over the same events must decide the same."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from orchestration.live.plan import RULES
from orchestration.live.statements import project_version
from orchestration.settings import Settings

Decided = dict[str, tuple[datetime, tuple[bool, ...]]]


@dataclass(frozen=True)
class Comparison:
    """How many decisions were compared, and those on which the lanes differ."""

    compared: int
    only_live: tuple[str, ...]
    only_warehouse: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def agree(self) -> bool:
        return not (self.only_live or self.only_warehouse or self.differing)

    def as_metadata(self) -> dict[str, int | str]:
        """For the UI, with a few ids to look at (`kairos why --decision ID`)."""
        return {
            "compared": self.compared,
            "only_live": len(self.only_live),
            "only_warehouse": len(self.only_warehouse),
            "differing": len(self.differing),
            "examples": ", ".join((*self.only_live, *self.only_warehouse, *self.differing)[:5]) or "none",
        }


def compare_lanes(settings: Settings) -> Comparison:
    """Compare what the running version of the models decided, up to where the warehouse has read."""
    live, first = _live(settings)
    warehouse, known_until = _warehouse(settings)
    if first is None:
        return Comparison(0, (), (), ())
    live = {key: value for key, value in live.items() if value[0] <= known_until}
    warehouse = {key: value for key, value in warehouse.items() if first <= value[0] <= known_until}
    both = live.keys() & warehouse.keys()
    return Comparison(
        compared=len(both),
        only_live=tuple(sorted(live.keys() - warehouse.keys())),
        only_warehouse=tuple(sorted(warehouse.keys() - live.keys())),
        differing=tuple(sorted(key for key in both if live[key] != warehouse[key])),
    )


def _live(settings: Settings) -> tuple[Decided, datetime | None]:
    """Decisions of the current version from the ledger, and the instant of the first."""
    version = project_version(settings.dbt_project)
    found: Decided = {}
    with sqlite3.connect(f"file:{settings.ledger}?mode=ro", uri=True) as ledger:
        rows = ledger.execute("select decision_id, qualifies_us, reasons, evidence from decisions")
        for decision_id, qualifies_us, reasons, evidence in rows:
            figures = json.loads(evidence)
            if figures.get("model_version") == version and not figures.get("ripened_before_the_models"):
                holds = json.loads(reasons)
                at = datetime.fromtimestamp(qualifies_us / 1e6, UTC).replace(tzinfo=None)
                found[decision_id] = (at, tuple(bool(holds[rule]) for rule in RULES))
    return found, min((at for at, _ in found.values()), default=None)


def _warehouse(settings: Settings) -> tuple[Decided, datetime]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        columns = ", ".join(RULES)
        rows = warehouse.execute(
            f"select decision_id, qualifies_at, {columns} from fct_send_decisions"
        ).fetchall()
        last = warehouse.execute("select max(received_at) from int_visitor_events").fetchall()[0][0]
    return {row[0]: (row[1], tuple(map(bool, row[2:]))) for row in rows}, last or datetime.min
