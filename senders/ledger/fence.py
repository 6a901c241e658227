"""One sender at a time: a file lock against accidents, an epoch in the ledger against ghosts."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path


class SenderBusy(RuntimeError):
    """Another process is the sender."""


class StaleSender(RuntimeError):
    """A newer sender has taken over; this one may not write any more, and so cannot send."""


class SenderLock:
    """An exclusive lock that the operating system releases when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, wait_seconds: float = 0.0, sleep: Callable[[float], None] = time.sleep) -> None:
        """Become the sender, waiting up to `wait_seconds` for the present one to finish."""
        if self._file is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(int(wait_seconds / 0.02)):
            if _try(descriptor):
                break
            sleep(0.02)
        else:
            self._try_last(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._file = descriptor

    def release(self) -> None:
        """Let the next sender in."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _try_last(self, descriptor: int) -> None:
        if _try(descriptor):
            return
        holder = os.pread(descriptor, 32, 0).decode().strip() or "unknown"
        os.close(descriptor)
        raise SenderBusy(
            f"process {holder} is already sending from this ledger ({self._path.name}): "
            "stop it, or wait until it has finished"
        )


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
