"""The models as compiled SQL: dbt compiles once per change, the live lane runs the text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from orchestration.dbt import DbtFailed, compile_into

# Each refers to the ones before it; the live lane runs them in this order.
PROBE = ("int_visitor_events", "int_trigger_moments", "fct_trigger_candidates")
DECIDE = ("int_candidate_rules", "int_candidate_walk", "int_cart_contents", "fct_send_decisions")
FOLD = "int_customer_states"
SEEDS = ("thresholds", "routes", "variants", "exits")


class ModelsDoNotCompile(RuntimeError):
    """dbt refused the project; the message is dbt's own."""


@dataclass(frozen=True)
class Statements:
    """Compiled SQL by model name, the seed files to load, and the version they were made from."""

    version: str
    sql: dict[str, str]
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


def newest_statements(project: Path, cache: Path) -> Statements | None:
    """The last version that compiled, for when the newest edit does not."""
    versions = sorted(cache.glob("*/manifest.json"), key=lambda file: file.stat().st_mtime)
    return _read(project, versions[-1].parent, versions[-1].parent.name) if versions else None


def _read(project: Path, target: Path, version: str) -> Statements:
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    sql = {name: nodes[f"model.kairos.{name}"]["compiled_code"] for name in (*PROBE, *DECIDE, FOLD)}
    seeds = {name: target / "seeds" / f"{name}.csv" for name in SEEDS}
    types = {name: nodes[f"seed.kairos.{name}"]["config"].get("column_types") or {} for name in SEEDS}
    return Statements(version, sql, seeds, types)
