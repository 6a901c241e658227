"""Where the log ends: one small record in the lock file, shared by all processes that append.

It saves every writer from re-reading what the others wrote.
It is a hint and never the truth: when it is missing, damaged or from before a reboot, the segments decide.
"""

import fcntl
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self
from zlib import crc32

_RECORD = struct.Struct("<QQQQ36s")
_CRC = struct.Struct("<I")


class Tail(NamedTuple):
    """The end of the log as the last writer left it."""

    segment: int  # the open segment
    end: int  # bytes of whole frames in it
    stamped: int  # latest instant promised or stamped, microseconds since 1970
    opened: int  # instant of the open segment's first frame, 0 while it is empty

    @classmethod
    def unpack(cls, record: bytes) -> Self | None:
        """The tail in a record, or None if it is damaged or was written before the last reboot."""
        body, check = record[: _RECORD.size], record[_RECORD.size :]
        if len(check) != _CRC.size or _CRC.unpack(check)[0] != crc32(body):
            return None
        *fields, boot = _RECORD.unpack(body)
        return cls(*fields) if boot == BOOT else None

    def pack(self) -> bytes:
        """The record of this tail."""
        body = _RECORD.pack(*self, BOOT)
        return body + _CRC.pack(crc32(body))


def _boot_id() -> bytes:
    """Changes with every reboot; constant where the system has none (a power loss is then not noticed)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()[:36].ljust(36, b"-")
    except OSError:
        return b"-" * 36


BOOT = _boot_id()


class TailLock:
    """The exclusive lock on the end of a log, between threads and between processes."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._thread = threading.Lock()  # flock does not part two threads that share a descriptor

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the end of the log; the system releases it if this process dies."""
        with self._thread:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def read(self) -> Tail | None:
        """The recorded tail, None if there is none to trust."""
        return Tail.unpack(os.pread(self._fd, 256, 0))

    def write(self, tail: Tail) -> None:
        """Record the tail for the next holder of the lock."""
        os.pwrite(self._fd, tail.pack(), 0)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)
