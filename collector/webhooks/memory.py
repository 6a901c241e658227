"""What was seen lately: events that are durable already, and signed calls, which are good for one use."""

import os
import time
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path

from collector.webhooks.signatures.base import TOLERANCE

_REMEMBERED = 50_000  # events and calls; the log's readers drop older repetitions
_KEPT_SECONDS = (
    2 * TOLERANCE.total_seconds() + 60
)  # a signature is good for the tolerance on both sides of now
_SWEPT_AFTER = 500  # calls


class Memory:
    """The newest of one process."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def __contains__(self, item: str) -> bool:
        return item in self._seen

    def add(self, item: str) -> None:
        """Remember it, and forget the oldest."""
        self._seen[item] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def discard(self, item: str) -> None:
        """As if it had never been seen."""
        self._seen.pop(item, None)


class Calls:
    """Signed calls, each good once among all workers; without a folder, in one process alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory = Memory()
        self._taken = 0

    def take(self, mark: str) -> bool:
        """False if somebody took it before."""
        if mark in self._memory or not self._create(mark):
            return False
        self._memory.add(mark)
        return True

    def give_back(self, mark: str) -> None:
        """It was not acknowledged, so it may come again."""
        self._memory.discard(mark)
        if self._folder:
            self._path(mark).unlink(missing_ok=True)

    def _create(self, mark: str) -> bool:
        """A file per call, which only one worker can create. A full disk costs this protection, never events."""
        if not self._folder:
            return True
        self._taken += 1
        if self._taken % _SWEPT_AFTER == 0:
            self._sweep(time.time())
        try:
            os.close(os.open(self._path(mark), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        except OSError:
            pass
        return True

    def _path(self, mark: str) -> Path:
        assert self._folder
        return self._folder / f"{sha256(mark.encode('utf-8', 'replace')).hexdigest()}.call"

    def _sweep(self, now: float) -> None:
        for path in self._folder.glob("*.call") if self._folder else ():
            try:
                if now - path.stat().st_mtime > _KEPT_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                continue  # another worker sweeps too
