"""Reads: what is due, what to render, what went out, and why."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from senders.instants import from_us


class Due(NamedTuple):
    """A planned email whose time has come."""

    id: int
    domain: str  # of the recipient


class Payload(NamedTuple):
    """What an email says, before it is rendered."""

    template: str
    subject: str
    content: dict[str, Any]


@dataclass(frozen=True)
class Recipient:
    """Whom an email was about, without address."""

    decision_id: str
    trigger_name: str
    touch: int
    visitor_id: str
    customer_id: str | None
    accepted_at: datetime | None  # None: not sent, or nobody knows


@dataclass(frozen=True)
class Job:
    """Everything needed to build one email."""

    id: int
    decision_id: str
    trigger_name: str
    touch: int
    route: str | None
    variant: str | None
    to_address: str
    template: str
    subject: str
    content: dict[str, Any]
    timezone: str | None  # IANA name
    frozen_at: datetime  # the Date header


@dataclass(frozen=True)
class Receipt:
    """An outcome, for the log. `seq` orders receipts and is the export cursor."""

    seq: int
    outcome: (
        str  # SENT, FAILED, UNKNOWN, SUPPRESSED, CAPPED, EXPIRED, CANCELLED; APPROVED, REJECTED by a person
    )
    reason: str | None
    at: datetime
    decision_id: str
    trigger_name: str
    touch: int
    entity_id: str
    route: str | None
    variant: str | None
    template: str | None
    visitor_id: str
    customer_id: str | None
    session_id: str | None
    timings: dict[str, float]  # the waterfall, epoch seconds: occurred … accepted
    evidence: dict[str, Any]  # the figures behind the decision


@dataclass(frozen=True)
class Entry:
    """One line of the audit."""

    seq: int
    at: datetime
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Explanation:
    """One decision with its reasons and everything that happened to it since."""

    decision_id: str
    trigger_name: str
    touch: int
    entity_id: str
    visitor_id: str
    customer_id: str | None
    qualifies_at: datetime
    expires_at: datetime
    should_send: bool
    needs_review: bool
    route: str | None
    variant: str | None
    reasons: dict[str, bool]
    evidence: dict[str, Any]
    state: str | None  # None: it was never meant to be sent, see reasons
    reason: str | None
    timings: dict[str, float]
    history: tuple[Entry, ...]


def due(connection: sqlite3.Connection, now_us: int, limit: int) -> list[Due]:
    """The oldest first."""
    rows = connection.execute(
        "select id, domain from outbox where state = 'PLANNED' and due_us <= ? order by due_us, id limit ?",
        (now_us, limit),
    )
    return [Due(*row) for row in rows]


def next_due_us(connection: sqlite3.Connection) -> int | None:
    """When the next planned or doubtful email wants attention."""
    return connection.execute(
        """
        select min(at) from (
            select min(due_us) as at from outbox where state = 'PLANNED'
            union all select min(resolve_after_us) from outbox where state = 'IN_DOUBT'
        )
        """
    ).fetchone()[0]


def payload(connection: sqlite3.Connection, decision_id: str) -> Payload | None:
    """What one email says; None when it was never meant to be sent, or is erased."""
    row = connection.execute(
        "select template, subject, content from payloads join decisions using (id) where decision_id = ?",
        (decision_id,),
    ).fetchone()
    return Payload(row[0], row[1], json.loads(row[2])) if row else None


def recipient(connection: sqlite3.Connection, decision_id: str) -> Recipient | None:
    """Who is behind a link of an email; None for a decision that nobody made."""
    row = connection.execute(
        """
        select decision_id, trigger_name, touch, visitor_id, customer_id, accepted_us
        from decisions left join outbox using (id) where decision_id = ?
        """,
        (decision_id,),
    ).fetchone()
    return Recipient(*row[:5], None if row[5] is None else from_us(row[5])) if row else None


def jobs(connection: sqlite3.Connection, ids: tuple[int, ...]) -> list[Job]:
    """What to render, in the order asked for."""
    marks = ", ".join("?" * len(ids))
    rows = connection.execute(
        f"""
        select outbox.id, decision_id, trigger_name, touch, route, variant, to_address, template, subject,
            content, timezone, frozen_us
        from outbox join decisions using (id) join payloads using (id) where outbox.id in ({marks})
        """,
        ids,
    )
    found = {row[0]: Job(*row[:9], json.loads(row[9]), row[10], from_us(row[11])) for row in rows}
    return [found[id] for id in ids]


_RECEIPT = """
select audit.seq, upper(audit.event) as outcome, audit.detail, audit.at_us, audit.id, decisions.decision_id,
    decisions.trigger_name, decisions.touch, decisions.entity_id, decisions.route, decisions.variant,
    decisions.visitor_id, decisions.customer_id, decisions.session_id, decisions.timings, decisions.evidence,
    decisions.recorded_us, payloads.template,
    outbox.gated_us, outbox.rendered_us, outbox.dot_us, outbox.accepted_us
