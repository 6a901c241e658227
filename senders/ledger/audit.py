"""The audit: a chain of rows in which each is sealed by the hash of the one before."""

import hashlib
import json
import sqlite3
from typing import Any, NamedTuple

GENESIS = bytes(32)

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

_INSERT = "insert into audit (seq, at_us, id, event, subject, detail, hash) values (?, ?, ?, ?, ?, ?, ?)"


class Head(NamedTuple):
    """The last link: sequence number (0 = empty) and hash."""

    seq: int
    hash: bytes


class Broken(NamedTuple):
    """The first row that does not fit, and how."""

    seq: int
    problem: str


def seal(
    previous: bytes, seq: int, at_us: int, id: int | None, event: str, subject: str | None, detail: str
) -> bytes:
    """The hash of one row. Every text is preceded by its length, so no two rows share an encoding."""
    who = "-" if subject is None else f"{len(subject)}:{subject}"
    row = f"{seq},{at_us},{id},{len(event)}:{event},{who},{len(detail)}:{detail}"
    return hashlib.sha256(previous + row.encode("utf-8", "surrogatepass")).digest()


def head(connection: sqlite3.Connection) -> Head:
    """The end of the chain as this connection sees it."""
    row = connection.execute("select seq, hash from audit order by seq desc limit 1").fetchone()
    return Head(row[0], row[1]) if row else Head(0, GENESIS)


def append(
    connection: sqlite3.Connection,
    last: Head,
    at_us: int,
    event: str,
    id: int | None = None,
    subject: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Head:
    """Add one row behind `last` and return the new end."""
    seq = last.seq + 1
    text = _to_json(detail) if detail else "{}"
    digest = seal(last.hash, seq, at_us, id, event, subject, text)
    connection.execute(_INSERT, (seq, at_us, id, event, subject, text, digest))
    return Head(seq, digest)


def verify(connection: sqlite3.Connection) -> Broken | None:
    """Walk the whole chain. None means that nothing was changed, removed, added or reordered."""
    previous = Head(0, GENESIS)
    for row in connection.execute(
        "select seq, at_us, id, event, subject, detail, hash from audit order by seq"
    ):
        if row[0] != previous.seq + 1:
            return Broken(row[0], f"row {previous.seq + 1} is missing")
        if seal(previous.hash, *row[:6]) != row[6]:
            return Broken(row[0], "the row, or one before it, was changed")
        previous = Head(row[0], row[6])
    return _verify_states(connection)


def _verify_states(connection: sqlite3.Connection) -> Broken | None:
    """Every outbox row stands where the audit says it last went: the chain guards the states too."""
    row = connection.execute(
        """
        select outbox.id, outbox.state, audit.event, audit.seq
        from outbox left join audit on audit.seq = (
            select max(seq) from audit
            where audit.id = outbox.id and event in (select to_state from edges)
        )
        where audit.event is not outbox.state limit 1
        """
    ).fetchone()
    return Broken(row[3] or 0, f"outbox row {row[0]} is {row[1]}, the audit says {row[2]}") if row else None
