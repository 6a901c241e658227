"""The live shop against a small collector that looks closely at the wire."""

import asyncio
import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator import live
from simulator.faults import Rates
from simulator.post import KeyRefused
from simulator.stories import stories

KEYS = {"server-key": True, "browser-key": False}
WELL = Rates(late=0, duplicate=0, bad=0)


@dataclass
class Collector:
    """Keeps what it acknowledges; refuses with 429 while `busy` says so."""

    calls: list[dict] = field(default_factory=list)
    busy: int = 0  # requests still to be refused
    refused: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    wrong: list[str] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return self._answer(request, await request.body())
        finally:
            self.in_flight -= 1

    def _answer(self, request: Request, body: bytes) -> Response:
        if self.busy:
            self.busy -= 1
            self.refused += 1
            return JSONResponse({"code": "busy", "message": "later"}, 429, {"Retry-After": "1"})
        key = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if key.removesuffix(":") not in KEYS or not key.endswith(":"):
            return JSONResponse({"code": "key", "message": "invalid write key"}, 401)
        self._keep(request.url.path.rsplit("/", 1)[1], json.loads(body), KEYS[key.removesuffix(":")])
        return JSONResponse({"success": True})

    def _keep(self, path: str, sent: dict, is_server: bool) -> None:
        sent_at = datetime.fromisoformat(sent["sentAt"])
        calls = sent["batch"] if path == "batch" else [{**sent, "type": sent.get("type", path)}]
        if path not in {"batch", *(call["type"] for call in calls)} or len(calls) > 100:
            self.wrong.append(f"{len(calls)} calls at {path}")
        for call in calls:
            if datetime.fromisoformat(call["timestamp"]) > sent_at + timedelta(milliseconds=2):
                self.wrong.append(f"{call['messageId']} was sent before it happened")
            self.calls.append({**call, "is_server": is_server, "taken": time.monotonic()})