from audit join decisions using (id) join outbox using (id) left join payloads using (id)
where audit.seq > ? and audit.event in (
    'SENT', 'FAILED', 'UNKNOWN', 'SUPPRESSED', 'CAPPED', 'EXPIRED', 'CANCELLED', 'approved', 'rejected'
)
order by audit.seq limit ?
"""


def receipts(connection: sqlite3.Connection, cursor: int, limit: int) -> list[Receipt]:
    """Outcomes behind the cursor, in order."""
    return [_receipt(row) for row in connection.execute(_RECEIPT, (cursor, limit))]


def counts(connection: sqlite3.Connection) -> dict[str, Any]:
    """How many were considered, where the meant ones stand, and why the refused ones were refused."""
    considered = connection.execute("select count(*) from decisions").fetchone()[0]
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for state, reason, count in connection.execute(
        "select state, reason, count(*) from outbox group by state, reason"
    ):
        states[state] = states.get(state, 0) + count
        if state in ("SUPPRESSED", "CAPPED", "EXPIRED", "CANCELLED", "FAILED"):
            reasons[f"{state}: {reason}"] = count
    return {"considered": considered, "meant": sum(states.values()), "states": states, "refused": reasons}


def explain(connection: sqlite3.Connection, where: str, value: str) -> list[Explanation]:
    """All decisions with `where = value`, newest first. `where` comes from code, never from data."""
    rows = connection.execute(
        f"""
        select decisions.*, coalesce(outbox.expires_us, decisions.expires_us) as latest_us, outbox.state,
            outbox.reason, outbox.gated_us, outbox.rendered_us, outbox.dot_us, outbox.accepted_us
        from decisions left join outbox using (id) where {where} order by decisions.id desc limit 1000
        """,
        {"value": value},
    )
    return [_explanation(connection, row) for row in rows]


def history(connection: sqlite3.Connection, where: str, value: str | int) -> tuple[Entry, ...]:
    """Audit lines, oldest first."""
    rows = connection.execute(
        f"select seq, at_us, event, detail from audit where {where} = ? order by seq", (value,)
    )
    return tuple(Entry(row[0], from_us(row[1]), row[2], json.loads(row[3])) for row in rows)


def _receipt(row: sqlite3.Row) -> Receipt:
    return Receipt(
        seq=row["seq"],
        outcome=row["outcome"],
        reason=json.loads(row["detail"]).get("reason"),
        at=from_us(row["at_us"]),
        decision_id=row["decision_id"],
        trigger_name=row["trigger_name"],
        touch=row["touch"],
        entity_id=row["entity_id"],
        route=row["route"],
        variant=row["variant"],
        template=row["template"],
        visitor_id=row["visitor_id"],
        customer_id=row["customer_id"],
        session_id=row["session_id"],
        timings=_timings(row),
        evidence=json.loads(row["evidence"]),
    )


def _explanation(connection: sqlite3.Connection, row: sqlite3.Row) -> Explanation:
    return Explanation(
        decision_id=row["decision_id"],
        trigger_name=row["trigger_name"],
        touch=row["touch"],
        entity_id=row["entity_id"],
        visitor_id=row["visitor_id"],
        customer_id=row["customer_id"],
        qualifies_at=from_us(row["qualifies_us"]),
        expires_at=from_us(row["latest_us"]),
        should_send=bool(row["should_send"]),
        needs_review=bool(row["needs_review"]),
        route=row["route"],
        variant=row["variant"],
        reasons=json.loads(row["reasons"]),
        evidence=json.loads(row["evidence"]),
        state=row["state"],
        reason=row["reason"],
        timings=_timings(row),
        history=history(connection, "id", row["id"]),
    )


def _timings(row: sqlite3.Row) -> dict[str, float]:
    timings: dict[str, float] = json.loads(row["timings"])
    for step in ("recorded", "gated", "rendered", "dot", "accepted"):
        if row[f"{step}_us"] is not None:
            timings[step] = row[f"{step}_us"] / 1e6
    return timings
