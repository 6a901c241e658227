"""A small version of `make chaos`."""

from pathlib import Path

import pytest

from tests.chaos import run_chaos
from tests.power import inserted, why_not

FAULTS = ("--temporary", "0.03", "--reset", "0.02", "--reply-lost", "0.01")


def test_thirty_crashes_lose_nothing_and_double_nothing(tmp_path: Path):
    outcome = run_chaos(cycles=30, seed=11, folder=tmp_path, faults=FAULTS)

    assert outcome.problems == []
    assert outcome.is_clean, outcome.line()
    assert outcome.acknowledged > 500 and outcome.sent > 20, outcome.line()


def test_three_power_losses_lose_nothing_and_double_nothing(tmp_path: Path):
    if missing := why_not():
        pytest.skip(missing)
    with inserted(tmp_path / "data") as disk:
        outcome = run_chaos(cycles=3, seed=5, folder=tmp_path, faults=FAULTS, disk=disk)

    assert outcome.problems == []
    assert outcome.is_clean, outcome.line()
    assert outcome.power_losses == 3 and outcome.sent > 5, outcome.line()
