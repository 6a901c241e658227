"""Live lane against warehouse: the same models over the same events must decide the same."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from orchestration.live.plan import RULES
from orchestration.live.statements import project_version
from orchestration.settings import Settings

CATALOGUE_RULE = "has_something_to_offer"


@dataclass(frozen=True)
class Decided:
    """When it qualified, about whom, and how each rule was answered."""

    at: datetime
    person: str = field(compare=False)
    rules: tuple[bool, ...]
    variant: str | None = None
    policy_version: str | None = None  # the odds it was drawn by

    @property
    def could_offer(self) -> bool:
        return self.rules[RULES.index(CATALOGUE_RULE)]


Decisions = dict[str, Decided]


@dataclass(frozen=True)
class Comparison:
    """How many decisions were compared, and those on which the lanes differ.

    The live lane knew the catalogue of that time, the warehouse knows today's. Where that changed an answer,
    all decisions about the person are left out, since caps follow from what was sent: `left_out`.
    """

    compared: int
    only_live: tuple[str, ...]
    only_warehouse: tuple[str, ...]
    differing: tuple[str, ...]
    left_out: int = 0

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
            "left_out_since_the_catalogue_changed": self.left_out,
            "examples": ", ".join((*self.only_live, *self.only_warehouse, *self.differing)[:5]) or "none",
        }


def compare_lanes(settings: Settings) -> Comparison:
    """Compare what the running version of the models decided, up to where the warehouse has read."""
    live, first = _live(settings)
    warehouse, known_until = _warehouse(settings)
    if first is None:
        return Comparison(0, (), (), ())
    live = {key: one for key, one in live.items() if one.at <= known_until}
    warehouse = {key: one for key, one in warehouse.items() if first <= one.at <= known_until}
    moved = {
        live[key].person
        for key in live.keys() & warehouse.keys()
        if live[key].could_offer != warehouse[key].could_offer
    }
    left_out = {key for key, one in (live | warehouse).items() if one.person in moved}
    both = (live.keys() & warehouse.keys()) - left_out
    return Comparison(
        compared=len(both),
        only_live=tuple(sorted(live.keys() - warehouse.keys() - left_out)),
        only_warehouse=tuple(sorted(warehouse.keys() - live.keys() - left_out)),
        differing=tuple(sorted(key for key in both if live[key] != warehouse[key])),
        left_out=len(left_out),
    )


def _live(settings: Settings) -> tuple[Decisions, datetime | None]:
    """Decisions of the current version from the ledger, and the instant of the first."""
    version = project_version(settings.dbt_project)
    found: Decisions = {}
    with sqlite3.connect(f"file:{settings.ledger}?mode=ro", uri=True) as ledger:
        rows = ledger.execute(
            "select decision_id, coalesce(customer_id, visitor_id), qualifies_us, reasons, evidence, variant from decisions"
        )
        for decision_id, person, qualifies_us, reasons, evidence, variant in rows:
            figures = json.loads(evidence)
            if figures.get("model_version") == version and not figures.get("ripened_before_the_models"):
                holds = json.loads(reasons)
                at = datetime.fromtimestamp(qualifies_us / 1e6, UTC).replace(tzinfo=None)
                answers = tuple(bool(holds[rule]) for rule in RULES)
                found[decision_id] = Decided(at, person, answers, variant, figures.get("policy_version"))
    return found, min((one.at for one in found.values()), default=None)


def _warehouse(settings: Settings) -> tuple[Decisions, datetime]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        columns = ", ".join(RULES)
        rows = warehouse.execute(
            f"select decision_id, qualifies_at, coalesce(customer_id, visitor_id), variant, policy_version, {columns} from fct_send_decisions"
        ).fetchall()
        last = warehouse.execute("select max(received_at) from int_visitor_events").fetchall()[0][0]
    return {
        row[0]: Decided(row[1], row[2], tuple(map(bool, row[5:])), row[3], row[4]) for row in rows
    }, last or datetime.min
