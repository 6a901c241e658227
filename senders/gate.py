"""The gate: one transaction that decides, at the last moment, whether an email may leave.

SQL proposes, the gate disposes: a race, a replay or a bad model can waste a plan, never send a wrong email.
The order is the order of weight: brakes, the person's word, what they did since, time, approval, caps.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from senders import addresses
from senders.instants import span_us, to_us
from senders.ledger import controls, keys
from senders.ledger.facts import BY_WEIGHT
from senders.ledger.moves import check_fence, move, reserve, wait
from senders.ledger.writer import Transaction
from senders.policy import Policy
from senders.quiet import next_allowed


@dataclass(frozen=True)
class Refusal:
    """Never: the email ends here, in this state, for this reason."""

    state: str
    reason: str


@dataclass(frozen=True)
class Hold:
    """Not now: look again at `due_us`, and from then on be as quick as at first."""

    due_us: int
    reason: str


@dataclass(frozen=True)
class Gated:
    """What one pass of the gate came to: ids that may go out, and how many were refused or wait."""

    reserved: tuple[int, ...]
    refused: int
    held: int
    brake: str | None = None  # "paused" or "clock_behind": nothing was judged at all


_ROW = """
select outbox.id, outbox.state, outbox.due_us, outbox.frozen_us, outbox.content_sha256,
    outbox.expires_us, decisions.trigger_name, decisions.entity_id, decisions.customer_id, decisions.visitor_id, decisions.address_hash,
    decisions.hold_until_us, decisions.expires_us - decisions.qualifies_us as patience_us,
    decisions.needs_review, decisions.position, payloads.to_address, payloads.timezone, payloads.exit_events
