"""What a new sender does before it sends anything: take the fence, compare the mark, tie up loose ends."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from senders.instants import from_us, span_us, to_us
from senders.ledger import audit, controls
from senders.ledger.attempts import in_doubt
from senders.ledger.mark import Mark
from senders.ledger.moves import move, reserve
from senders.ledger.writer import Transaction
from senders.policy import Policy

# The wall clock may have been set back since the last start; the gate itself tolerates seconds.
_CLOCK_SLACK = timedelta(days=1)


@dataclass(frozen=True)
class Recovery:
    """What was found at the start. `restored` says why the sender starts paused, None if all is well."""

    epoch: int
    replanned: int  # were reserved, provably not accepted
    in_doubt: int
    restored: str | None


def recover(transaction: Transaction, now: datetime, mark: Mark | None, policy: Policy) -> Recovery:
    """One transaction, so that a crash during recovery recovers."""
    now_us = to_us(now)
    head = transaction.last
    restored = _compare(transaction, head, mark)
    since_us = _last_start(transaction) - span_us(_CLOCK_SLACK)
    epoch = controls.get(transaction.connection, "fence", 0) + 1
    controls.put(transaction, "fence", epoch, "sender", "started", now_us)
    if restored:
        doubted = _doubt_everything(transaction, now_us, mark, restored, policy)
        replanned = 0
    else:
        replanned = _replan(transaction, since_us, now_us)
        doubted = _doubt_dots(transaction, since_us, now_us, policy)
    transaction.mark(now_us)
    return Recovery(epoch, replanned, doubted, restored)


def _last_start(transaction: Transaction) -> int:
    row = transaction.execute("select at_us from controls where name = 'fence'").fetchone()
    return row["at_us"] if row else 0


def _compare(transaction: Transaction, head: audit.Head, mark: Mark | None) -> str | None:
    """Every dot was marked before it was written: a ledger that does not reach its mark has lost some."""
    if mark is None:
        dots = transaction.execute("select 1 from outbox where dot_us is not null limit 1").fetchone()
        return "the mark file is missing although emails were sent from this ledger" if dots else None
    if head.seq < mark.seq:
        return f"the ledger ends at {head.seq}, its mark says {mark.seq} ({from_us(mark.at_us):%F %H:%M} UTC)"
    row = transaction.execute("select hash from audit where seq = ?", (mark.seq,)).fetchone()
    known = row["hash"] if row else audit.GENESIS
    return None if known == mark.hash else f"the ledger's history differs from its mark at {mark.seq}"


def _doubt_everything(
    transaction: Transaction, now_us: int, mark: Mark | None, problem: str, policy: Policy
) -> int:
    """Whatever is open may have been sent after the snapshot was taken. A person decides when to go on."""
    why = f"restored from a snapshot? {problem}; open emails are in doubt: check, then resume"
    controls.put(transaction, "paused", True, "snapshot guard", why, now_us)
    controls.put(
        transaction, "doubt_before_us", mark.at_us if mark else now_us, "snapshot guard", why, now_us
    )
    open_rows = transaction.execute(
        "select id, state, customer_id, visitor_id, address_hash from outbox join decisions using (id)"
        " where state in ('PLANNED', 'HELD', 'RESERVED', 'DOT_SENT')"
    ).fetchall()
    for row in open_rows:
        in_doubt(transaction, row["id"], row["state"], "restored_snapshot", now_us, policy)
        _count(transaction, row, now_us)
    return len(open_rows)


def _count(transaction: Transaction, row: sqlite3.Row, now_us: int) -> None:
    """It may have been sent, so it counts."""
    reserve(transaction, row["id"], (row["customer_id"], row["visitor_id"]), row["address_hash"])
    transaction.execute(
        "update outbox set gated_us = ? where id = ? and gated_us is null", (now_us, row["id"])
    )


def _replan(transaction: Transaction, since_us: int, now_us: int) -> int:
    ids = _gated_in("RESERVED", transaction, since_us)
    for id in ids:
        move(
            transaction, id, "RESERVED", "PLANNED", now_us, "the sender stopped before the dot", due_us=now_us
        )
    return len(ids)


def _doubt_dots(transaction: Transaction, since_us: int, now_us: int, policy: Policy) -> int:
    ids = _gated_in("DOT_SENT", transaction, since_us)
    for id in ids:
        in_doubt(transaction, id, "DOT_SENT", "the sender stopped after the intent", now_us, policy)
    return len(ids)


def _gated_in(state: str, transaction: Transaction, since_us: int) -> list[int]:
    """Loose ends are younger than the last start, which tied up all before it; so years need no scan."""
    rows = transaction.execute(
        "select id from outbox indexed by outbox_gated where gated_us >= ? and state = ?", (since_us, state)
    )
    return [row["id"] for row in rows.fetchall()]


@dataclass(frozen=True)
class InDoubt:
    """An email whose fate only the provider knows."""

    id: int
    decision_id: str
    to_address: str
    dot_at: datetime | None
    resolve_after: datetime


def doubts(connection: sqlite3.Connection, now_us: int) -> list[InDoubt]:
    """Those whose quarantine is over."""
    rows = connection.execute(
        """
        select outbox.id, decision_id, to_address, dot_us, resolve_after_us
        from outbox join decisions using (id) join payloads using (id)
        where outbox.state = 'IN_DOUBT' and resolve_after_us <= ? order by resolve_after_us, outbox.id
        """,
        (now_us,),
    )
    return [
        InDoubt(row[0], row[1], row[2], from_us(row[3]) if row[3] else None, from_us(row[4])) for row in rows
    ]


def resolve(transaction: Transaction, doubt: InDoubt, verdict: str, now: datetime, policy: Policy) -> str:
    """`accepted`, `absent` or `unknown`; without proof in time it counts as sent, for good."""
    now_us = to_us(now)
    if verdict == "accepted":
        move(transaction, doubt.id, "IN_DOUBT", "SENT", now_us, "the provider has it", accepted_us=now_us)
    elif verdict == "absent":
        move(
            transaction,
            doubt.id,
            "IN_DOUBT",
            "PLANNED",
            now_us,
            "the provider does not have it",
            due_us=now_us,
        )
    elif now_us >= to_us(doubt.resolve_after) + span_us(policy.resolve_within):
        move(transaction, doubt.id, "IN_DOUBT", "UNKNOWN", now_us, "no proof in time")
    return transaction.execute("select state from outbox where id = ?", (doubt.id,)).fetchone()["state"]
