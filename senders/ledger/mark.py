"""The high-water mark: how far the ledger had come, kept outside the database.

A database restored from a snapshot looks perfectly healthy; only something outside it can know
that emails went out since. The mark is durable before a dot is written, so every email that may
have left is at or below it. Keep the file on another volume where you can.
"""

import json
import os
import zlib
from pathlib import Path
from typing import NamedTuple

# Two slots, written in turn: a torn write spoils one and leaves the other.
_SLOT = 256


class Mark(NamedTuple):
    """The end of the audit chain at the last write, and when that was."""

    seq: int
    hash: bytes
    at_us: int


class MarkFile:
    """Reads and writes one mark, fsynced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._file: int | None = None

    def read(self) -> Mark | None:
        """The newest whole mark, None if there never was one."""
        if not self._path.exists():
            return None
        slots = _slots(self._path.read_bytes())
        return max(slots)[1] if slots else None

    def write(self, mark: Mark) -> None:
        """Durable when it returns."""
        if self._file is None:
            self._file = self._create()
        self._count += 1
        os.pwrite(self._file, _format(self._count, mark), self._count % 2 * _SLOT)
        os.fdatasync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _create(self) -> int:
        """Open for writing and count on, so that the next write spares the slot of the newest mark."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._count = max(_slots(os.pread(descriptor, 2 * _SLOT, 0)), default=(0, None))[0]
        folder = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(folder)  # a new file is not durable before its folder is
        os.close(folder)
        return descriptor


def _format(count: int, mark: Mark) -> bytes:
    body = json.dumps([count, mark.seq, mark.hash.hex(), mark.at_us]).encode()
    return (b"%08x " % zlib.crc32(body) + body).ljust(_SLOT - 1) + b"\n"


def _slots(data: bytes) -> list[tuple[int, Mark]]:
    """The whole slots, each with the number of its write."""
    return [slot for start in (0, _SLOT) if (slot := _parse(data[start : start + _SLOT]))]


def _parse(slot: bytes) -> tuple[int, Mark] | None:
    checksum, _, body = slot.strip(b" \n\0").partition(b" ")
    if not body or checksum != b"%08x" % zlib.crc32(body):
        return None
    count, seq, digest, at_us = json.loads(body)
    return count, Mark(seq, bytes.fromhex(digest), at_us)
