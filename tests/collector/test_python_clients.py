"""The Python SDKs of Segment and RudderStack, unmodified, against a live collector."""

from datetime import UTC, datetime, timedelta

import pytest
import rudderstack.analytics.client as rudderstack
import segment.analytics.client as segment

from tests.collector.live import SERVER_KEY, LiveCollector
from tests.collector.outage import run_full, run_overloaded

THEN = datetime.now(UTC) - timedelta(hours=1)


def segment_client(url: str, errors: list, **options) -> segment.Client:
    return segment.Client(SERVER_KEY, host=url, on_error=lambda *args: errors.append(args), **options)


def rudderstack_client(url: str, errors: list, **options) -> rudderstack.Client:
    return rudderstack.Client(SERVER_KEY, host=url, on_error=lambda *args: errors.append(args), **options)


CLIENTS = {"segment": segment_client, "rudderstack": rudderstack_client}


@pytest.mark.parametrize("dialect", CLIENTS)
@pytest.mark.parametrize("gzip", [False, True])
def test_a_python_sdk_delivers_every_call_as_it_was_meant(collector, dialect, gzip):
    errors: list = []
    client = CLIENTS[dialect](collector.url, errors, gzip=gzip)

    client.identify("u1", {"email": "ann@example.org", "consent": True}, timestamp=THEN)
    client.track("u1", "Product Added", {"price": 19.5, "name": "Größe ☃"}, timestamp=THEN)
    client.page("u1", "Shop", "Cart", {"path": "/cart"}, timestamp=THEN)
    client.screen("u1", "App", "Cart", {}, timestamp=THEN)
    client.group("u1", "g1", {"plan": "pro"}, timestamp=THEN)
    client.alias("old", "u1", timestamp=THEN)
    client.flush()
    client.join()

    events = {event["type"]: event for event in collector.events()}
    assert errors == []
    assert len(events) == 6
    assert {event["dialect"] for event in events.values()} == {dialect}
    assert events["identify"]["traits"] == {"email": "ann@example.org", "consent": True}
    assert events["track"]["properties"] == {"price": 19.5, "name": "Größe ☃"}
    assert (events["page"]["event"], events["page"]["properties"]["path"]) == ("Cart", "/cart")
    assert (events["group"]["group_id"], events["group"]["traits"]) == ("g1", {"plan": "pro"})
    assert (events["alias"]["previous_id"], events["alias"]["user_id"]) == ("old", "u1")
    for event in events.values():
        assert abs(datetime.fromisoformat(event["occurred_at"]) - THEN) < timedelta(seconds=5)


@pytest.mark.parametrize("dialect", CLIENTS)
def test_a_thousand_events_arrive_once_each(collector, dialect):
    errors: list = []
    client = CLIENTS[dialect](collector.url, errors)

    for n in range(1000):
        client.track(f"u{n}", "Product Viewed", {"n": n})
    client.flush()
    client.join()

    assert errors == []
    assert sorted(event["properties"]["n"] for event in collector.events()) == list(range(1000))


@pytest.mark.parametrize("dialect", CLIENTS)
@pytest.mark.parametrize("outage", [run_full, run_overloaded])
def test_an_outage_loses_nothing(tmp_path, dialect, outage):
    collector, errors = LiveCollector(tmp_path / "landing", worker=outage).start(), []
    try:
        client = CLIENTS[dialect](collector.url, errors, upload_size=20)
        for n in range(60):
            client.track("u1", "Product Viewed", {"n": n})
        client.flush()
        client.join()
        assert errors == []
        assert sorted({event["properties"]["n"] for event in collector.events()}) == list(range(60))
    finally:
        collector.stop()


@pytest.mark.parametrize("dialect", CLIENTS)
def test_a_wrong_key_is_reported_to_the_program_at_once(collector, dialect):
    errors: list = []
    module = segment if dialect == "segment" else rudderstack
    client = module.Client("wrong", host=collector.url, on_error=lambda *args: errors.append(args))

    client.track("u1", "Product Viewed")
    client.flush()
    client.join()

    assert "invalid write key" in str(errors[0][0])
    assert collector.events() == []
