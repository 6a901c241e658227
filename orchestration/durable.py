"""Files that appear whole and outlive a power loss, or do not appear at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from collector.log.segments import sync_folder


@contextmanager
def durable_file(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Write into it; it takes the place of `path` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}.writing")
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_folder(path.parent)


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


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
