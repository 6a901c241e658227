"""The Node SDKs of Segment and RudderStack, unmodified, against a live collector."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.collector.live import SERVER_KEY, LiveCollector
from tests.collector.node_tools import require_node, run_node
from tests.collector.outage import run_full, run_overloaded

pytestmark = pytest.mark.needs_node
DIALECTS = ["segment", "rudderstack"]


@pytest.fixture(autouse=True)
def _node():
    require_node()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_node_sdk_delivers_every_call_as_it_was_meant(collector, dialect):
    result = run_node("clients.cjs", dialect, collector.url, SERVER_KEY, 40)

    found = collector.wait_for(45)
    events = {event["type"]: event for event in found}
    assert result["errors"] == []
    assert len(found) == 45
    assert {event["dialect"] for event in found} == {dialect}
    assert events["identify"]["traits"] == {"email": "ann@example.org", "consent": True}
    assert (events["page"]["event"], events["page"]["properties"]["path"]) == ("Cart", "/cart")
    assert (events["group"]["group_id"], events["group"]["traits"]["plan"]) == ("g1", "pro")
    assert (events["alias"]["previous_id"], events["alias"]["user_id"]) == ("old", "u1")
    tracks = [event["properties"] for event in found if event["type"] == "track"]
    assert sorted(track["n"] for track in tracks) == list(range(40))
    assert {track["name"] for track in tracks} == {"Größe ☃"}
    then = datetime.now(UTC) - timedelta(hours=1)
    for event in found:
        assert abs(datetime.fromisoformat(event["occurred_at"]) - then) < timedelta(seconds=30)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("outage", [run_full, run_overloaded])
def test_an_outage_loses_nothing(tmp_path, dialect, outage):
    collector = LiveCollector(tmp_path / "landing", worker=outage).start()
    try:
        result = run_node("clients.cjs", dialect, collector.url, SERVER_KEY, 40)
        found = collector.wait_for(45)
        assert result["errors"] == []
        assert len({event["message_id"] for event in found}) == 45
    finally:
        collector.stop()
