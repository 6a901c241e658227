"""The wire: addresses, keys, compression, errors and what browsers need."""

import gzip
import json
import zlib
from dataclasses import replace

import pytest

from collector.config import WriteKey
from collector.dialects.segment import KINDS
from collector.limits import Limits
from collector.log import LogFailed, LogFull, Overloaded
from tests.collector.asking import Asked, basic, batch_of
from tests.collector.live import BROWSER_KEY, CONFIG, SERVER_KEY

EVENT = {"type": "track", "event": "x", "userId": "u1", "messageId": "m1"}
WHOLE = {**EVENT, "previousId": "p", "groupId": "g"}


@pytest.mark.parametrize("call", [call for call, kind in KINDS.items() if kind != "batch"])
def test_every_call_has_its_own_address_and_a_short_one(asked, call):
    answer = asked.post(f"/v1/{call}", {**WHOLE, "type": None})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert asked.events()[0]["type"] == KINDS[call]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
def test_every_batch_address_takes_batches(asked, path):
    assert asked.post(path, batch_of(EVENT, {**EVENT, "messageId": "m2"})).status_code == 200
    assert [event["message_id"] for event in asked.events()] == ["m1", "m2"]


def test_an_empty_batch_is_fine(asked):
    assert asked.post("/v1/batch", b'{"batch":[]}').status_code == 200
    assert asked.events() == []


def test_the_key_may_come_in_the_header_the_address_or_the_body(asked):
    for answer in (
        asked.post("/v1/track", EVENT, key=SERVER_KEY),
        asked.post(f"/beacon/v1/batch?writeKey={SERVER_KEY}", batch_of(EVENT), key=None),
        asked.post("/v1/track", {**EVENT, "writeKey": SERVER_KEY}, key=None),
        asked.post("/v1/b", batch_of(EVENT, writeKey=SERVER_KEY), key=None),
    ):
        assert answer.status_code == 200
    assert len(asked.events()) == 4


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic !!!"}, {"authorization": "Bearer x"}, basic("no")]
)
def test_an_unknown_key_is_refused_in_words_the_sdks_look_for(asked, headers):
    answer = asked.post("/v1/track", EVENT, key=None, **headers)

    assert answer.status_code == 401
    assert answer.json() == {"code": "invalid_write_key", "message": "invalid write key"}
    assert asked.events() == []


def test_a_browser_key_works_only_on_its_own_pages(log, clock):
    key = WriteKey("b", "web", "browser", origins=("https://shop.example",))
    asked = Asked(log, clock, replace(CONFIG, write_keys=(key,)))

    def from_origin(**headers: str) -> int:
        return asked.post("/v1/track", EVENT, key="b", **headers).status_code

    assert from_origin(origin="https://shop.example") == 200
    assert from_origin(origin="https://evil.example") == 403
    assert from_origin() == 200  # apps send no origin


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
)
def test_the_content_type_does_not_matter(asked, content_type):
    assert asked.post("/v1/track", EVENT, **{"content-type": content_type}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}])
def test_gzip_is_recognised_by_its_first_bytes(asked, headers):
    assert asked.post("/v1/track", gzip.compress(json.dumps(EVENT).encode()), **headers).status_code == 200
    assert len(asked.events()) == 1


def test_plain_text_that_claims_to_be_gzip_is_read_as_it_is(asked):
    assert asked.post("/v1/track", EVENT, **{"content-encoding": "gzip"}).status_code == 200


def test_a_gzip_bomb_is_refused_before_it_unfolds(asked):
    bomb = gzip.compress(b"0" * (50 << 20))

    answer = asked.post("/v1/batch", bomb)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"hello", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"null", "invalid_json"),
        (b'{"batch":[', "invalid_json"),
        (b'{"batch":[{}]', "invalid_json"),
        (b'{"batch":[]}}', "invalid_json"),
        (b'{"batch":[]} x', "invalid_json"),
        (b'{"batch":["abc]}', "invalid_json"),
        (b'{"batch":{}}', "invalid_json"),
        (b'{"batch":3}', "invalid_json"),
        (b"{}", "missing_batch"),
        (b'{"batch":[],"batch":[]}', "duplicate_key"),
        (b'{"batch":[],"\\u0062atch":[]}', "duplicate_key"),
        (b"\x1f\x8bgarbage", "invalid_gzip"),
        (gzip.compress(b'{"batch":[]}', mtime=0)[:-9], "invalid_gzip"),
        (zlib.compress(b'{"batch":[]}'), "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"batch":' + b"[" * 100_000, "invalid_json"),
        (b'{"batch":[' + b" " * 600_000 + b"]}", "body_too_large"),
    ],
)
def test_a_body_that_is_garbage_as_a_whole_is_refused_with_code_and_message(asked, body, code):
    answer = asked.post("/v1/batch", body)

    assert answer.status_code in (400, 413)
    assert answer.json()["code"] == code
    assert answer.json()["message"]
    assert asked.events() == []


