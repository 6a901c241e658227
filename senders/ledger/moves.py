"""Moves an outbox row along an edge: only from where it is believed to be, and only with a living fence."""

from collections.abc import Iterable
from typing import Any

from senders.ledger import keys
from senders.ledger.fence import StaleSender
from senders.ledger.writer import Transaction


def check_fence(transaction: Transaction, epoch: int | None) -> None:
    """Refuse a sender that was replaced, and one that never took the fence."""
    row = transaction.execute("select value from controls where name = 'fence'").fetchone()
    if epoch is None:
        raise StaleSender("this process is not the sender: call recover() first")
    if row is None or int(row[0]) != epoch:
        raise StaleSender(f"another sender took over (fence {row and row[0]}, ours {epoch}): stop this one")


def move(
    transaction: Transaction,
    id: int,
    old: str,
    new: str,
    now_us: int,
    reason: str | None = None,
    **columns: Any,
) -> bool:
    """True if the row was in `old` and is now in `new`. Column names come from code, never from data."""
    assignments = "".join(f", {name} = ?" for name in columns)
    moved = transaction.execute(
        f"update outbox set state = ?, reason = ?{assignments} where id = ? and state = ?",
        (new, reason, *columns.values(), id, old),
    ).rowcount
    if moved:
        transaction.audit(now_us, new, id, **({"reason": reason} if reason else {}))
    return bool(moved)


def wait(
    transaction: Transaction, id: int, due_us: int, reason: str, now_us: int, expires_us: int | None = None
) -> None:
    """A planned email stays planned for now. Said once in the audit per reason, not at every look.

    `expires_us`: who waits on purpose has a new latest instant afterwards.
    """
    before = transaction.execute("select reason from outbox where id = ?", (id,)).fetchone()["reason"]
    transaction.execute(
        "update outbox set due_us = ?, reason = ?, expires_us = coalesce(?, expires_us)"
        " where id = ? and state = 'PLANNED'",
        (due_us, reason, expires_us, id),
    )
    if before != reason:
        transaction.audit(now_us, "waits", id, reason=reason)


def reserve(transaction: Transaction, id: int, identities: Iterable[str | None], address_hash: str) -> None:
    """Take a place under the caps, as every identity of the recipient and as their mailbox."""
    subjects = {keys.person_key(person) for person in identities if person} | {keys.address_key(address_hash)}
    transaction.connection.executemany(
        "insert or ignore into reservations (key, id) values (?, ?)", [(key, id) for key in sorted(subjects)]
    )
