"""`make test`: each step says what it does; the first failure ends with its name and exit code."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# The same examples every time: a change, not a draw, turns this run red. `make chaos` and a plain
# `pytest tests/senders` draw anew.
SEEDED = "--hypothesis-seed=1"

STEPS: dict[str, list[str]] = {
    "lint": [str(BIN / "ruff"), "check", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "sql": [str(BIN / "sqlfluff"), "lint", "--processes", "2", "--disable-progress-bar", "dbt_project/models"],
    "imports": [str(BIN / "lint-imports"), "--no-cache"],
    "fast": [str(BIN / "pytest"), "tests/collector", "tests/senders", "tests/simulator", "-n", "2", SEEDED],
    "models": [sys.executable, "-m", "tests.models"],
    "system": [str(BIN / "pytest"), "tests", "--ignore=tests/collector", "--ignore=tests/senders", "--ignore=tests/simulator", "-n", "2", "--dist", "loadfile"],
}  # fmt: skip


def main(names: list[str]) -> int:
    """Run all steps, or those named."""
    for name in names or list(STEPS):
        print(f"── {name}", flush=True)
        started = time.monotonic()
        code = subprocess.run(STEPS[name], cwd=ROOT, check=False).returncode
        print(
            f"── {name}: {'ok' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - started:.0f} s",
            flush=True,
        )
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