def test_an_unknown_address_is_not_found_as_json(asked):
    answer = asked.post("/v1/tracks", EVENT)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_call")


@pytest.mark.parametrize(
    ("error", "status"),
    [(LogFull(28, "no room"), 503), (LogFailed(5, "I/O error"), 503), (Overloaded("queue is full"), 429)],
)
def test_what_cannot_be_made_durable_is_never_acknowledged(log, clock, error, status):
    class Broken:
        def append(self, payloads):
            raise error

    answer = Asked(Broken(), clock).post("/v1/track", EVENT, origin="https://shop.example")

    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert set(answer.json()) == {"code", "message"}


def test_health_says_why_it_is_bad_and_recovers(log, clock):
    class FullOnce:
        def __init__(self):
            self.is_full = True

        def append(self, payloads):
            if self.is_full:
                raise LogFull(28, "no room")
            return 1

    disk = FullOnce()
    asked = Asked(disk, clock)
    before = asked.get("/healthz").status_code
    asked.post("/v1/track", EVENT)
    ill = asked.get("/healthz")
    disk.is_full = False
    asked.post("/v1/track", EVENT)

    assert (before, ill.status_code, asked.get("/healthz").status_code) == (200, 503, 200)
    assert "no room" in ill.json()["status"]


def test_one_client_cannot_take_more_than_its_share(log, clock):
    asked = Asked(log, clock, replace(CONFIG, requests_per_second=2))

    answers = [asked.post("/v1/track", EVENT).status_code for _ in range(6)]

    assert answers == [200] * 4 + [429] * 2
    assert asked.post("/v1/track", EVENT, key=BROWSER_KEY).status_code == 200


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch", "/beacon/v1/batch", "/sourceConfig/"])
def test_a_preflight_is_answered_for_a_day_with_the_headers_asked_for(asked, path):
    answer = asked.request(
        "OPTIONS",
        path,
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "anonymousid,authorization,content-type,sentat",
        },
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-max-age"] == "86400"
    assert "anonymousid" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/v1/t", "/v1/projects/k/settings", "/sourceConfig"])
def test_any_page_may_read_the_answer(asked, path):
    method = "POST" if path == "/v1/t" else "GET"

    answer = asked.request(method, path, content=b"{}", headers={"origin": "https://shop.example"})

    assert answer.headers["access-control-allow-origin"] == "*"


def test_sdks_are_told_to_stay_here(asked):
    segment = asked.get("/v1/projects/KEY/settings").json()
    rudder = asked.get("/sourceConfig/?writeKey=KEY").json()

    assert segment["integrations"]["Segment.io"] == {
        "apiKey": "KEY",
        "apiHost": "collector.test/v1",
        "protocol": "http",
    }
    assert rudder["source"]["enabled"] is True
    assert rudder["source"]["destinations"] == []


def test_the_snippet_s_script_is_served_where_it_is_configured(log, clock, tmp_path):
    script = tmp_path / "standalone.js"
    script.write_text("/* sdk */")

    there = Asked(log, clock, replace(CONFIG, analytics_js=str(script)))
    absent = Asked(log, clock)

    assert there.get("/analytics.js/v1/KEY/analytics.min.js").text == "/* sdk */"
    assert "analytics_js" in absent.get("/analytics.js/v1/KEY/analytics.min.js").json()["message"]


def test_what_was_acknowledged_is_counted(asked):
    asked.post("/v1/batch", batch_of(EVENT, EVENT, b"7"))
    asked.post("/v1/batch", b"garbage")

    figures = asked.get("/metrics").text

    assert 'events_total{source="shop",status="accepted",type="track"} 2.0' in figures
    assert 'events_total{source="shop",status="quarantined",type="quarantine"} 1.0' in figures
    assert 'intake_requests_total{code="invalid_json"} 1.0' in figures
    assert "intake_seconds_count 1.0" in figures


def test_the_first_page_shows_how_to_point_an_sdk_here(asked):
    page = asked.get("/").text

    assert "analytics.host = 'http://collector.test'" in page
    assert "KairosEngagement" in page


def test_the_limits_can_be_raised_for_sdks_that_send_more(log, clock):
    asked = Asked(log, clock, replace(CONFIG, limits=Limits(body_bytes=4 << 20)))

    assert asked.post("/v1/batch", batch_of(*[EVENT] * 10_000)).status_code == 200
    assert len(asked.events()) == 10_000
