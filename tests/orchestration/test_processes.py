"""Whoever starts parts ends them, however it is told to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

PARENT = """
import sys, time
from pathlib import Path
from orchestration.processes import Processes

with Processes(Path(sys.argv[1]), {}) as parts:
    parts.start("sleeper", ["sleep", "60"])
    print(parts.children["sleeper"].pid, flush=True)
    time.sleep(60)
"""


def test_a_service_manager_that_stops_us_stops_our_parts(tmp_path: Path):
    """Also while they work: nothing may keep the port or the window's lock behind our back."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _is_running(child)

    parent.send_signal(signal.SIGTERM)
    parent.wait(10)

    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
