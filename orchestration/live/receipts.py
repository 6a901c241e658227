"""What became of the emails, back into the log as events: models learn from them like from any other."""

from __future__ import annotations

import re
from datetime import datetime

from collector.log.base import EventLog
from orchestration.live.events import own_event
from senders.ledger.ledger import Ledger
from senders.ledger.views import Receipt

# What is not named here was refused by the gate: suppressed, capped, expired, cancelled.
EVENT_NAMES = {
    "SENT": "Email Sent",
    "FAILED": "Email Failed",
    "UNKNOWN": "Email In Doubt",
    "APPROVED": "Email Approved",
    "REJECTED": "Email Rejected",
    "WITHHELD": "Email Withheld",
}

# A mail server's refusal likes to repeat whom it refused.
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")


class ReceiptExport:
    """Moves outcomes from the ledger to the log. A crash repeats some; their ids make that harmless."""

    def __init__(self, log: EventLog, ledger: Ledger) -> None:
        self._log = log
        self._ledger = ledger

    def run(self, now: datetime, limit: int = 5_000) -> list[Receipt]:
        """Export what is new, and return it."""
        receipts = self._ledger.receipts_after(self._ledger.export_cursor(), limit)
        if not receipts:
            return []
        self._log.append([_event(receipt) for receipt in receipts])
        self._ledger.set_export_cursor(receipts[-1].seq, now)
        return receipts


def _event(receipt: Receipt) -> bytes:
    """A canonical event of our own: no address, no name."""
    return own_event(
        EVENT_NAMES.get(receipt.outcome, "Email Cancelled"),
        message_id=f"{receipt.decision_id}.{receipt.outcome.lower()}",
        at=receipt.at,
        anonymous_id=receipt.visitor_id,
        user_id=receipt.customer_id,
        properties={
            "decision_id": receipt.decision_id,
            "trigger_name": receipt.trigger_name,
            "touch": receipt.touch,
            "entity_id": receipt.entity_id,
            "session_id": receipt.session_id,
            "route": receipt.route,
            "variant": receipt.variant,
            "template": receipt.template,
            "outcome": receipt.outcome,
            "reason": _ADDRESS.sub("<address>", receipt.reason) if receipt.reason else None,
            "timings": receipt.timings,
            "evidence": receipt.evidence,  # the next email of a sequence is about the same
        },
    )
