"""A ledger of an earlier version is brought up to date; one of a later version is refused."""

import sqlite3

import pytest

from senders import Ledger, Policy
from senders.ledger.db import LedgerTooNew
from tests.senders.support import MINUTE, NOW, SECRET, decision, gate, plan, state

# What schema 0 did not have.
_BACK_TO_0 = """
alter table decisions drop column hold_until_us;
alter table outbox drop column expires_us;
pragma user_version = 0;
"""


def _as_of_version_0(ledger: Ledger) -> None:
    ledger.close()
    raw = sqlite3.connect(ledger.path)
    raw.executescript(_BACK_TO_0)
    raw.close()


def test_a_ledger_of_the_first_version_goes_on(ledger):
    plan(ledger, decision(1), decision(2, "bea", expires_at=NOW + 2 * MINUTE))
    _as_of_version_0(ledger)

    reopened = Ledger.open(ledger.path, SECRET, Policy())
    reopened.recover(NOW)

    assert gate(reopened, NOW + 3 * MINUTE) == [1]
    assert state(reopened, "d2") == ("EXPIRED", "too_late")
    reopened.close()


def test_a_ledger_of_a_later_version_is_left_alone(ledger):
    ledger.close()
    raw = sqlite3.connect(ledger.path)
    raw.execute("pragma user_version = 99")
    raw.close()

    with pytest.raises(LedgerTooNew, match="needs a newer Kairos"):
        Ledger.open(ledger.path, SECRET, Policy())
