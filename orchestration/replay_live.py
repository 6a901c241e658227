"""Recorded traffic to the running collector, at its own pace or faster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from orchestration.arrivals import read_calls
from orchestration.cli.errors import FriendlyError
from orchestration.settings import Settings

MOST_PER_REQUEST = 100


async def send_live(
    settings: Settings, files: Sequence[Path], identify: bool, speed: float, tick: Callable[[], None]
) -> int:
    """Post every call when its turn comes; recorded instants are moved to now, gaps shrunk by `speed`."""
    key = next((key.key for key in settings.collector.keys if key.kind == "server"), None)
    if key is None:
        raise FriendlyError("a live replay needs a server key in collector.keys")
    url = f"http://{settings.collector.host}:{settings.collector.port}/v1/batch"
    began, first, count = time.monotonic(), None, 0
    async with httpx.AsyncClient(auth=(key, ""), timeout=30, trust_env=False) as client:
        batch: list[dict[str, Any]] = []
        for arrival in read_calls(files, identify):
            first = first or arrival.at
            due = began + (arrival.at - first).total_seconds() / speed
            if batch and (len(batch) >= MOST_PER_REQUEST or due > time.monotonic()):
                await _post(client, url, batch)
                batch = []
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            batch.append(_shifted(arrival.call))
            count += 1
            tick()
        await _post(client, url, batch)
    return count


def _shifted(line: bytes) -> dict[str, Any]:
    """The call as if it happened now, less the delay it had."""
    call = msgspec.json.decode(line)
    happened, arrived = call.get("timestamp"), call.pop("receivedAt", None)
    delay = timedelta(0)
    if happened and arrived:
        delay = datetime.fromisoformat(arrived) - datetime.fromisoformat(happened)
    return call | {"timestamp": (datetime.now(UTC) - delay).isoformat()}


async def _post(client: httpx.AsyncClient, url: str, batch: list[dict[str, Any]]) -> None:
    """Until the collector takes it; 429 and 503 say when to come back."""
    if not batch:
        return
    while True:
        try:
            answer = await client.post(url, json={"batch": batch, "sentAt": datetime.now(UTC).isoformat()})
        except httpx.TransportError as error:
            raise FriendlyError(f"no collector at {url}: start it with `kairos up` ({error})") from None
        if answer.status_code == 200:
            return
        if answer.status_code not in (429, 503):
            raise FriendlyError(f"the collector refused: {answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(int(answer.headers.get("Retry-After", "1")))
