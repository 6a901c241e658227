"""What the collector's tests share: a clock that obeys, and a log in a temporary folder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from collector.log import FileLog
from tests.collector.asking import Asked
from tests.collector.live import LiveCollector

MORNING = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path, clock) -> FileLog:
    return FileLog(tmp_path / "landing", clock=clock)


@pytest.fixture
def collector(tmp_path) -> Iterator[LiveCollector]:
    """A running collector with an empty log."""
    live = LiveCollector(tmp_path / "landing").start()
    yield live
    live.stop()


@pytest.fixture
def asked(log, clock) -> Asked:
    """The application without a network, on a stopped clock."""
    return Asked(log, clock)
