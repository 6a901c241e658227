"""Connections to the ledger's SQLite file."""

import sqlite3
from importlib.resources import files
from pathlib import Path

# Another process (the CLI) may hold the write lock for one small transaction.
_BUSY_MS = 10_000


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
    """Create what is missing. Safe to run at every start."""
    schema = files("senders.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
    connection.executescript(f"begin immediate;\n{schema}\ncommit;")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_BUSY_MS / 1000, check_same_thread=False, cached_statements=512
    )
    connection.row_factory = sqlite3.Row
    return connection
