"""Files that others write, taken into the live database when they changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from orchestration.live.store import LiveStore


def import_if_changed(store: LiveStore, name: str, files: Sequence[Path], read: Callable[[], int]) -> int:
    """Call `read` unless exactly these files were taken in before; returns the rows it read, else 0.

    The version is written after the rows: a crash between them reads the same files again.
    """
    version = ";".join(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)
    if store.first("select 1 from live.imported where name = ? and version = ?", [name, version]):
        return 0
    count = read()
    with store.transaction():
        store.execute("delete from live.imported where name = ?", [name])
        store.execute("insert into live.imported values (?, ?)", [name, version])
    store.checkpoint()
    return count
