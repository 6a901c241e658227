"""What a running Kairos costs when nothing happens."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from orchestration.processes import Processes
from orchestration.settings import load_settings
from orchestration.system import start_dagster
from tests.system import System, free_port

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def measure(seconds: float = 60, settle: float = 40) -> dict[str, Any]:
    """CPU share of one core and memory (proportional set size) of collector, Dagster and live lane together."""
    with tempfile.TemporaryDirectory() as name:
        system = System(Path(name), {"KAIROS_BATCH_CRON": "0 0 1 1 *"})
        try:
            system.start_sink()
            system.start_collector()
            settings = load_settings(data=system.data)
            with Processes(system.folder, system.environment()) as parts:
                start_dagster(parts, settings, free_port())
                system.wait_for_window(180)
                time.sleep(settle)
                groups = {
                    "collector": system.processes["collector"].pid,
                    "dagster": parts.children["dagster"].pid,
                }
                return _watch(groups, seconds)
        finally:
            system.close()


def _watch(groups: dict[str, int], seconds: float) -> dict[str, Any]:
    before = {name: _cpu(_members(group)) for name, group in groups.items()}
    time.sleep(seconds)
    figures: dict[str, Any] = {}
    for name, group in groups.items():
        members = _members(group)
        used = _cpu(members)
        spent = sum(used[pid] - before[name].get(pid, 0.0) for pid in used)
        figures[name] = {
            "cpu_percent_of_a_core": round(100 * spent / seconds, 2),
            "memory_mb": round(sum(_memory(pid) for pid in members) / 1e6),
            "processes": len(members),
        }
    figures["cpu_percent_of_a_core"] = round(
        sum(figures[name]["cpu_percent_of_a_core"] for name in groups), 2
    )
    figures["memory_mb"] = sum(figures[name]["memory_mb"] for name in groups)
    return figures


def _members(group: int) -> list[int]:
    """Processes of a group and everything below them."""
    parents = {pid: _parent(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))}
    found = {group}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found)
        found |= more


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return -1


def _cpu(pids: list[int]) -> dict[int, float]:
    """CPU seconds used so far."""
    used = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        used[pid] = (int(fields[11]) + int(fields[12])) / TICKS
    return used


def _memory(pid: int) -> int:
    """Bytes, shared pages counted by share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
