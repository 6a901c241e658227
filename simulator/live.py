"""A shop that is open: customers browse in now, through the real HTTP path, at a steady rate.

`asyncio.run(run("http://127.0.0.1:8080", "server-key", "browser-key", rate=100, seconds=60))`
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import numpy as np

from simulator.catalogue import SHOP_URL, compact
from simulator.crowd import Visitor, is_server, visitors
from simulator.faults import Rates
from simulator.plan import Kind
from simulator.post import BATCH_PATH, LANES, Call, Counters, Post, stamp
from simulator.render import Renderer
from simulator.stories import stories

TICK_SECONDS = 0.01
REPORT_SECONDS = 0.5


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(order=True)
class Visit:
    """A visit under way: who, when it began (loop time), and how far it has come."""

    due: float
    turn: int
    began: float = field(compare=False)
    events: np.ndarray = field(compare=False)
    calls: list[tuple[bytes, bytes]] | None = field(compare=False, default=None)
    step: int = field(compare=False, default=0)


@dataclass
class Shop:
    """Everyone who is in the shop, and everyone who may still come."""

    renderer: Renderer
    visitors: Iterator[Visitor]
    speed: float
    post: Post
    now: Callable[[], datetime]
    waiting: list[Visit] = field(default_factory=list)
    turns: Iterator[int] = field(default_factory=count)

    async def next_event(self, clock: float) -> None:
        """Let whoever is due act; if nobody is, let somebody new in."""
        while not self.waiting or self.waiting[0].due > clock:
            self._admit(clock)
        await self._act(heapq.heappop(self.waiting))

    def _admit(self, clock: float) -> None:
        self.post.counters.visitors += 1
        visitor = next(self.visitors)
        for number, events in enumerate(visitor.visits):
            due = clock + float(events["arrival"][0]) / 1000 / self.speed
            calls = visitor.first_calls if number == 0 else None
            heapq.heappush(self.waiting, Visit(due, next(self.turns), clock, events, calls))

    async def _act(self, visit: Visit) -> None:
        if visit.calls is None:  # rendered only now: who returns in hours costs nothing until then
            visit.calls = self.renderer.calls(visit.events)
        event = visit.events[visit.step]
        await self.post.put(int(event["visitor"]), self._call(event, *visit.calls[visit.step]))
        self._count(event["kind"])
        visit.step += 1
        if visit.step < len(visit.events):
            moment = float(visit.events["arrival"][visit.step]) / 1000 / self.speed
            visit.due = visit.began + moment
            heapq.heappush(self.waiting, visit)

    def _call(self, event: np.void, before: bytes, after: bytes) -> Call:
        moment = self.now() - timedelta(milliseconds=int(event["at"]))
        body = before + stamp(moment).encode() + after
        return Call(body, bool(is_server(event)), _PATHS.get(event["kind"], "/v1/track"))

    def _count(self, kind: int) -> None:
        self.post.counters.identified += int(kind == Kind.IDENTIFY)
        self.post.counters.orders += int(kind == Kind.ORDER_COMPLETED)


# Pages and screens share a kind, and a broken call may lack its type: both go in a batch of one.
_PATHS = {Kind.PAGE: BATCH_PATH, Kind.BAD: BATCH_PATH, Kind.IDENTIFY: "/v1/identify"}


async def run(
    url: str,
    server_key: str,
    browser_key: str,
    rate: float,
    seconds: float | None = None,
    seed: int = 1,
    speed: float = 1.0,
    *,
    demo: bool = False,
    rates: Rates = Rates(),  # noqa: B008  frozen, so sharing it is safe
    shop_url: str = SHOP_URL,
    on_tick: Callable[[Counters], None] | None = None,
    stop: asyncio.Event | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Counters:
    """Keep the shop open: `rate` events per second until `seconds` have passed or `stop` is set.

    `speed` compresses the time between the events of a visitor (2.0: twice as fast), not the thresholds
    of whoever listens. `demo` adds the personas of `stories`. `on_tick` sees the counters twice a second.
    Ids follow from the seed: use another seed for every run against the same log, or every event is a
    duplicate. Raises KeyRefused if the collector does not know a key; waits for a collector that is away.
    """
    counters = Counters()
    limits = httpx.Limits(max_connections=LANES)
    async with httpx.AsyncClient(timeout=10, limits=limits, trust_env=False) as client:
        post = Post(url.rstrip("/"), server_key, browser_key, client, counters, now)
        renderer = Renderer(seed, shop_url)
        shop = Shop(renderer, visitors(seed, rates, renderer), speed, post, now)
        closing = _closing(seconds, stop or asyncio.Event())
        talking = [_pace(shop, rate), *([_play(post, seed, shop_url, now)] if demo else [])]
        serving = [*(post.carry(lane) for lane in post.lanes), _report(counters, on_tick)]
        await _until(closing, talking, serving, post)
    return counters


async def _until(closing: Coroutine, talking: list[Coroutine], serving: list[Coroutine], post: Post) -> None:
    """At closing time nobody says anything more, and what was said is delivered.

    A task that fails ends the run at once, with its failure.
    """
    closed, talk, serve = (
        [asyncio.ensure_future(one) for one in work] for work in ([closing], talking, serving)
    )
    everyone = running = {*closed, *talk, *serve}
    try:
        while not closed[0].done():
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        for task in talk:
            task.cancel()
        await asyncio.wait(talk)
        await post.drain()
    finally:
        for task in everyone:
            task.cancel()
        await asyncio.gather(*everyone, return_exceptions=True)


async def _closing(seconds: float | None, stop: asyncio.Event) -> None:
    """Ends when the time is up or `stop` is set, whatever the collector does."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _pace(shop: Shop, rate: float) -> None:
    """`rate` events per second, neither in bursts nor drifting: the budget is what time has earned."""
    clock = asyncio.get_running_loop().time
    began, done = clock(), 0
    while True:
        earned = int(rate * (clock() - began))
        if earned - done > rate:  # more than a second behind (a collector that pushed back): let it go
            done = earned - int(rate)
        while done < earned:
            await shop.next_event(clock())
            done += 1
        shop.post.counters.seconds = clock() - began
        await asyncio.sleep(TICK_SECONDS)


async def _play(post: Post, seed: int, shop_url: str, now: Callable[[], datetime]) -> None:
    """The personas, each step at its second; what happened before the start is sent at the start."""
    clock = asyncio.get_running_loop().time
    began, opened = clock(), now()
    for step in stories(seed, shop_url):
        await asyncio.sleep(max(0.0, step.at - (clock() - began)))
        moment = opened + timedelta(seconds=step.at)
        body = compact({**step.call, "timestamp": stamp(moment)})
        visitor = sum(step.call["anonymousId"].encode())
        await post.put(visitor, Call(body, step.is_server, f"/v1/{step.call['type']}"))
        post.counters.identified += step.call["type"] == "identify"
        post.counters.orders += step.call.get("event") == "Order Completed"


async def _report(counters: Counters, on_tick: Callable[[Counters], None] | None) -> None:
    while on_tick:
        on_tick(counters)
        await asyncio.sleep(REPORT_SECONDS)
