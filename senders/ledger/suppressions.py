"""The list of those who are not mailed: reading it, and the few changes a person may make."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from senders.instants import from_us, to_us
from senders.ledger import keys
from senders.ledger.facts import BY_WEIGHT, NEVER_LIFTED
from senders.ledger.writer import Transaction

SOFT = "soft_bounces"


class SuppressionError(ValueError):
    """This cannot be done to the list; the sentence says why."""


@dataclass(frozen=True)
class Suppressed:
    """One reason under one key."""

    key: str  # "p:<person>" or "a:<address hash>"
    address: str | None  # where it is still known
    reason: str
    since: datetime
    until: datetime | None  # None: for good
    source: str

    @property
    def person(self) -> str | None:
        """The customer or visitor, if it is about one."""
        return self.key[2:] if self.key.startswith("p:") else None

    @property
    def address_hash(self) -> str | None:
        """The keyed hash of the mailbox, if it is about one."""
        return self.key[2:] if self.key.startswith("a:") else None


_ALL = """
select key, reason, at_us, null as until_us, source from suppressions where lifted_us is null
union all
select key, 'soft_bounces', at_us, until_us, source from bounce_holds where lifted_us is null and until_us > :now_us
order by at_us desc, key, reason
"""


def listed(connection: sqlite3.Connection, now: datetime, key: str | None = None) -> Iterator[Suppressed]:
    """What holds at `now`, newest first; under one key, or all."""
    for row in connection.execute(_ALL, {"now_us": to_us(now)}):
        if key is None or row["key"] == key:
            yield Suppressed(
                key=row["key"],
                address=_address(connection, row["key"]),
                reason=row["reason"],
                since=from_us(row["at_us"]),
                until=from_us(row["until_us"]) if row["until_us"] else None,
                source=row["source"],
            )


def _address(connection: sqlite3.Connection, key: str) -> str | None:
    """From the newest email to that mailbox, if its content was not erased."""
    if not key.startswith("a:"):
        return None
    row = connection.execute(
        "select to_address from payloads join decisions using (id) where address_hash = ? order by id desc limit 1",
        (key[2:],),
    ).fetchone()
    return row[0] if row else None


def lift(
    transaction: Transaction, subjects: list[str], now_us: int, who: str, why: str, has_opted_in: bool
) -> int:
    """Lift what may be lifted; returns how many. Raises SuppressionError for a complaint, and for an unsubscribe
    that nothing newer takes back."""
    found = [
        (row["key"], row["reason"])
        for key in subjects
        for row in transaction.execute(
            "select key, reason from suppressions where key = ? and lifted_us is null", (key,)
        )
    ]
    for _, reason in found:
        if reason in NEVER_LIFTED:
            raise SuppressionError(f"a {reason} is never lifted")
        if reason in ("unsubscribe", "list_opt_out") and not has_opted_in:
            raise SuppressionError(
                f"an {reason} is taken back by the person only: repeat with --double-opt-in once they confirmed anew"
            )
    for key, reason in found:
        transaction.execute(
            "update suppressions set lifted_us = ? where key = ? and reason = ?", (now_us, key, reason)
        )
        transaction.audit(now_us, "suppression_lifted", subject=key, reason=reason, who=who, why=why)
    return len(found) + sum(_lift_hold(transaction, key, now_us, who, why) for key in subjects)


def _lift_hold(transaction: Transaction, key: str, now_us: int, who: str, why: str) -> int:
    transaction.execute("delete from soft_bounces where key = ?", (key,))
    held = transaction.execute(
        "update bounce_holds set lifted_us = ? where key = ? and lifted_us is null and until_us > ?",
        (now_us, key, now_us),
    ).rowcount
    if held:
        transaction.audit(now_us, "suppression_lifted", subject=key, reason=SOFT, who=who, why=why)
    return held


def key_of(
    secret: bytes, address: str | None = None, person: str | None = None, hashed: str | None = None
) -> str:
    """The key of exactly one of them."""
    if address:
        return keys.address_key(keys.address_hash(address, secret))
    if hashed:
        return keys.address_key(hashed)
    if person:
        return keys.person_key(person)
    raise SuppressionError("say whom: an address, a person, or the hash of an address")


def weightiest(reasons: list[str]) -> str:
    """The reason that counts of several: the person's word before the mailbox's."""
    return min(reasons, key=(*BY_WEIGHT, SOFT).index)
