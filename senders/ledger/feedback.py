"""What mail servers and recipients answer: outbox states move on, mailboxes that refuse are left alone.

A complaint or an unsubscribe is the person's word and counts for person and mailbox.
A bounce says something about the mailbox only: the person may have another.
"""

import sqlite3
from dataclasses import dataclass

from senders.instants import span_us, to_us
from senders.ledger import keys
from senders.ledger.facts import Feedback
from senders.ledger.moves import move
from senders.ledger.people import suppress_keys
from senders.ledger.writer import Transaction
from senders.policy import Policy

# Where an email may stand when its answer comes, step by step to where the answer leads.
_WAYS = {
    "delivered": (("IN_DOUBT", "SENT"), ("SENT", "DELIVERED")),
    "hard_bounce": (("IN_DOUBT", "SENT"), ("SENT", "BOUNCED"), ("DELIVERED", "BOUNCED")),
    "soft_bounce": (("IN_DOUBT", "SENT"), ("SENT", "BOUNCED")),
    "block": (("IN_DOUBT", "SENT"), ("SENT", "BOUNCED")),
    "complaint": (("IN_DOUBT", "SENT"), ("SENT", "COMPLAINED"), ("DELIVERED", "COMPLAINED")),
}


@dataclass(frozen=True)
class Behind:
    """Somebody whom an answer is about."""

    decision_id: str
    trigger_name: str
    touch: int
    visitor_id: str
    customer_id: str | None


def learn(transaction: Transaction, fact: Feedback, secret: bytes, policy: Policy) -> None:
    """Take in one answer. Safe to repeat, in any order."""
    at_us = to_us(fact.at)
    mailboxes = _mailboxes(transaction.connection, fact, secret)
    if fact.decision_id:
        _move(transaction, fact, at_us)
    match fact.kind:
        case "delivered":
            _works(transaction, mailboxes, at_us)
        case "hard_bounce":
            suppress_keys(transaction, mailboxes, "hard_bounce", at_us, fact.source)
        case "soft_bounce":
            _count(transaction, mailboxes, fact, at_us, policy)
        case "complaint" | "unsubscribe":
            people = [keys.person_key(person) for person in _people(transaction.connection, fact, secret)]
            suppress_keys(transaction, [*people, *mailboxes], fact.kind, at_us, fact.source)


def behind(connection: sqlite3.Connection, fact: Feedback, secret: bytes) -> list[Behind]:
    """Everyone whom an answer is about, each with their newest decision: usually one, nobody for a stranger's mailbox."""
    if fact.decision_id:
        rows = connection.execute(f"{_DECISIONS} where decision_id = ?", (fact.decision_id,)).fetchall()
        if rows:
            return [Behind(*rows[0])]
    if not fact.address:
        return []
    rows = connection.execute(
        f"{_DECISIONS} where address_hash = ? order by id desc limit 1000",
        (keys.address_hash(fact.address, secret),),
    ).fetchall()
    newest: dict[str, Behind] = {}
    for row in rows:
        newest.setdefault(row["customer_id"] or row["visitor_id"], Behind(*row))
    return list(newest.values())


_DECISIONS = "select decision_id, trigger_name, touch, visitor_id, customer_id from decisions"


def _people(connection: sqlite3.Connection, fact: Feedback, secret: bytes) -> list[str]:
    """Where the customer is known, a shared device is spared."""
    return sorted({one.customer_id or one.visitor_id for one in behind(connection, fact, secret)})


def _mailboxes(connection: sqlite3.Connection, fact: Feedback, secret: bytes) -> list[str]:
    """The mailbox we wrote to, and the one that is named; a forwarded mail bounces under another name."""
    found = {keys.address_hash(fact.address, secret)} if fact.address else set()
    if fact.decision_id:
        row = connection.execute(
            "select address_hash from decisions where decision_id = ?", (fact.decision_id,)
        ).fetchone()
        found |= {row[0]} if row and row[0] else set()
    return [keys.address_key(hashed) for hashed in sorted(found)]


def _move(transaction: Transaction, fact: Feedback, at_us: int) -> None:
    row = transaction.execute(
        "select id from outbox join decisions using (id) where decision_id = ?", (fact.decision_id,)
    ).fetchone()
    for old, new in _WAYS.get(fact.kind, ()) if row else ():
        accepted = {"accepted_us": at_us} if new == "SENT" else {}
        move(transaction, row["id"], old, new, at_us, fact.reason or "the provider says so", **accepted)


def _works(transaction: Transaction, mailboxes: list[str], at_us: int) -> None:
    """A delivery forgives what was soft before it."""
    for key in mailboxes:
        transaction.execute("delete from soft_bounces where key = ? and at_us <= ?", (key, at_us))
        lifted = transaction.execute(
            "update bounce_holds set lifted_us = ? where key = ? and lifted_us is null and at_us <= ?",
            (at_us, key, at_us),
        ).rowcount
        if lifted:
            transaction.audit(
                at_us, "suppression_lifted", subject=key, reason="soft_bounces", by="a delivery"
            )


def _count(
    transaction: Transaction, mailboxes: list[str], fact: Feedback, at_us: int, policy: Policy
) -> None:
    """The third in a week rests the mailbox for a month; one email bounces once, however often it is reported."""
    for key in mailboxes:
        transaction.execute(
            "insert or ignore into soft_bounces (key, event_id, at_us) values (?, ?, ?)",
            (key, fact.decision_id or fact.event_id, at_us),
        )
        window_us = span_us(policy.soft_bounce_window)
        recent = transaction.execute(
            "select count(*) from soft_bounces where key = ? and at_us between ? and ?",
            (key, at_us - window_us, at_us),
        ).fetchone()[0]
        transaction.execute(
            "delete from soft_bounces where key = ? and at_us < ?", (key, at_us - 4 * window_us)
        )
        if recent >= policy.soft_bounces:
            _rest(transaction, key, at_us, at_us + span_us(policy.soft_bounce_rest), fact.source)


def _rest(transaction: Transaction, key: str, at_us: int, until_us: int, source: str) -> None:
    changed = transaction.execute(
        """
        insert into bounce_holds (key, at_us, until_us, source) values (?, ?, ?, ?)
        on conflict (key) do update
        set at_us = excluded.at_us, until_us = excluded.until_us, lifted_us = null, source = excluded.source
        where excluded.until_us > until_us and excluded.at_us >= coalesce(lifted_us, 0)
        """,
        (key, at_us, until_us, source),
    ).rowcount
    if changed:
        transaction.audit(
            at_us, "suppressed", subject=key, reason="soft_bounces", source=source, until_us=until_us
        )
