"""Shared by the tests of the live lane."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orchestration.traffic import Bench


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Bench]:
    """A live lane on a simulated clock."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()
