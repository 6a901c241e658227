"""Records decisions: every candidate for `why`, and an outbox row for each that should be sent."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from senders.decision import Decision
from senders.instants import span_us, to_us
from senders.ledger import controls, keys
from senders.ledger.moves import reserve
from senders.ledger.writer import Transaction
from senders.policy import Policy

_DECISION = """
insert or ignore into decisions (
    decision_id, recorded_us, trigger_name, touch, entity_id, session_id, visitor_id, customer_id,
    address_hash, qualifies_us, expires_us, hold_until_us, should_send, needs_review, position, route, variant,
    reasons, evidence, timings
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_PAYLOAD = """
insert into payloads (id, to_address, timezone, template, subject, content, exit_events)
values (?, ?, ?, ?, ?, ?, ?)
"""

_OUTBOX = """
insert into outbox (id, state, reason, due_us, expires_us, dedupe_key, domain, content_sha256, resolve_after_us)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def record(transaction: Transaction, decision: Decision, now_us: int, policy: Policy, secret: bytes) -> bool:
    """Record one decision; False if it was known already, whatever it says this time."""
    hashed = keys.address_hash(decision.to_address, secret) if decision.to_address else None
    inserted = transaction.execute(_DECISION, _decision_row(decision, now_us, hashed))
    if not inserted.rowcount:
        return False
    if decision.should_send:
        _plan(transaction, inserted.lastrowid or 0, decision, now_us, hashed, policy)
    elif decision.is_ghost:
        transaction.audit(now_us, "withheld", inserted.lastrowid or 0)
    return True


def content_sha256(decision: Decision) -> str:
    """What a reviewer approves: to whom, with which template, saying what."""
    parts = [decision.to_address, decision.template, decision.subject, decision.route, decision.content]
    return hashlib.sha256(to_json(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """Figures of the models that JSON does not know: decimals as numbers, instants as ISO text."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if hasattr(value, "isoformat") else float(value)


# One spelling per value.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain).encode


def _decision_row(decision: Decision, now_us: int, hashed: str | None) -> tuple[Any, ...]:
    return (
        decision.decision_id,
        now_us,
        decision.trigger_name,
        decision.touch,
        decision.entity_id,
        decision.session_id,
        decision.visitor_id,
        decision.customer_id,
        hashed,
        to_us(decision.qualifies_at),
        to_us(decision.expires_at),
        to_us(decision.hold_until or decision.expires_at),
        int(decision.should_send),
        int(decision.needs_review),
        decision.position,
        decision.route,
        decision.variant,
        to_json(decision.reasons),
        to_json(decision.evidence),
        to_json(decision.timings),
    )


def _plan(
    transaction: Transaction, id: int, decision: Decision, now_us: int, hashed: str | None, policy: Policy
) -> None:
    if not (hashed and decision.to_address and decision.template and decision.subject):
        raise ValueError(
            f"decision {decision.decision_id} should be sent but has no address, template or subject: "
            "the decision model must set all three where should_send is true"
        )
    transaction.execute(_PAYLOAD, _payload_row(id, decision))
    state, reason = _first_state(transaction, decision)
    dedupe = _dedupe_key(decision, hashed, policy)
    if transaction.execute("select 1 from outbox where dedupe_key = ?", (dedupe,)).fetchone():
        state, reason, dedupe = "CANCELLED", "one_email_per_mailbox", None
    transaction.execute(_OUTBOX, _outbox_row(id, decision, state, reason, dedupe, now_us, policy))
    transaction.audit(now_us, state, id, **({"reason": reason} if reason else {}))
    if state == "IN_DOUBT":
        transaction.execute("update outbox set gated_us = ? where id = ?", (now_us, id))
        reserve(transaction, id, (decision.customer_id, decision.visitor_id), hashed)


def _first_state(transaction: Transaction, decision: Decision) -> tuple[str, str | None]:
    """IN_DOUBT: the ledger was restored, and this ripened before the loss, so it may have been sent."""
    doubt_before_us = controls.get(transaction.connection, "doubt_before_us", 0)
    if to_us(decision.qualifies_at) <= doubt_before_us:
        return "IN_DOUBT", "restored_snapshot"
    return ("HELD", decision.review_reason or "needs_review") if decision.needs_review else ("PLANNED", None)


def _dedupe_key(decision: Decision, hashed: str, policy: Policy) -> str:
    window = to_us(decision.qualifies_at) // max(1, span_us(policy.dedupe_window))
    return f"{hashed}/{decision.trigger_name}/{decision.touch}/{window}"


def _payload_row(id: int, decision: Decision) -> tuple[Any, ...]:
    return (
        id,
        decision.to_address,
        decision.timezone,
        decision.template,
        decision.subject,
        to_json(decision.content),
        to_json(list(decision.exit_events)),
    )


def _outbox_row(
    id: int,
    decision: Decision,
    state: str,
    reason: str | None,
    dedupe: str | None,
    now_us: int,
    policy: Policy,
) -> tuple[Any, ...]:
    domain = keys.normalise(decision.to_address or "").rpartition("@")[2]
    resolve_after = now_us + span_us(policy.quarantine) if state == "IN_DOUBT" else None
    due, expires = to_us(decision.qualifies_at), to_us(decision.expires_at)
    return (id, state, reason, due, expires, dedupe, domain, content_sha256(decision), resolve_after)
