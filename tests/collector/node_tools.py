"""Where the npm clients and the browser are, and how to get them where they are not."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "node"
HOME = Path(os.environ.get("KAIROS_NODE_CLIENTS", SOURCES))  # install_clients.sh installs there
CHROMIUM = os.environ.get("KAIROS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
_HOW = "run tests/collector/install_clients.sh"


def require_node() -> None:
    """Skip where Node or the SDKs are missing."""
    if not shutil.which("node"):
        pytest.skip(f"Node.js 20 or later is not installed: install it, then {_HOW}")
    if not (HOME / "node_modules" / "@segment" / "analytics-node").is_dir():
        pytest.skip(f"the npm clients are not installed in {HOME}: {_HOW}")


def require_chromium() -> None:
    """Skip where there is no browser."""
    require_node()
    if not CHROMIUM:
        pytest.skip(f"Chromium is not installed: {_HOW} as root, or set KAIROS_CHROMIUM to its path")


def run_node(script: str, *args: object, seconds: float = 120) -> dict:
    """What a script prints as JSON in its last line."""
    env = {**os.environ, "NODE_PATH": str(HOME / "node_modules"), "CHROMIUM": CHROMIUM or ""}
    done = subprocess.run(
        ["node", str(SOURCES / script), *map(str, args)],
        env=env, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
