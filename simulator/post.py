"""How calls travel: Segment's wire format over HTTP, in order per visitor, again until they arrive."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

LANES = 8  # requests in flight at most; a visitor always uses the same lane, so order is kept
BATCH_EVENTS = 100  # what Segment's SDKs put into one request at most
BATCH_BYTES = 400_000
BATCH_PATH = "/v1/batch"
LINGER_SECONDS = 0.05  # a request costs as much as fifty events, so a moment's patience pays
PATIENCE_SECONDS = 30.0  # how long an ending run keeps trying to deliver what it has begun


class KeyRefused(RuntimeError):
    """The collector does not know this write key."""


@dataclass
class Counters:
    """What has happened so far; `planned` calls exist, `accepted` ones were acknowledged with 200."""

    planned: int = 0
    accepted: int = 0
    requests: int = 0
    retries: int = 0
    refused: int = 0  # answered with a status that no retry can mend
    visitors: int = 0
    identified: int = 0
    orders: int = 0
    seconds: float = 0.0

    @property
    def events_per_second(self) -> float:
        return self.accepted / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Call:
    """One call, whole. `path` is where it may go alone ("/v1/track")."""

    body: bytes
    is_server: bool
    path: str


@dataclass
class Post:
    """Bounded, patient delivery to one collector."""

    url: str
    server_key: str
    browser_key: str
    client: httpx.AsyncClient
    counters: Counters
    now: Callable[[], datetime]
    lanes: list[asyncio.Queue[Call]] = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = [asyncio.Queue(maxsize=500) for _ in range(LANES)]
        self.headers = {is_server: _headers(key) for is_server, key in
                        ((True, self.server_key), (False, self.browser_key))}  # fmt: skip

    async def put(self, visitor: int, call: Call) -> None:
        """Hand over a call; waits while the lane is full, so memory stays bounded."""
        await self.lanes[visitor % LANES].put(call)
        self.counters.planned += 1

    async def drain(self) -> None:
        """Wait until everything handed over was answered, at most `PATIENCE_SECONDS`."""
        waiting = asyncio.gather(*(lane.join() for lane in self.lanes))
        try:
            await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        except TimeoutError:
            return  # planned - accepted - refused says how many were left

    async def carry(self, lane: asyncio.Queue[Call]) -> None:
        """One lane, for ever: take what is there, send it, forget it only once it was answered."""
        while True:
            calls = [await lane.get()]
            await asyncio.sleep(LINGER_SECONDS)
            while not lane.empty() and len(calls) < BATCH_EVENTS:
                calls.append(lane.get_nowait())
            for group in _groups(calls):
                await self._deliver(group)
            for _ in calls:
                lane.task_done()

    async def _deliver(self, calls: list[Call]) -> None:
        wait = 0.2
        while True:
            answer = await self._try(calls)
            if answer is not None and not _is_passing(answer.status_code):
                return self._count(answer, calls)
            self.counters.retries += 1
            await asyncio.sleep(_retry_after(answer, wait))
            wait = min(2 * wait, 5.0)

    async def _try(self, calls: list[Call]) -> httpx.Response | None:
        """One attempt; None if the collector could not be reached."""
        self.counters.requests += 1
        sent = stamp(self.now())
        path = calls[0].path if len(calls) == 1 else BATCH_PATH
        body = _batch(calls, sent) if path == BATCH_PATH else _alone(calls[0], sent)
        headers = self.headers[calls[0].is_server]
        try:
            return await self.client.post(self.url + path, content=body, headers=headers)
        except httpx.TransportError:
            return None

    def _count(self, answer: httpx.Response, calls: list[Call]) -> None:
        if answer.status_code == 401:
            raise KeyRefused(f"{self.url} refused the write key: pass the keys the collector knows")
        if answer.status_code == 200:
            self.counters.accepted += len(calls)
        else:
            self.counters.refused += len(calls)


def _groups(calls: list[Call]) -> list[list[Call]]:
    """Calls that may share a request: same key, not too many bytes. The server's word comes first."""
    groups: list[list[Call]] = []
    for is_server in (True, False):
        size = BATCH_BYTES + 1
        for call in (call for call in calls if call.is_server == is_server):
            size += len(call.body)
            if size > BATCH_BYTES:
                groups.append([])
                size = len(call.body)
            groups[-1].append(call)
    return groups


def _batch(calls: list[Call], sent: str) -> bytes:
    return b'{"batch":[%s],"sentAt":"%s"}' % (b",".join(call.body for call in calls), sent.encode())


def _alone(call: Call, sent: str) -> bytes:
    return b'%s,"sentAt":"%s"}' % (call.body[:-1], sent.encode())


def _headers(key: str) -> dict[str, str]:
    token = base64.b64encode(f"{key}:".encode()).decode()
    return {"Authorization": f"Basic {token}", "Content-Type": "application/json"}


def _is_passing(status: int) -> bool:
    """Trouble that time may cure."""
    return status == 429 or status >= 500


def _retry_after(answer: httpx.Response | None, otherwise: float) -> float:
    """Seconds to wait: what the collector asks for, or our own growing pause."""
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(asked) if asked.isdigit() else otherwise


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
