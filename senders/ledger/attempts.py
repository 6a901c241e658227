"""One delivery attempt in the ledger: the intent before the dot, and what came of it."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from senders.gate import recheck, row_and_subjects
from senders.instants import span_us, to_us
from senders.ledger import controls, keys
from senders.ledger.moves import check_fence, move
from senders.ledger.people import suppress_keys
from senders.ledger.writer import Transaction
from senders.outcome import Outcome
from senders.policy import Policy

# Enhanced codes that say: this mailbox does not exist. 5.1.7 and 5.1.8 are about our own address.
_NO_SUCH_MAILBOX = re.compile(r"\b5\.1\.(?:1|2|3|6|10)\b")


@dataclass(frozen=True)
class Intent:
    """The bytes that are about to go out, and when they were rendered."""

    message_sha256: str
    rendered_at: datetime


def commit_dots(
    transaction: Transaction, intents: Mapping[int, Intent], now: datetime, policy: Policy, epoch: int | None
) -> set[int]:
    """The only edge that permits the dot. For ids that are missing in the result, do not write it."""
    check_fence(transaction, epoch)
    now_us = to_us(now)
    if controls.get(transaction.connection, "paused", False):
        for id in intents:
            move(transaction, id, "RESERVED", "PLANNED", now_us, "paused", due_us=now_us)
        return set()
    permitted = {id for id, intent in intents.items() if _permit(transaction, id, intent, now, policy)}
    if permitted:
        transaction.mark(now_us)
    return permitted


def settle(
    transaction: Transaction,
    outcomes: Mapping[int, Outcome],
    now: datetime,
    policy: Policy,
    epoch: int | None,
) -> None:
    """Record how attempts ended. Safe to repeat."""
    check_fence(transaction, epoch)
    for id, outcome in outcomes.items():
        row = transaction.execute("select id, state, attempts from outbox where id = ?", (id,)).fetchone()
        if row["state"] in ("RESERVED", "DOT_SENT"):
            _settle(transaction, row, outcome, to_us(now), policy)


def _settle(
    transaction: Transaction, row: sqlite3.Row, outcome: Outcome, now_us: int, policy: Policy
) -> None:
    match outcome.kind:
        case "accepted":
            _accepted(transaction, row["id"], outcome, now_us)
        case "rejected":
            _rejected(transaction, row["id"], row["state"], outcome, now_us)
        case "unrenderable":
            _unrenderable(transaction, row["id"], outcome, now_us)
        case "lost" if row["state"] == "DOT_SENT":
            in_doubt(transaction, row["id"], "DOT_SENT", outcome.detail, now_us, policy)
        case _:
            _again(transaction, row, outcome, now_us, policy)


def in_doubt(transaction: Transaction, id: int, old: str, reason: str, now_us: int, policy: Policy) -> None:
    """Nobody knows: rest through the quarantine before anyone asks."""
    resolve_after = now_us + span_us(policy.quarantine)
    move(transaction, id, old, "IN_DOUBT", now_us, reason or "no reply", resolve_after_us=resolve_after)


def _permit(transaction: Transaction, id: int, intent: Intent, now: datetime, policy: Policy) -> bool:
    row, subjects = row_and_subjects(transaction.connection, id)
    if row["state"] != "RESERVED":
        return False
    if refusal := recheck(transaction.connection, row, subjects, now, policy):
        move(transaction, id, "RESERVED", refusal.state, to_us(now), refusal.reason)
        return False
    return _write_intent(transaction, id, intent, to_us(now))


def _write_intent(transaction: Transaction, id: int, intent: Intent, now_us: int) -> bool:
    return move(
        transaction,
        id,
        "RESERVED",
        "DOT_SENT",
        now_us,
        message_sha256=intent.message_sha256,
        rendered_us=to_us(intent.rendered_at),
        dot_us=now_us,
    )


def _accepted(transaction: Transaction, id: int, outcome: Outcome, now_us: int) -> None:
    move(transaction, id, "DOT_SENT", "SENT", now_us, accepted_us=now_us, reply=outcome.detail)


def _rejected(transaction: Transaction, id: int, old: str, outcome: Outcome, now_us: int) -> None:
    move(transaction, id, old, "FAILED", now_us, outcome.detail, reply=outcome.detail)
    if _NO_SUCH_MAILBOX.search(outcome.detail):
        hashed = transaction.execute("select address_hash from decisions where id = ?", (id,)).fetchone()[0]
        suppress_keys(transaction, [keys.address_key(hashed)], "hard_bounce", now_us, "smtp")


def _unrenderable(transaction: Transaction, id: int, outcome: Outcome, now_us: int) -> None:
    """Back to planned, then held for a person: only this one email waits."""
    if move(transaction, id, "RESERVED", "PLANNED", now_us, outcome.detail):
        transaction.execute("delete from approvals where id = ?", (id,))
        transaction.execute("update decisions set needs_review = 1 where id = ?", (id,))
        move(transaction, id, "PLANNED", "HELD", now_us, outcome.detail)


def _again(transaction: Transaction, row: sqlite3.Row, outcome: Outcome, now_us: int, policy: Policy) -> None:
    """Provably not accepted: the same email later, at its expiry at the latest, its place under the cap kept."""
    id, attempts = row["id"], row["attempts"] + 1
    expires_us = transaction.execute("select expires_us from outbox where id = ?", (id,)).fetchone()[0]
    due_us = min(now_us + span_us(policy.backoff(attempts - 1)), max(expires_us, now_us))
    reason = outcome.detail or outcome.kind
    move(transaction, id, row["state"], "PLANNED", now_us, reason, attempts=attempts, due_us=due_us)
