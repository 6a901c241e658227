"""Recorded calls as the archive that the warehouse reads: what collector, log and archive make of them, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from collector.events import Call
from collector.intake import Body, read_body
from collector.limits import Limits
from collector.log.base import Frame
from orchestration.arrivals import KEY, Arrival
from orchestration.live.decode import decode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def land(data: Path, arrivals: Iterable[Arrival], ours: Iterable[bytes] = ()) -> pl.DataFrame:
    """Write what becomes of these calls, and events of our own behind them, to `data`/archive.

    Returns the accepted events; nothing is written for those in quarantine.
    """
    events = decode(_frames([*_payloads(arrivals)], ours)).events
    folder = data / "archive" / "events"
    folder.mkdir(parents=True, exist_ok=True)
    events.write_parquet(folder / "000000000001.parquet")
    return events


def _payloads(arrivals: Iterable[Arrival]) -> Iterator[tuple[datetime, bytes]]:
    """What the collector would append, and when; like the log's stamps, `when` never goes back."""
    now = EPOCH
    for arrival in arrivals:
        now = max(now, arrival.at)
        body = Body([arrival.call], None, None, None, is_clean=False)
        for payload in read_body(body, Call(source=KEY, received=now, limits=Limits())).payloads:
            yield now, payload


def _frames(stamped: list[tuple[datetime, bytes]], ours: Iterable[bytes]) -> list[Frame]:
    last = stamped[-1][0] if stamped else EPOCH
    everything = [*stamped, *((last, payload) for payload in ours)]
    return [Frame(position, _stamped(payload, at)) for position, (at, payload) in enumerate(everything, 1)]


def _stamped(payload: bytes, at: datetime) -> bytes:
    text = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return b'{"received_at":"' + text.encode() + b'",' + payload[1:]
