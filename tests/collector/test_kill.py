"""The promise that matters most: a 200 means that the event is in the log, whatever happens next."""

import os

import pytest

from collector.server import run_worker
from tests.collector import killing
from tests.power import inserted, why_not


@pytest.fixture
def disk(tmp_path):
    """One whose power can be cut."""
    if missing := why_not():
        pytest.skip(missing)
    with inserted(tmp_path / "data", megabytes=64) as disk:
        yield disk


def worker_that_does_not_wait_for_the_disk(*arguments) -> None:
    os.fdatasync = lambda descriptor: None
    run_worker(*arguments)


@pytest.mark.slow
def test_a_collector_killed_under_load_loses_nothing_it_acknowledged(tmp_path):
    outcome = killing.run(tmp_path / "landing", cycles=10)

    assert outcome.lost == []
    assert outcome.kills == 10
    assert outcome.acknowledged > 100


@pytest.mark.slow
def test_a_power_loss_takes_nothing_that_was_acknowledged(disk):
    outcome = killing.run(disk.mount_point / "landing", cycles=5, disk=disk)

    assert outcome.lost == []
    assert outcome.acknowledged > 50


@pytest.mark.slow
def test_without_waiting_for_the_disk_a_power_loss_takes_events(disk):
    """The proof above bites: the same run with fdatasync made a lie loses what it acknowledged."""
    outcome = killing.run(
        disk.mount_point / "landing", cycles=2, disk=disk, worker=worker_that_does_not_wait_for_the_disk
    )

    assert len(outcome.lost) > 0
