"""How long `make setup` takes in a fresh checkout, and again when everything is there."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from orchestration.settings import ROOT


def measure() -> dict[str, Any]:
    """Seconds; the packages come from wherever pip is configured to find them, its cache included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "kairos"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        first = _time(folder)
        return {"first_s": first, "again_s": _time(folder), "baseline_venv_s": _venv(Path(name))}


def _time(folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["make", "setup"], cwd=folder, check=True, capture_output=True)
    return round(time.perf_counter() - started, 1)


def _venv(folder: Path) -> float:
    """An empty virtual environment, the least any set-up can take."""
    started = time.perf_counter()
    subprocess.run(["python3", "-m", "venv", str(folder / "empty")], check=True, capture_output=True)
    return round(time.perf_counter() - started, 1)
