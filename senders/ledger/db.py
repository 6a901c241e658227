"""Connections to the ledger's SQLite file."""

import sqlite3
from importlib.resources import files
from pathlib import Path

# Another process (the CLI) may hold the write lock for one small transaction.
_BUSY_MS = 10_000

# What brings a ledger of schema n to n + 1; schema.sql is always the newest.
_MIGRATIONS = (
    """
    alter table decisions add column hold_until_us integer not null default 0;
    update decisions set hold_until_us = expires_us;
    alter table outbox add column expires_us integer not null default 0;
    update outbox set expires_us = (select expires_us from decisions where decisions.id = outbox.id);
    """,
    "-- opt_outs: a new table; the number says so to an older Kairos, which would mail in spite of them",
)


class LedgerTooNew(RuntimeError):
    """Written by a version of Kairos that this one does not know."""


def connect(path: Path) -> sqlite3.Connection:
    """A writing connection. WAL with synchronous FULL: NORMAL lost acknowledged rows on power loss."""
    connection = _open(path)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma wal_autocheckpoint = 4000")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma secure_delete = fast")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = _open(path)
    connection.execute("pragma query_only = on")
    return connection


def create_schema(connection: sqlite3.Connection) -> None:
    """Create what is missing and bring an older ledger up to date. Safe to run at every start.

    Raises LedgerTooNew for a ledger that a later version of Kairos wrote.
    """
    schema = files("senders.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
    version = connection.execute("pragma user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise LedgerTooNew(
            f"this ledger needs a newer Kairos (its schema is {version}, known: {len(_MIGRATIONS)})"
        )
    is_new = connection.execute("select 1 from sqlite_schema where name = 'decisions'").fetchone() is None
    steps = [] if is_new else _MIGRATIONS[version:]
    script = "\n".join((*steps, schema, f"pragma user_version = {len(_MIGRATIONS)};"))
    connection.executescript(f"begin immediate;\n{script}\ncommit;")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_BUSY_MS / 1000, check_same_thread=False, cached_statements=512
    )
    connection.row_factory = sqlite3.Row
    return connection
