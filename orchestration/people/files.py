"""Files that others read while they are replaced: written beside, made durable, renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.log.segments import sync_folder


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """A scratch path to write to; it takes the file's place at the end, and vanishes if something fails.

    Whoever has the old file open keeps reading the old one.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f".{file.name}.writing")
    scratch.unlink(missing_ok=True)  # of a killed predecessor
    try:
        yield scratch
        with scratch.open("rb") as written:
            os.fsync(written.fileno())
        scratch.replace(file)
        sync_folder(file.parent)
    finally:
        scratch.unlink(missing_ok=True)