from outbox join decisions using (id) join payloads using (id)
where outbox.id = ?
"""


def pass_gate(
    transaction: Transaction, ids: Sequence[int], now: datetime, policy: Policy, epoch: int | None
) -> Gated:
    """Judge each email in turn; an earlier one of the same batch counts under the caps of a later one."""
    check_fence(transaction, epoch)
    now_us = to_us(now)
    if brake := _brake(transaction, now_us, policy):
        return Gated((), 0, 0, brake)
    room, room_again_us = controls.room(transaction.connection, now_us)
    reserved: list[int] = []
    refused = held = 0
    for row in filter(None, (transaction.execute(_ROW, (id,)).fetchone() for id in ids)):
        if row["state"] != "PLANNED" or row["due_us"] > now_us:
            continue
        subjects = _subjects(transaction.connection, row)
        verdict = judge(transaction.connection, row, subjects, now, policy)
        if verdict is None and room is not None and len(reserved) >= room:
            verdict = Hold(room_again_us, "hourly_limit")
        match verdict:
            case None:
                _reserve(transaction, row, now_us, policy, epoch)
                reserved.append(row["id"])
            case Refusal(state, reason):
                move(transaction, row["id"], "PLANNED", state, now_us, reason)
                refused += 1
            case Hold(due_us, reason):
                due_us = min(due_us, row["hold_until_us"])
                expires_us = min(due_us + row["patience_us"], row["hold_until_us"])
                wait(transaction, row["id"], due_us, reason, now_us, expires_us)
                held += 1
    return Gated(tuple(reserved), refused, held)


def judge(
    connection: sqlite3.Connection, row: sqlite3.Row, subjects: tuple[str, ...], now: datetime, policy: Policy
) -> Refusal | Hold | None:
    """None: it may go out."""
    return (
        recheck(connection, row, subjects, now, policy)
        or _quiet(row, now, policy)
        or _approval(connection, row)
        or _cap(connection, row, subjects, to_us(now), policy)
    )


def recheck(
    connection: sqlite3.Connection, row: sqlite3.Row, subjects: tuple[str, ...], now: datetime, policy: Policy
) -> Refusal | None:
    """The part that is asked once more when the body is written and only the dot is missing."""
    return (
        _suppression(connection, subjects)
        or _opt_out(connection, row, subjects, to_us(now))
        or _consent(connection, subjects, policy)
        or _exit(connection, row, subjects)
        or _address(row)
        or _expiry(row, to_us(now))
    )


def row_and_subjects(connection: sqlite3.Connection, id: int) -> tuple[sqlite3.Row, tuple[str, ...]]:
    """What `recheck` needs."""
    row = connection.execute(_ROW, (id,)).fetchone()
    return row, _subjects(connection, row)


def _brake(transaction: Transaction, now_us: int, policy: Policy) -> str | None:
    """Nothing passes while paused, nor while the clock stands behind an instant that already was."""
    if controls.get(transaction.connection, "paused", False):
        return "paused"
    latest_us = controls.get(transaction.connection, "latest_gate_us", 0)
    if now_us < latest_us - span_us(policy.clock_tolerance):
        return "clock_behind"
    if now_us > latest_us:
        controls.set_quietly(transaction, "latest_gate_us", now_us, now_us)
    return None


def _subjects(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[str, ...]:
    return keys.known_as(connection, (row["customer_id"], row["visitor_id"]), row["address_hash"])


def _suppression(connection: sqlite3.Connection, subjects: tuple[str, ...]) -> Refusal | None:
    rows = connection.execute(
        f"select reason from suppressions where lifted_us is null and key in ({keys.places(subjects)})",
        subjects,
    ).fetchall()
    return Refusal("SUPPRESSED", min((row[0] for row in rows), key=BY_WEIGHT.index)) if rows else None


def _opt_out(
    connection: sqlite3.Connection, row: sqlite3.Row, subjects: tuple[str, ...], now_us: int
) -> Refusal | None:
    """What a person chose to hear no more about, or not until a day."""
    found = connection.execute(
        f"select max(trigger_name) from opt_outs where until_us > ? and trigger_name in ('', ?) and key in ({keys.places(subjects)})",
        (now_us, row["trigger_name"], *subjects),
    ).fetchone()[0]
    return None if found is None else Refusal("SUPPRESSED", "topic_opt_out" if found else "pause")


def _consent(connection: sqlite3.Connection, subjects: tuple[str, ...], policy: Policy) -> Refusal | None:
    """One withdrawal under any key outweighs every grant under another."""
    granted = connection.execute(
        f"select min(granted) from consents where key in ({keys.places(subjects)})", subjects
    ).fetchone()[0]
    if granted == 0:
        return Refusal("SUPPRESSED", "consent_withdrawn")
    if granted is None and policy.consent_required:
        return Refusal("SUPPRESSED", "consent_missing")
    return None


def _exit(connection: sqlite3.Connection, row: sqlite3.Row, subjects: tuple[str, ...]) -> Refusal | None:
    """An event that landed after the last one the decision is about."""
    found = connection.execute(
        f"select event_name from exits where position >= ? and key in ({keys.places(subjects)})",
        (row["position"], *subjects),
    ).fetchall()
    wanted = json.loads(row["exit_events"]) if found else []
    happened = next((name for (name,) in found if name in wanted), None)
    return Refusal("CANCELLED", f"exit: {happened}") if happened else None


def _address(row: sqlite3.Row) -> Refusal | None:
    return None if addresses.is_deliverable(row["to_address"]) else Refusal("CANCELLED", "invalid_address")


def _expiry(row: sqlite3.Row, now_us: int) -> Refusal | None:
    return Refusal("EXPIRED", "too_late") if now_us >= row["expires_us"] else None


def _quiet(row: sqlite3.Row, now: datetime, policy: Policy) -> Hold | None:
    if policy.quiet_hours is None:
        return None
    allowed = next_allowed(now, row["timezone"], policy.quiet_hours)
    return Hold(to_us(allowed), "quiet_hours") if allowed > now else None


def _approval(connection: sqlite3.Connection, row: sqlite3.Row) -> Refusal | None:
    """A reviewed email goes out exactly as it was approved, or not at all."""
    if not row["needs_review"]:
        return None
    approved = connection.execute(
        "select 1 from approvals where id = ? and content_sha256 = ?", (row["id"], row["content_sha256"])
    ).fetchone()
    return None if approved else Refusal("HELD", "needs_review")


def _cap(
    connection: sqlite3.Connection, row: sqlite3.Row, subjects: tuple[str, ...], now_us: int, policy: Policy
) -> Refusal | None:
    """Counts everyone merged into this person and everyone behind this mailbox, but not this email itself."""
    if policy.cap is not None:
        if policy.cap == 0:
            return Refusal("CAPPED", "cap_is_zero")
        if _count(connection, row["id"], subjects, now_us - span_us(policy.cap_window)) >= policy.cap:
            return Refusal("CAPPED", "cap")
    if policy.min_gap and _count(
        connection, row["id"], subjects, now_us - span_us(policy.min_gap), "and not (trigger_name = ? and entity_id = ?)",
        (row["trigger_name"], row["entity_id"]),
    ):  # fmt: skip
        return Refusal("CAPPED", "min_gap")
    return None


def _count(
    connection: sqlite3.Connection,
    id: int,
    subjects: tuple[str, ...],
    since_us: int,
    others: str = "",
    values: tuple[str, ...] = (),
) -> int:
    return connection.execute(
        f"""
        select count(distinct id) from reservations join outbox using (id) join decisions using (id)
        where key in ({keys.places(subjects)}) and coalesce(dot_us, gated_us) > ? and id <> ? {others}
        """,
        (*subjects, since_us, id, *values),
    ).fetchone()[0]


def _reserve(
    transaction: Transaction, row: sqlite3.Row, now_us: int, policy: Policy, epoch: int | None
) -> None:
    """The date is fixed here and kept over quick retries; later it would print a deadline that has passed."""
    id = row["id"]
    reserve(transaction, id, (row["customer_id"], row["visitor_id"]), row["address_hash"])
    frozen_us = row["frozen_us"] or now_us
    if now_us - frozen_us > span_us(policy.redate_after):
        frozen_us = now_us
    move(
        transaction,
        id,
        "PLANNED",
        "RESERVED",
        now_us,
        fence=epoch,
        gated_us=now_us,
        frozen_us=frozen_us,
        dot_us=None,
    )
