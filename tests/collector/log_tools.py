"""Small helpers for reading a log back."""

import json

from collector.log import FileLog


def numbered(count: int, start: int = 0, pad: int = 0) -> list[bytes]:
    """Payloads that can be told apart."""
    return [json.dumps({"n": n, "pad": "x" * pad}).encode() for n in range(start, start + count)]


def read_all(log: FileLog, position: int = 0, max_bytes: int = 4 << 20) -> list[dict]:
    """Every event from `position` to the end, as a reader that comes back again and again sees them."""
    events: list[dict] = []
    while True:
        batch = log.read_after(position, max_bytes)
        if batch.next == position:
            return events
        events += [json.loads(frame.payload) for frame in batch.frames]
        position = batch.next


def numbers(events: list[dict]) -> list[int]:
    """Which of the `numbered` payloads these are."""
    return [event["n"] for event in events]
