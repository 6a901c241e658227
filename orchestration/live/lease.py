"""Who runs the live lane, until when, how far it has come, and that it is alive."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec


@dataclass(frozen=True)
class Lease:
    """What the running window says of itself; epoch seconds."""

    run_id: str = ""
    ends_at: float = float("inf")
    beat_at: float = 0.0
    position: int = 0  # everything before it is in the warm database
    judged_until: float = 0.0  # every moment that ripened by then is in the ledger; epoch seconds
    model_version: str = ""
    is_working: bool = False  # the database is open and micro-batches run
    problem: str = ""  # why the newest edit of the models is not running, if so


def read_lease(path: Path) -> Lease:
    """The newest lease; a missing or torn file is a lease that never ends."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Lease)
    except (OSError, msgspec.MsgspecError):
        return Lease()


def write_lease(path: Path, lease: Lease) -> None:
    """Replace it whole: a reader sees the old one or the new one."""
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_bytes(msgspec.json.encode(asdict(lease)))
    scratch.replace(path)


class WindowLock:
    """Only one process runs the live lane. The kernel lets go when that process dies."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self, wait_seconds: float) -> bool:
        """True once it is ours; False when the predecessor kept it longer than `wait_seconds`."""
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)

    def release(self) -> None:
        os.close(self._fd)


def utc_now() -> datetime:
    """The wall clock, in the one place of the live lane that reads it."""
    return datetime.now(UTC)
