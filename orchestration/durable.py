"""Files that appear whole and outlive a power loss, or do not appear at all."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from collector.log.segments import sync_folder


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A scratch path to write to; it takes the file's place at the end, and vanishes if something fails.

    Whoever has the old file open keeps reading the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    _sweep(path)
    try:
        yield scratch
        _sync_file(scratch)
        scratch.replace(path)
        sync_folder(path.parent)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def durable_file(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """The same as an open file."""
    with (
        replaced(path) as scratch,
        open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file,
    ):
        yield file


def create_once(path: Path, content: bytes, mode: int = 0o600) -> bytes:
    """Create a file unless it is there; returns what it holds, whichever process was first."""
    if not path.exists():
        complete = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}")
        with durable_file(complete, mode) as file:
            file.write(content)
        try:
            os.link(complete, path)
        except FileExistsError:
            pass  # another process was quicker: its content counts
        finally:
            complete.unlink()
        sync_folder(path.parent)
    return path.read_bytes()


def sync_tree(folder: Path) -> None:
    """Make everything below a folder durable, before it is renamed into its place."""
    for root, _, files in os.walk(folder):
        for name in files:
            _sync_file(Path(root) / name)
        sync_folder(Path(root))


def _sweep(path: Path) -> None:
    """Remove what killed writers of this file left, and our own of an earlier time."""
    for stale in path.parent.glob(f".{glob.escape(path.name)}.*-*"):
        pid = stale.name.removeprefix(f".{path.name}.").partition("-")[0]
        if pid.isdigit() and not _is_another_at_work(int(pid), stale):
            stale.unlink(missing_ok=True)


def _is_another_at_work(pid: int, scratch: Path) -> bool:
    if pid == os.getpid():
        return not scratch.name.endswith(f"-{get_ident()}")  # another thread
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's process, alive
    return True


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
