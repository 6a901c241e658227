"""`make prove DATA=…`: methods against public data, each figure beside the published one."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from orchestration.settings import ROOT
from tests.prove import cdnow, hillstrom, open_bandit, shoppers, upworthy
from tests.prove.figures import Absent, Figure, show

PARTS: dict[str, Callable[[Path], list[Figure]]] = {
    "upworthy": upworthy.prove,
    "open bandit": open_bandit.prove,
    "hillstrom": hillstrom.prove,
    "shoppers": shoppers.prove,
    "cdnow": cdnow.prove,
}
RESULTS = ROOT / "data" / "prove"


def main() -> int:
    """Run every part whose data are here; 1 if a promise does not hold."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with the data sets")
    data = parser.parse_args().data
    figures, skipped, took = [], [], {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=len(PARTS))
        for name, prove in PARTS.items():
            progress.update(task, description=f"{name:<12}")
            started = time.monotonic()
            try:
                figures += prove(data)
            except Absent as error:
                skipped.append(f"{name} skipped: {error}")
            took[name] = round(time.monotonic() - started, 1)
            progress.advance(task)
    show(figures)
    for line in skipped:
        print(line)
    RESULTS.mkdir(parents=True, exist_ok=True)
    report = {"figures": [figure.as_json() for figure in figures], "skipped": skipped, "seconds": took}
    (RESULTS / "data.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"{sum(took.values()):.0f} s; also in {RESULTS / 'data.json'}")
    return int(any(figure.holds is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
