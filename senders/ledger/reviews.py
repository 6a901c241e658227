"""People look at emails that must not go out unseen."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from senders.instants import from_us, to_us
from senders.ledger.moves import move
from senders.ledger.writer import Transaction


class ReviewError(ValueError):
    """Nothing to review under that id, or not what the reviewer saw."""


@dataclass(frozen=True)
class Held:
    """What a reviewer sees. Approving is bound to `content_sha256`."""

    decision_id: str
    trigger_name: str
    touch: int
    route: str | None
    reason: str
    customer_id: str | None
    to_address: str
    subject: str
    template: str
    content: dict[str, Any]
    evidence: dict[str, Any]
    qualifies_at: datetime
    held_since: datetime
    expires_at: datetime
    note: str | None  # what a person noted beside it; no part of what is approved
    content_sha256: str


def held(connection: sqlite3.Connection, decision_id: str | None = None) -> list[Held]:
    """All that wait, oldest first, or the one asked for."""
    rows = connection.execute(
        """
        select decisions.*, payloads.to_address, payloads.subject, payloads.template, payloads.content,
            outbox.reason, outbox.content_sha256, review_notes.note,
            (select max(at_us) from audit where audit.id = outbox.id and event = 'HELD') as held_us
        from outbox join decisions using (id) join payloads using (id) left join review_notes using (id)
        where outbox.state = 'HELD' and (?1 is null or decision_id = ?1) order by outbox.id
        """,
        (decision_id,),
    )
    return [_held(row) for row in rows]


def approve(
    transaction: Transaction, decision_id: str, sha256: str, who: str, why: str, now: datetime
) -> None:
    """Let exactly this content through to the gate, which still judges everything else."""
    row = _waiting(transaction, decision_id)
    if row["content_sha256"] != sha256:
        raise ReviewError(f"{decision_id} is not what was reviewed: show it again, then approve")
    now_us = to_us(now)
    transaction.execute(
        "insert or replace into approvals (id, content_sha256, who, why, at_us) values (?, ?, ?, ?, ?)",
        (row["id"], sha256, who, why, now_us),
    )
    transaction.audit(now_us, "approved", row["id"], who=who, why=why, content_sha256=sha256)
    expires_us = min(now_us + row["patience_us"], row["hold_until_us"])
    move(transaction, row["id"], "HELD", "PLANNED", now_us, "approved", due_us=now_us, expires_us=expires_us)


def reject(transaction: Transaction, decision_id: str, who: str, why: str, now: datetime) -> None:
    """This email is not sent. Who and why stay in the audit: the reason of an outcome goes into the log."""
    row = _waiting(transaction, decision_id)
    now_us = to_us(now)
    transaction.audit(now_us, "rejected", row["id"], who=who, why=why)
    move(transaction, row["id"], "HELD", "CANCELLED", now_us, "rejected")


def edit_note(transaction: Transaction, decision_id: str, note: str, who: str, now: datetime) -> None:
    """Keep a note beside a waiting email, in place of the one before."""
    row = _waiting(transaction, decision_id)
    now_us = to_us(now)
    transaction.execute(
        "insert or replace into review_notes (id, note, who, at_us) values (?, ?, ?, ?)",
        (row["id"], note, who, now_us),
    )
    transaction.audit(now_us, "note", row["id"], who=who, why=note)


def expire(transaction: Transaction, now: datetime) -> int:
    """Held emails nobody looked at in time; returns how many."""
    ids = overdue(transaction.connection, to_us(now))
    for id in ids:
        move(transaction, id, "HELD", "EXPIRED", to_us(now), "not_reviewed_in_time")
    return len(ids)


def overdue(connection: sqlite3.Connection, now_us: int) -> list[int]:
    """Held emails whose time is over."""
    rows = connection.execute(
        "select id from outbox join decisions using (id) where state = 'HELD' and hold_until_us <= ?",
        (now_us,),
    )
    return [row[0] for row in rows]


def _waiting(transaction: Transaction, decision_id: str) -> sqlite3.Row:
    row = transaction.execute(
        "select id, outbox.content_sha256, hold_until_us, decisions.expires_us - qualifies_us as patience_us"
        " from outbox join decisions using (id) where decision_id = ? and state = 'HELD'",
        (decision_id,),
    ).fetchone()
    if row is None:
        raise ReviewError(f"no held email {decision_id}: `review list` shows what waits")
    return row


def _held(row: sqlite3.Row) -> Held:
    return Held(
        decision_id=row["decision_id"],
        trigger_name=row["trigger_name"],
        touch=row["touch"],
        route=row["route"],
        reason=row["reason"],
        customer_id=row["customer_id"],
        to_address=row["to_address"],
        subject=row["subject"],
        template=row["template"],
        content=json.loads(row["content"]),
        evidence=json.loads(row["evidence"]),
        qualifies_at=from_us(row["qualifies_us"]),
        held_since=from_us(row["held_us"]),
        expires_at=from_us(row["hold_until_us"]),
        note=row["note"],
        content_sha256=row["content_sha256"],
    )
