"""How things stand, read from the ledger and the lease: for `kairos status` and the demo's live table."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from orchestration.live.statistics import latency_ms, percentile, waterfall_ms
from senders.ledger.reviews import held

NEWEST_SENDS = 5_000
WAITING = ("PLANNED", "RESERVED", "DOT_SENT", "IN_DOUBT")
SENT = ("SENT", "DELIVERED", "BOUNCED", "COMPLAINED")


@dataclass(frozen=True)
class Overview:
    """Totals since the ledger began; latencies in ms over the newest sends."""

    candidates: int = 0
    sent: int = 0
    held: int = 0
    waiting: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    by_trigger: dict[str, int] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    waterfall: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """Emails that wait for a person: how many, the longest wait, and what holds them."""

    count: int = 0
    longest: timedelta = timedelta(0)
    by_reason: dict[str, int] = field(default_factory=dict)


def waiting_reviews(ledger: Path, now: datetime) -> Waiting:
    """Read-only, like `overview`. `now` is aware."""
    if not ledger.exists():
        return Waiting()
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        found = held(connection)
    finally:
        connection.close()
    longest = max((now - email.held_since for email in found), default=timedelta(0))
    return Waiting(len(found), longest, dict(Counter(email.reason for email in found).most_common()))


def overview(ledger: Path) -> Overview:
    """Read-only, beside a running system; an absent ledger is an empty one."""
    if not ledger.exists():
        return Overview()
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)
    try:
        return _read(connection)
    finally:
        connection.close()


def _read(ledger: sqlite3.Connection) -> Overview:
    states = dict(ledger.execute("select state, count(*) from outbox group by state"))
    refused: Counter[str] = Counter(
        dict(
            ledger.execute(
                "select 'not ' || rule.key, count(*) from decisions, json_each(decisions.reasons) as rule "
                "where not decisions.should_send and rule.value = 0 group by 1"
            )
        )
    )
    refused.update(
        dict(
            ledger.execute(
                "select lower(state) || coalesce(': ' || reason, ''), count(*) from outbox "
                "where state in ('SUPPRESSED', 'CAPPED', 'EXPIRED', 'CANCELLED', 'FAILED') group by 1"
            )
        )
    )
    sends = _sends(ledger)
    latencies = [latency for timings in sends if (latency := latency_ms(timings)) is not None]
    return Overview(
        candidates=ledger.execute("select count(*) from decisions").fetchone()[0],
        sent=sum(states.get(state, 0) for state in SENT),
        held=states.get("HELD", 0),
        waiting=sum(states.get(state, 0) for state in WAITING),
        refused=dict(refused.most_common()),
        by_trigger=dict(
            ledger.execute(
                f"select trigger_name, count(*) from decisions join outbox using (id) where state in {SENT} group by 1"
            )
        ),
        latency={
            name: value
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            if (value := percentile(latencies, share)) is not None
        },
        waterfall=waterfall_ms(sends),
    )


def _sends(ledger: sqlite3.Connection) -> list[dict[str, float]]:
    rows = ledger.execute(
        "select decisions.timings, recorded_us, gated_us, rendered_us, dot_us, accepted_us from decisions "
        f"join outbox using (id) where state in {SENT} order by decisions.id desc limit ?",
        (NEWEST_SENDS,),
    )
    names = ("recorded", "gated", "rendered", "dot", "accepted")
    return [
        json.loads(timings) | {name: stamp / 1e6 for name, stamp in zip(names, stamps, strict=True) if stamp}
        for timings, *stamps in rows
    ]


def recent_emails(ledger: Path, limit: int) -> list[dict[str, object]]:
    """The newest emails: when, which trigger and route, why, and how fast. No address leaves the ledger here."""
    if not ledger.exists():
        return []
    connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        rows = connection.execute(
            "select decision_id, trigger_name, route, customer_id, evidence, decisions.timings, accepted_us "
            f"from decisions join outbox using (id) where state in {SENT} order by accepted_us desc limit ?",
            (limit,),
        ).fetchall()
    finally:
        connection.close()
    return [
        dict(row) | {"evidence": json.loads(row["evidence"]), "timings": json.loads(row["timings"])}
        for row in rows
    ]
