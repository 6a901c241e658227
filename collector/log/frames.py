"""One event on disk: CRC-32 of the payload as 8 hex digits, space, length, space, payload, LF.

A reader that sees one flipped bit or half a frame must know it, so the header is compared byte by byte
with the only header this payload can have.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MAX_PAYLOAD_BYTES = 16 << 20  # far above any event; a longer length field is damage
_HEADER_BYTES = 8 + 1 + len(str(MAX_PAYLOAD_BYTES)) + 1
_STAMP_KEY = b'{"received_at":"'


class Bad(NamedTuple):
    """Bytes that are no frame although good frames follow them."""

    offset: int
    data: bytes


def stamp_prefix(micros: int) -> bytes:
    """`{"received_at":"2026-11-23T11:00:00.123456Z",` for an instant in microseconds since 1970."""
    return _STAMP_KEY + to_datetime(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode() + b'",'


def received_micros(payload: bytes) -> int:
    """The instant the log stamped on this payload, in microseconds since 1970."""
    start = len(_STAMP_KEY)
    if payload[:start] != _STAMP_KEY:
        raise ValueError(f"not a stamped payload: {payload[:40]!r}")
    return to_micros(datetime.fromisoformat(payload[start : payload.index(b'"', start)].decode()))


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970, exact (floats are not, in this century)."""
    return (instant - EPOCH) // MICROSECOND


def to_datetime(micros: int) -> datetime:
    """The aware UTC instant of `micros`."""
    return EPOCH + micros * MICROSECOND


def frame_end(data: bytes, start: int) -> int:
    """Where the good frame at `start` ends (after its LF), or -1 if there is none."""
    body = data.find(b" ", start + 9, start + _HEADER_BYTES) + 1
    length = data[start + 9 : body - 1]
    if not body or not length.isdigit():
        return -1
    end = body + int(length)
    if data[end : end + 1] != b"\n":
        return -1
    payload = data[body:end]
    expected = b"%08x %d " % (crc32(payload), len(payload))
    return end + 1 if data[start:body] == expected else -1


def payload_of(frame: bytes) -> bytes:
    """The payload of a frame already known to be good."""
    return frame[frame.index(b" ", 9) + 1 : -1]


def scan(data: bytes, start: int = 0) -> Iterator[tuple[int, int] | Bad]:
    """Yield (start, end) of each good frame and `Bad` for damage with a good frame behind it.

    What is left after the last good frame is the tail: torn, or still to be read.
    """
    while start < len(data):
        end = frame_end(data, start)
        if end > 0:
            yield start, end
        elif (end := _next_good(data, start)) > 0:
            yield Bad(start, data[start:end])
        else:
            return
        start = end


def _next_good(data: bytes, start: int) -> int:
    """The first offset behind `start`, right after a LF, where a good frame begins; -1 if there is none."""
    line_feed = data.find(b"\n", start)
    while line_feed >= 0:
        if frame_end(data, line_feed + 1) > 0:
            return line_feed + 1
        line_feed = data.find(b"\n", line_feed + 1)
    return -1


def frames_of(payloads: Iterable[bytes], micros: int) -> bytes:
    """All payloads, stamped with one instant as first key and framed, ready to be written at once.

    Raises `ValueError` for a payload that is not one line or does not begin with a key.
    """
    prefix = stamp_prefix(micros)
    known, extra = crc32(prefix), len(prefix) - 1
    parts: list[bytes] = []
    for payload in payloads:
        if payload[:2] != b'{"' or b"\n" in payload:
            raise ValueError(_unfit(payload))
        rest = payload[1:]
        parts += (b"%08x %d " % (crc32(rest, known), len(rest) + extra + 1), prefix, rest, b"\n")
    return b"".join(parts)


def _unfit(payload: bytes) -> str:
    return f"a payload must be one line of JSON that begins with a key, not {payload[:40]!r}"
