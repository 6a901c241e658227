"""The files of a log: `000000000001.log`, `000000000002.log`, … of which only the last is appended to."""

import json
import os
from pathlib import Path
from typing import NamedTuple

_REMOVED = ".removed"


class Segment(NamedTuple):
    """One file of the log."""

    number: int
    path: Path
    size: int  # bytes


class Removed(NamedTuple):
    """The newest segment that was archived and removed; all older ones are gone too."""

    number: int
    size: int  # a reader that stood at its end has missed nothing


def segment_path(folder: Path, number: int) -> Path:
    """Where segment `number` lies."""
    return folder / f"{number:012d}.log"


def list_segments(folder: Path) -> list[Segment]:
    """All segments there are, oldest first."""
    removed = read_removed(folder).number
    found = [(int(path.stem), path) for path in folder.glob("[0-9]*.log")]
    return [Segment(n, path, path.stat().st_size) for n, path in sorted(found) if n > removed]


def size_of(folder: Path, number: int) -> int:
    """Bytes in segment `number`, 0 if it has not been created yet."""
    try:
        return segment_path(folder, number).stat().st_size
    except FileNotFoundError:
        return 0


def open_segment(folder: Path, number: int) -> int:
    """A descriptor for reading and writing; a new file is made to survive a power loss first."""
    path = segment_path(folder, number)
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        sync_folder(folder)
        return fd


def read_bytes(folder: Path, number: int, start: int, size: int) -> bytes:
    """Up to `size` bytes of a segment; none if it has not been created yet."""
    try:
        with segment_path(folder, number).open("rb") as file:
            return os.pread(file.fileno(), size, start)
    except FileNotFoundError:
        return b""


def read_removed(folder: Path) -> Removed:
    """What the archiver removed last; segment 0 stands for nothing."""
    try:
        return Removed(*json.loads((folder / _REMOVED).read_bytes()))
    except FileNotFoundError:
        return Removed(0, 0)


def write_removed(folder: Path, removed: Removed) -> None:
    """Note a removal before it happens, so that readers can tell a gap from a beginning."""
    temporary = folder / f"{_REMOVED}.tmp"
    with temporary.open("wb") as file:
        file.write(json.dumps(removed).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _REMOVED)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make created, renamed and removed names survive a power loss."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
