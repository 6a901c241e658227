"""What the sender's tests share: a ledger in a temporary folder, a fixed instant, and an example email."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that tests can share helpers by their full name

from senders import Ledger, Policy
from tests.senders.support import NOW, SECRET


@pytest.fixture
def open_ledger(tmp_path):
    """Opens the test's ledger with some policy, as often as wanted; all are closed at the end."""
    opened = []

    def opener(policy=None, name="ledger.sqlite"):
        opened.append(Ledger.open(tmp_path / name, SECRET, policy or Policy()))
        return opened[-1]

    yield opener
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger):
    """A ledger that we are the sender of."""
    ledger = open_ledger()
    ledger.recover(NOW)
    return ledger
