"""Where the links of emails lead: a small file that the sender writes and the collector reads.

A destination is kept once, under a key made from itself, however many emails lead there. So most emails
write nothing, and what is looked up can be nothing but an address that some email really contained.
"""

import re
import sqlite3
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

_BUSY_MS = 10_000  # pruning may hold the write lock for a moment
_CACHED = 50_000
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\"'<>`\\{}|^\u2028\u2029\ud800-\udfff]")
_SCHEMA = """
create table if not exists destinations (
    id      text primary key,
    url     text not null,
    used_on integer not null  -- the last day on which an email led there, as a proleptic ordinal
) strict, without rowid
"""


class DestinationWriter:
    """The sender's side. `remember` collects, `make_durable` writes: call it before the email leaves. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = _connect(path)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute(_SCHEMA)
        self._mutex = threading.Lock()
        self._known: OrderedDict[str, int] = OrderedDict()  # id → the day that is on the disk
        self._waiting: dict[str, tuple[str, int]] = {}

    def remember(self, url: str, day: date) -> str:
        """The key of a destination. Raises ValueError for one that no link may lead to."""
        id = _id_of(url)
        ordinal = day.toordinal()
        if self._known.get(id, 0) < ordinal:
            with self._mutex:
                self._waiting[id] = (url, ordinal)
        return id

    def make_durable(self) -> None:
        """Everything remembered so far is on the disk when it returns; costs nothing if there is nothing new."""
        if not self._waiting:
            return
        with self._mutex:
            waiting, self._waiting = self._waiting, {}
            try:
                self._write(waiting)
            except BaseException:
                self._waiting = waiting | self._waiting
                raise

    def prune(self, before: date) -> int:
        """Forget destinations that no email has led to since; returns how many."""
        with self._mutex:
            found = self._db.execute("delete from destinations where used_on < ?", (before.toordinal(),))
            return found.rowcount

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _write(self, waiting: Mapping[str, tuple[str, int]]) -> None:
        self._db.execute("begin immediate")
        try:
            self._db.executemany(
                "insert into destinations (id, url, used_on) values (?, ?, ?)"
                " on conflict (id) do update set used_on = max(used_on, excluded.used_on)",
                [(id, url, ordinal) for id, (url, ordinal) in waiting.items()],
            )
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise
        self._known.update((id, ordinal) for id, (_, ordinal) in waiting.items())
        while len(self._known) > _CACHED:
            self._known.popitem(last=False)


class DestinationReader:
    """The collector's side. A destination never changes, so what was found once is kept in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._found: OrderedDict[str, str] = OrderedDict()

    def find(self, id: str) -> str | None:
        """The address behind a key; None if it was never kept, or not used for so long that it was pruned."""
        url = self._found.get(id) or self._look_up(id)
        if url is None or not is_safe(url):
            return None
        self._found[id] = url
        if len(self._found) > _CACHED:
            self._found.popitem(last=False)
        return url

    def _look_up(self, id: str) -> str | None:
        if self._db is None:
            if self._path is None or not self._path.exists():
                return None  # no email with a link was ever sent
            self._db = _connect(self._path)
            self._db.execute("pragma query_only = on")
        try:
            row = self._db.execute("select url from destinations where id = ?", (id,)).fetchone()
        except sqlite3.Error:
            self._db.close()
            self._db = None  # damaged or just being restored: look again next time
            return None
        return row[0] if row else None


def prune(path: Path, today: date, keep_days: int) -> int:
    """Forget what no email has led to for so long; returns how many."""
    if not path.exists():
        return 0
    writer = DestinationWriter(path)
    try:
        return writer.prune(today - timedelta(days=keep_days))
    finally:
        writer.close()


def is_safe(url: str) -> bool:
    """Only http and https, with a host, without a user name."""
    try:
        parts = urlsplit(url)
        harmless = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
    return harmless and len(url) <= 2000 and not _UNSAFE.search(url)


@lru_cache(maxsize=4096)  # the same few links stand in every email
def _id_of(url: str) -> str:
    if not is_safe(url):
        raise ValueError(f"{url[:40]!r} is not a plain http(s) link")
    return urlsafe_b64encode(sha256(url.encode()).digest()[:12]).decode()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000, check_same_thread=False)
