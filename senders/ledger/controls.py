"""The brakes: the kill switch, the hourly volume limit, and what the restored-snapshot guard remembers."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from senders.instants import from_us, span_us, to_us
from senders.ledger.writer import Transaction

HOUR_US = span_us(timedelta(hours=1))


@dataclass(frozen=True)
class Sending:
    """What `kairos status` shows: is anything going out, and who decided so."""

    state: str  # "sending", "paused" or "limited"
    who: str
    why: str
    since: datetime | None
    hourly_limit: int | None
    sent_last_hour: int


def put(transaction: Transaction, name: str, value: Any, who: str, why: str, at_us: int) -> None:
    """Set a control and say so in the audit."""
    transaction.execute(
        "insert or replace into controls (name, value, who, why, at_us) values (?, ?, ?, ?, ?)",
        (name, json.dumps(value), who, why, at_us),
    )
    transaction.audit(at_us, name, value=value, who=who, why=why)


def get(connection: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """A control's value."""
    row = connection.execute("select value from controls where name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else default


def set_quietly(transaction: Transaction, name: str, value: Any, at_us: int) -> None:
    """Set a cursor: bookkeeping, not a decision of anyone, so the audit need not hear of it."""
    transaction.execute(
        "insert or replace into controls (name, value, who, why, at_us) values (?, ?, '', '', ?)",
        (name, json.dumps(value), at_us),
    )


def dots_since(connection: sqlite3.Connection, since_us: int) -> int:
    """Emails that took a place after that instant, on their way or gone."""
    return connection.execute(
        "select count(*) from outbox where gated_us > ? and state in"
        " ('RESERVED', 'DOT_SENT', 'IN_DOUBT', 'SENT', 'UNKNOWN', 'DELIVERED', 'BOUNCED', 'COMPLAINED')",
        (since_us,),
    ).fetchone()[0]


def room(connection: sqlite3.Connection, now_us: int) -> tuple[int | None, int]:
    """How many emails the hourly limit still allows (None = no limit), and when there will be room again."""
    limit = get(connection, "hourly_limit")
    if limit is None:
        return None, now_us
    recent = dots_since(connection, now_us - HOUR_US)
    left = max(0, limit - recent)
    return left, _room_again(connection, now_us, limit, recent)


def _room_again(connection: sqlite3.Connection, now_us: int, limit: int, recent: int) -> int:
    """When the oldest of the last `limit` emails becomes an hour old."""
    row = connection.execute(
        "select gated_us from outbox where gated_us > ? order by gated_us limit 1 offset ?",
        (now_us - HOUR_US, max(0, recent - limit)),
    ).fetchone()
    return (row[0] if row and limit else now_us) + HOUR_US


def sending(connection: sqlite3.Connection, now: datetime) -> Sending:
    """The state of the brakes."""
    row = connection.execute("select value, who, why, at_us from controls where name = 'paused'").fetchone()
    limit = get(connection, "hourly_limit")
    recent = dots_since(connection, to_us(now) - HOUR_US)
    paused = bool(row) and json.loads(row["value"])
    limited = limit is not None and recent >= limit
    return Sending(
        state="paused" if paused else "limited" if limited else "sending",
        who=row["who"] if row else "",
        why=row["why"] if row else "",
        since=from_us(row["at_us"]) if row else None,
        hourly_limit=limit,
        sent_last_hour=recent,
    )
