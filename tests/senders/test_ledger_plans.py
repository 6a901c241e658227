"""What the dispatcher asks at every look costs the same however many emails ever went out."""

import sqlite3
from collections.abc import Callable

import pytest

from senders.instants import to_us
from senders.ledger import db, recovery, reviews, views
from tests.senders.support import NOW

LOOKS: dict[str, Callable[[sqlite3.Connection], object]] = {
    "doubts whose quarantine is over": lambda connection: recovery.doubts(connection, to_us(NOW)),
    "held emails whose time is over": lambda connection: reviews.overdue(connection, to_us(NOW)),
    "what is due": lambda connection: views.due(connection, to_us(NOW), 32),
    "when the next is due": views.next_due_us,
}


@pytest.mark.parametrize("name", LOOKS)
def test_no_look_reads_the_whole_outbox(ledger, name):
    connection = db.connect_reader(ledger.path)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    LOOKS[name](connection)
    connection.set_trace_callback(None)
    plan = [row["detail"] for row in connection.execute(f"explain query plan {statements[0]}")]

    assert any("outbox USING" in step for step in plan), plan
    assert not any(step in ("SCAN outbox", "SCAN decisions", "SCAN payloads") for step in plan), plan
