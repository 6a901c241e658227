"""The dbt project as an analytics engineer runs it, in a temporary folder: `python -m tests.models`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from orchestration.dbt import DbtFailed, run_dbt
from orchestration.settings import ROOT
from tests.models.sample import write_sample

PROJECT = ROOT / "dbt_project"
EVENTS = 4_000
WITHOUT_UNIT_TESTS = ["build", "--exclude-resource-type", "unit_test"]


def main() -> int:
    """Build on a sample and on nothing, document, compile for the live lane; 1 if dbt refuses any of it."""
    with tempfile.TemporaryDirectory() as folder:
        sample, nothing, target = (Path(folder) / name for name in ("sample", "nothing", "target"))
        nothing.mkdir()
        print(f"{write_sample(sample, EVENTS)} events landed")
        try:
            _step("models, tests and unit tests on the sample", "warehouse", target, ["build"], sample)
            _step("documentation", "warehouse", target, ["docs", "generate"], sample)
            _step("models and tests without any data", "warehouse", target, WITHOUT_UNIT_TESTS, nothing)
            _step("compiled for the live lane", "live", Path(folder) / "live", ["compile"], sample)
        except DbtFailed as error:
            print(error)
            return 1
    return 0


def _step(what: str, lane: str, target: Path, arguments: list[str], data: Path) -> None:
    started = time.monotonic()
    try:
        run_dbt(PROJECT, lane, target, arguments, data)
    finally:
        print(f"{what}: {_counted(target)} in {time.monotonic() - started:.0f} s", flush=True)


def _counted(target: Path) -> str:
    """What dbt's own report says: `15 model success, 52 unit_test pass`."""
    report = target / "run_results.json"
    if not report.exists():
        return "nothing ran"
    results = json.loads(report.read_text())["results"]
    counts = Counter(f"{result['unique_id'].split('.')[0]} {result['status']}" for result in results)
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
