"""The models as compiled SQL: dbt compiles once per change, the live lane runs the text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from orchestration.dbt import DbtFailed, compile_into

CANDIDATES = "fct_trigger_candidates"
DECISIONS = "fct_send_decisions"
FOLD = "int_customer_states"
SEEDS = (
    "thresholds",
    "routes",
    "variants",
    "exits",
    "sequences",
    "offers",
    "review_rules",
    "interests",
    "intent_weights",
    "segment_thresholds",
)


class ModelsDoNotCompile(RuntimeError):
    """dbt refused the project; the message is dbt's own."""


@dataclass(frozen=True)
class Statement:
    """One model of the live lane.

    `needs` names events or published tables without which it has no rows: then it is not run. Nor is it while the
    row of a seed that is its `switch` (`seed.key`, or `seed` for any row) is not enabled. `replan`: it looks things up
    in a large table, so its plan is made when it runs (tables.py).
    """

    name: str
    sql: str
    needs: tuple[str, ...] = ()
    switch: str = ""
    replan: bool = False


@dataclass(frozen=True)
class Statements:
    """The compiled models in the order in which they build on each other, the seeds, and their version.

    `probe` finds candidates and runs in every micro-batch; `decide` runs only when there are new ones.
    """

    version: str
    probe: tuple[Statement, ...]
    decide: tuple[Statement, ...]
    fold: str  # what is known of customers, for forgetting visitors without forgetting people
    seeds: dict[str, Path]
    seed_types: dict[str, dict[str, str]]


def project_version(project: Path) -> str:
    """A hash over everything that shapes the compiled SQL."""
    digest = hashlib.sha256()
    for folder in ("models", "macros", "seeds", "dbt_project.yml", "profiles.yml"):
        root = project / folder
        for file in sorted([root] if root.is_file() else root.rglob("*")):
            if file.is_file():
                digest.update(str(file.relative_to(project)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def compile_statements(project: Path, cache: Path) -> Statements:
    """The compiled project, from the cache if nothing changed.

    Raises ModelsDoNotCompile with dbt's message; a failed compile leaves no trace in the cache.
    """
    version = project_version(project)
    target = cache / version
    if not (target / "manifest.json").exists():
        try:
            compile_into(project, "live", target)
        except DbtFailed as error:
            raise ModelsDoNotCompile(str(error)) from None
    return _read(project, target, version)


def stored_statements(project: Path, cache: Path, version: str) -> Statements | None:
    """A version compiled earlier, if it is still there."""
    target = cache / version
    return _read(project, target, version) if (target / "manifest.json").exists() else None


def _read(project: Path, target: Path, version: str) -> Statements:
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    probe = _chain(nodes, CANDIDATES, set())
    decide = _chain(nodes, DECISIONS, {statement.name for statement in probe})
    seeds = {name: target / "seeds" / f"{name}.csv" for name in SEEDS}
    types = {name: nodes[_key("seed", name)]["config"].get("column_types") or {} for name in SEEDS}
    return Statements(
        version, tuple(probe), tuple(decide), nodes[_key("model", FOLD)]["compiled_code"], seeds, types
    )


def _chain(nodes: dict[str, dict], last: str, done: set[str]) -> list[Statement]:
    """The tables that `last` builds on and itself, parents first; ephemeral models are inside their children."""
    found: dict[str, Statement] = {}

    def visit(key: str) -> None:
        node = nodes.get(key)
        if node is None or node["resource_type"] != "model" or node["name"] in found or node["name"] in done:
            return
        for parent in sorted(node["depends_on"]["nodes"]):
            visit(parent)
        if node["config"]["materialized"] == "table":
            meta = node["config"].get("meta", {})
            needs, switch = tuple(meta.get("live_needs", ())), meta.get("live_switch", "")
            replan = meta.get("live_replan", False)
            found[node["name"]] = Statement(node["name"], node["compiled_code"], needs, switch, replan)

    visit(_key("model", last))
    return list(found.values())


def _key(kind: str, name: str) -> str:
    return f"{kind}.kairos.{name}"
