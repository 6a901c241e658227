"""What an accepted event looks like, whatever SDK sent it."""

import pytest

from tests.collector.live import BROWSER_KEY

NOON = "2026-11-23T11:00:00.000000Z"  # where the tests' clock stands


def track(**fields) -> dict:
    return {"type": "track", "event": "Product Added", "userId": "u1", "messageId": "m1", **fields}


def test_every_key_is_always_present(asked):
    event = asked.accept(track())

    assert event == {
        "received_at": NOON,
        "message_id": "m1",
        "type": "track",
        "event": "Product Added",
        "anonymous_id": None,
        "user_id": "u1",
        "previous_id": None,
        "group_id": None,
        "occurred_at": NOON,
        "source": "shop",
        "trust": "server",
        "dialect": "segment",
        "properties": {},
        "traits": {},
        "context": {},
        "flags": [],
    }


@pytest.mark.parametrize(
    ("fields", "occurred"),
    [
        ({"timestamp": "2026-11-23T10:59:00Z"}, "2026-11-23T10:59:00.000000Z"),
        ({"timestamp": "2026-11-23T10:59:00"}, "2026-11-23T10:59:00.000000Z"),
        ({"timestamp": "2026-11-23T12:59:00.5+02:00"}, "2026-11-23T10:59:00.500000Z"),
        ({"timestamp": 1795431540}, "2026-11-23T10:59:00.000000Z"),
        ({"timestamp": 1795431540000}, "2026-11-23T10:59:00.000000Z"),
        ({"originalTimestamp": "2026-11-23T10:58:00Z", "timestamp": "2020-01-01T00:00:00Z"},
         "2026-11-23T10:58:00.000000Z"),
        # a phone whose clock is three years slow, ten seconds before it sent
        ({"timestamp": "2023-11-23T10:00:00Z", "sentAt": "2023-11-23T10:00:10Z"},
         "2026-11-23T10:59:50.000000Z"),
        # sent before it happened: such a clock says nothing
        ({"timestamp": "2026-11-23T10:00:10Z", "sentAt": "2026-11-23T10:00:00Z"}, NOON),
        ({"timestamp": "2026-11-23T11:04:00Z"}, "2026-11-23T11:04:00.000000Z"),
        ({"timestamp": "", "sentAt": "garbage"}, NOON),
    ],
)  # fmt: skip
def test_device_clocks_are_corrected(asked, fields, occurred):
    event = asked.accept(track(**fields))

    assert (event["occurred_at"], event["flags"]) == (occurred, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": "2026-11-23T11:06:00Z"},
        {"timestamp": "2150-01-01T00:00:00Z"},
        {"timestamp": "2026-11-23T12:00:00Z", "sentAt": "2026-11-23T11:00:00Z"},
    ],
)
def test_the_future_has_not_happened_yet(asked, fields):
    event = asked.accept(track(**fields))

    assert (event["occurred_at"], event["flags"]) == (NOON, ["future_timestamp"])


def test_the_envelope_and_the_header_tell_when_it_was_sent(asked):
    event = track(timestamp="2026-11-23T09:00:00Z")

    asked.post("/v1/batch", {"batch": [event], "sentAt": "2026-11-23T09:00:05Z"})
    asked.post("/v1/track", event, sentat="2026-11-23T09:00:07Z")

    times = [found["occurred_at"] for found in asked.events()]
    assert times == ["2026-11-23T10:59:55.000000Z", "2026-11-23T10:59:53.000000Z"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (42, "42"),
        (" u1 ", "u1"),
        ("Ann@Example.ORG", "ann@example.org"),
        ("e\u0301", "\u00e9"),
        ("Ann", "Ann"),
    ],
)
def test_an_id_has_one_spelling(asked, given, kept):
    assert asked.accept(track(userId=given))["user_id"] == kept


@pytest.mark.parametrize("nobody", [" ", "null", "undefined", "0", 0, "NaN", "[object Object]", "guest"])
def test_an_id_that_names_nobody_merges_nobody(asked, nobody):
    event = asked.accept(track(userId=nobody, anonymousId="a1"))

    assert (event["user_id"], event["anonymous_id"]) == (None, "a1")
    assert event["flags"] == ["denied_user_id"]


def test_traits_may_lie_in_the_context(asked):
    event = asked.accept(
        {"type": "identify", "userId": "u1", "context": {"traits": {"tier": "vip"}, "ip": "x"}}
    )

    assert event["traits"] == {"tier": "vip"}
    assert event["context"] == {"ip": "x"}


def test_a_server_may_set_consent_and_a_browser_may_not(asked):
    identify = {"type": "identify", "userId": "u1", "traits": {"consent": True, "tier": "vip"}}

    assert asked.accept(identify)["traits"] == {"consent": True, "tier": "vip"}
    event = asked.accept(identify, key=BROWSER_KEY)

    assert event["traits"] == {"tier": "vip"}
    assert event["flags"] == ["consent_dropped"]
    assert event["trust"] == "browser"


def test_consent_cannot_be_smuggled_through_the_context(asked):
    for kind in ("identify", "track", "page"):
        call = {"type": kind, "event": "x", "userId": "u", "context": {"traits": {"consent": True}}}
        assert "consent" not in str({**asked.accept(call, key=BROWSER_KEY), "flags": []})


def test_an_event_without_message_id_gets_one_that_a_retry_repeats(asked):
    call = {"type": "track", "event": "x", "userId": "u1", "timestamp": "2026-11-23T10:00:00Z"}

    first = asked.accept({**call, "sentAt": "2026-11-23T10:00:01Z"})
    again = asked.accept({**call, "sentAt": "2026-11-23T10:00:09Z"})
    other = asked.accept({**call, "event": "y"})

    assert first["message_id"] == again["message_id"] != other["message_id"]


def test_two_events_without_id_and_time_are_two_events(asked):
    call = {"type": "track", "event": "x", "userId": "u1"}

    assert asked.accept(call)["message_id"] != asked.accept(call)["message_id"]


def test_the_context_of_the_envelope_holds_for_all_its_events(asked):
    asked.post(
        "/v1/batch", {"batch": [track(context={"locale": "de"})], "context": {"app": "x", "locale": "en"}}
    )

    assert asked.events()[0]["context"] == {"app": "x", "locale": "de"}


def test_a_cdn_tells_where_a_visitor_is(asked):
    event = asked.accept(track(), **{"cf-ipcountry": "de"})

    assert event["context"]["location"] == {"country": "DE"}


def test_a_large_order_is_an_ordinary_event(asked):
    products = [{"product_id": f"p{n}", "price": 1.5} for n in range(200)]

    event = asked.accept(track(event="Order Completed", properties={"products": products}))

    assert event["properties"]["products"] == products
