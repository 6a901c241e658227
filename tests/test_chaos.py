"""A small version of `make chaos`."""

from pathlib import Path

from tests.chaos import run_chaos


def test_thirty_crashes_lose_nothing_and_double_nothing(tmp_path: Path):
    faults = ("--temporary", "0.03", "--reset", "0.02", "--reply-lost", "0.01")

    outcome = run_chaos(cycles=30, seed=11, folder=tmp_path, faults=faults)

    assert outcome.problems == []
    assert outcome.is_clean, outcome.line()
    assert outcome.acknowledged > 500 and outcome.sent > 20, outcome.line()
