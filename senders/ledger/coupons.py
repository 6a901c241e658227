"""Is a coupon code good? Answered from the ledger alone: what was sent, and when."""

import hmac
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from senders import coupons
from senders.instants import from_us

# Somebody may hold it: in doubt counts as sent, here as everywhere.
_GONE_OUT = ("DOT_SENT", "IN_DOUBT", "SENT", "UNKNOWN", "DELIVERED", "BOUNCED", "COMPLAINED")


@dataclass(frozen=True)
class Issued:
    """What is known of one code. `expires_at` (aware UTC) is what the email prints; None before it was dated."""

    standing: Literal["valid", "expired", "not_sent"]
    percent: int
    expires_at: datetime | None
    decision_id: str
    customer_id: str | None
    state: str


def verify(
    connection: sqlite3.Connection, code: str, secret: bytes, now: datetime, grace: timedelta
) -> Issued | None:
    """None: no email carries this code. A code stays valid for `grace` beyond its deadline."""
    row = connection.execute(
        "select outbox.id, state, frozen_us, decision_id, customer_id, content"
        " from outbox join decisions using (id) join payloads using (id) where outbox.id = ?",
        (coupons.id_of(code, secret),),
    ).fetchone()
    offer = json.loads(row["content"]).get("coupon_offer") if row else None
    if not offer or not _matches(code, row, secret):
        return None
    frozen_us = row["frozen_us"]
    until = coupons.deadline(from_us(frozen_us), offer["valid_hours"]) if frozen_us else None
    if until is None or row["state"] not in _GONE_OUT:
        standing = "not_sent"
    else:
        standing = "valid" if now < until + grace else "expired"
    return Issued(standing, offer["percent"], until, row["decision_id"], row["customer_id"], row["state"])


def _matches(typed: str, row: sqlite3.Row, secret: bytes) -> bool:
    """In constant time. `typed` has the alphabet of codes, or there would be no row."""
    code = coupons.code_of(row["id"], row["decision_id"], secret)
    return hmac.compare_digest(coupons.plain(typed), coupons.plain(code))
