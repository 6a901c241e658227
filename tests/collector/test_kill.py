"""The promise that matters most: a 200 means that the event is in the log, whatever happens next."""

import pytest

from tests.collector import killing


@pytest.mark.slow
def test_a_collector_killed_under_load_loses_nothing_it_acknowledged(tmp_path):
    outcome = killing.run(tmp_path / "landing", cycles=10)

    assert outcome.lost == []
    assert outcome.kills == 10
    assert outcome.acknowledged > 100