@contextmanager
def serving(collector: Collector) -> Iterator[str]:
    app = Starlette(routes=[Route("/v1/{path}", collector.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def open_shop(url: str, **options) -> live.Counters:
    settings = {"rate": 200, "seconds": 2, "seed": 4, "rates": WELL} | options
    return asyncio.run(live.run(url, "server-key", "browser-key", **settings))


def test_every_call_arrives_once_and_in_the_wire_format():
    collector = Collector()
    with serving(collector) as url:
        counters = open_shop(url)

    assert collector.wrong == []
    assert len({call["messageId"] for call in collector.calls}) == len(collector.calls) == counters.accepted
    assert counters.planned == counters.accepted
    assert all(call["anonymousId"] and call["context"]["sessionId"] for call in collector.calls)


def test_only_the_server_says_who_somebody_is_and_what_was_bought():
    collector = Collector()
    with serving(collector) as url:
        open_shop(url, speed=30)

    by_server = {call.get("event", call["type"]) for call in collector.calls if call["is_server"]}
    by_browser = {call.get("event", call["type"]) for call in collector.calls if not call["is_server"]}
    assert "identify" in by_server
    assert by_server <= {"identify", "Order Completed"}
    assert not by_browser & {"identify", "Order Completed"}


def test_the_rate_is_steady_from_the_first_second():
    collector = Collector()
    with serving(collector) as url:
        open_shop(url, rate=150, seconds=3)

    start = collector.calls[0]["taken"]
    per_second = Counter(int(call["taken"] - start) for call in collector.calls)
    assert all(100 <= per_second[second] <= 200 for second in range(3))


def test_a_collector_that_pushes_back_loses_nothing():
    collector = Collector(busy=12)
    with serving(collector) as url:
        counters = open_shop(url, rate=100, seconds=3)

    assert collector.refused == 12
    assert counters.retries == 12
    assert counters.accepted == counters.planned == len({call["messageId"] for call in collector.calls})


def test_a_retry_waits_as_long_as_it_was_asked_to():
    collector = Collector(busy=8)
    with serving(collector) as url:
        began = time.monotonic()
        open_shop(url, rate=100, seconds=0.5)

    assert min(call["taken"] for call in collector.calls) - began >= 1


def test_requests_in_flight_are_bounded_and_each_visitor_keeps_order():
    collector = Collector()
    with serving(collector) as url:
        open_shop(url, rate=1500, speed=20)

    order: dict[str, list[str]] = {}
    for call in collector.calls:
        if not call["is_server"]:
            order.setdefault(call["anonymousId"], []).append(call["timestamp"])
    assert collector.most_in_flight <= 8
    assert all(times == sorted(times) for times in order.values())


def test_a_wrong_key_ends_the_run_with_a_sentence():
    with serving(Collector()) as url, pytest.raises(KeyRefused, match="refused the write key"):
        asyncio.run(live.run(url, "nobody", "nothing", rate=50, seconds=5))


def test_it_stops_when_told_even_if_the_collector_is_away(monkeypatch):
    monkeypatch.setattr("simulator.post.PATIENCE_SECONDS", 0.2)

    async def scene() -> live.Counters:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        return await live.run("http://127.0.0.1:9", "s", "b", rate=5000, stop=stop)

    began = time.monotonic()
    counters = asyncio.run(scene())

    assert time.monotonic() - began < 5
    assert (counters.accepted, counters.retries > 0) == (0, True)


def test_late_visits_tell_their_true_age():
    collector = Collector()
    with serving(collector) as url:
        open_shop(url, rates=Rates(late=0.3, duplicate=0, bad=0))

    ages = [datetime.now(UTC) - datetime.fromisoformat(call["timestamp"]) for call in collector.calls]
    assert any(age > timedelta(minutes=15) for age in ages)
    assert any(age < timedelta(minutes=1) for age in ages)


def test_counters_tell_what_happens_while_it_happens():
    seen: list[float] = []
    with serving(Collector()) as url:
        open_shop(url, on_tick=lambda counters: seen.append(counters.events_per_second))

    assert len(seen) >= 3
    assert 100 < seen[-1] < 300


def test_within_half_a_minute_the_stories_show_every_moment():
    steps = stories(1, "https://shop.example.com")
    by_event = {name: [step for step in steps if step.call.get("event") == name] for name in
                ("Page Engaged", "Feature Used", "Product Added", "Order Completed")}  # fmt: skip
    deep = [s.at for s in by_event["Page Engaged"] if s.call["properties"]["scroll_percent"] >= 80]
    long = [s.at for s in by_event["Page Engaged"] if s.call["properties"]["engaged_seconds"] > 180]

    assert len(deep) == len(long) == 3
    assert max(deep + long) <= 35
    assert len(by_event["Feature Used"]) == 9
    assert max(step.at for step in by_event["Product Added"]) < 30
    assert len(by_event["Order Completed"]) == 3


def test_the_stories_say_nothing_untrue():
    """Nobody reports more seconds on a page than have passed since they opened it."""
    steps = stories(1, "https://shop.example.com")
    opened = {
        step.call["properties"]["page_view_id"]: step.at for step in steps if step.call["type"] == "page"
    }

    for step in steps:
        seen = step.call.get("properties", {})
        if "engaged_seconds" in seen:
            assert seen["engaged_seconds"] <= step.at - opened[seen["page_view_id"]]


def test_story_buyers_are_never_silent_for_ninety_seconds_with_a_full_cart():
    steps = stories(1, "https://shop.example.com")
    buyers = {s.call["anonymousId"] for s in steps if s.call.get("event") == "Order Completed"}

    for buyer in buyers:
        mine = [step.at for step in steps if step.call["anonymousId"] == buyer]
        assert max(b - a for a, b in pairwise(mine)) < 90


def test_the_demo_tells_its_stories_over_the_wire():
    collector = Collector()
    with serving(collector) as url, suppress(TimeoutError):
        open_shop(url, demo=True, seconds=6, rate=20)

    told = [call for call in collector.calls if call["messageId"].startswith("story-")]
    assert {call["is_server"] for call in told if call["type"] == "identify"} == {True}
    assert any(call["type"] == "identify" and call["traits"]["consent"] for call in told)
    assert any(call.get("event") == "Product Added" for call in told)
    assert collector.wrong == []
