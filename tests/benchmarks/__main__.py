"""`make bench`: measure each part beside a baseline of the same run, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestration.settings import ROOT
from tests.benchmarks import dispatch, idle, intake, latency, report, scale, setup_time

RESULTS = ROOT / "data" / "bench"

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "setup": setup_time.measure,
    "intake": intake.measure,
    "dispatch": lambda: dispatch.measure(10_000),
    "scale": scale.measure,
    "idle": idle.measure,
    "latency": lambda: latency.measure(rates=(100, 1000), seconds=120),
    "timers": lambda: latency.measure_timers(seconds=60),
}


def main() -> None:
    """Run the parts asked for, one after another: they share two cores."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part alone (make bench ONLY=…)")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in [options.only] if options.only else PARTS:
        print(f"── {name}", flush=True)
        before, started = os.getloadavg()[0], time.monotonic()
        figures = PARTS[name]() | {
            "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
            "load_average_before": before,
            "load_average": os.getloadavg()[0],
            "took_s": round(time.monotonic() - started, 1),
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures, indent=1), flush=True)
    report.write(RESULTS, ROOT / "docs" / "benchmarks.md")


if __name__ == "__main__":
    main()
