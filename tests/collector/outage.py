"""A collector whose disk is full, and then not, to see which clients lose events meanwhile."""

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from collector.app import create_app
from collector.config import CollectorConfig
from collector.log import FileLog, LogFull, Overloaded
from collector.server import run_app

REFUSALS = 3


class Moody:
    """Refuses the first few groups."""

    def __init__(self, log: FileLog, error: Exception) -> None:
        self._log = log
        self._error = error
        self.refused = 0

    def append(self, payloads: Sequence[bytes]) -> int:
        self.refused += 1
        if self.refused <= REFUSALS:
            raise self._error
        return self._log.append(payloads)


def run_full(config: CollectorConfig, landing: Path, listener: socket.socket) -> None:
    """503 for the first requests."""
    _run(config, Moody(FileLog(landing), LogFull(28, "no room")), listener)


def run_overloaded(config: CollectorConfig, landing: Path, listener: socket.socket) -> None:
    """429 for the first requests."""
    _run(config, Moody(FileLog(landing), Overloaded("queue is full")), listener)


def _run(config: CollectorConfig, log: Moody, listener: socket.socket) -> None:
    run_app(create_app(replace(config, retry_after_seconds=1), log), listener)
