"""Recorded Segment calls, in the order in which they arrived."""

from __future__ import annotations

import gzip
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from collector.config import WriteKey
from orchestration.live.facts import utc

KEY = WriteKey("replay", "replay", "server")
"""Recorded traffic counts as the shop's server's."""


@dataclass(frozen=True)
class Arrival:
    """One recorded call and when it arrived."""

    at: datetime
    call: bytes


def read_calls(files: Sequence[Path], identify: bool) -> Iterator[Arrival]:
    """Recorded calls in order of arrival (`receivedAt`, else `timestamp`).

    Files are sorted as a whole where they are not already; a line that is no JSON object arrives with the
    one before it and ends in quarantine.
    """
    streams = [_sorted(list(_lines(file))) for file in files]
    arrivals = heapq.merge(*streams, key=lambda arrival: arrival.at)
    return _identified(arrivals) if identify else iter(arrivals)


def _lines(file: Path) -> Iterator[Arrival]:
    at = datetime(1970, 1, 1, tzinfo=UTC)
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
        for line in lines:
            if line.strip():
                at = _arrived(line) or at
                yield Arrival(at, line.strip())


def _arrived(line: bytes) -> datetime | None:
    try:
        call = msgspec.json.decode(line)
        return utc(datetime.fromisoformat(call.get("receivedAt") or call["timestamp"]))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError, UnicodeDecodeError):
        return None


def _sorted(arrivals: list[Arrival]) -> list[Arrival]:
    return sorted(arrivals, key=lambda arrival: arrival.at)


def _identified(arrivals: Iterable[Arrival]) -> Iterator[Arrival]:
    """Before an anonymous visitor's first call, who they are: an address that nobody reads, and consent."""
    known: set[str] = set()
    for arrival in arrivals:
        visitor = _anonymous(arrival.call)
        if visitor and visitor not in known:
            known.add(visitor)
            yield Arrival(arrival.at, _identify(visitor, arrival.at))
        yield arrival


def _anonymous(line: bytes) -> str | None:
    try:
        call = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    visitor = call.get("anonymousId") if isinstance(call, dict) and not call.get("userId") else None
    return visitor if isinstance(visitor, str) else None


def _identify(visitor: str, at: datetime) -> bytes:
    name = "".join(letter for letter in visitor.lower() if letter.isalnum())[:40] or "visitor"
    return json.dumps(
        {
            "type": "identify",
            "messageId": f"identify-{visitor}",
            "anonymousId": visitor,
            "userId": f"customer-{visitor}",
            "timestamp": at.isoformat(),
            "traits": {"email": f"{name}@example.com", "consent": True},
        }
    ).encode()
