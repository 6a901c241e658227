"""What a log of events is, whatever stores it: append durably, read after a position."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

OFFSET_BITS = 40  # a segment may grow to 1 TiB before its offsets would touch the segment number


class Frame(NamedTuple):
    """One event as it lies in the log."""

    position: int  # where the frame begins
    payload: bytes  # canonical JSON, `received_at` first


class Batch(NamedTuple):
    """Frames read in order, and how far time is settled.

    Every frame received before `watermark` lies before `next`, and every frame after `next` was or will
    be received at or after it: a silence can be judged at `watermark`.
    """

    frames: list[Frame]
    next: int
    watermark: datetime


class EventLog(Protocol):
    """The log as its users see it: files today; Kafka, Kinesis, Redis Streams behind the same two verbs."""

    def append(self, payloads: Sequence[bytes]) -> int:
        """Make all payloads durable or none acknowledged; return the position after the last frame."""
        ...

    def read_after(self, position: int, max_bytes: int = 4 << 20) -> Batch:
        """Return whole frames from `position` on, about `max_bytes` of them, and where to continue."""
        ...


class LogFull(OSError):
    """No room for these events: none of them is in the log; answer 503 and let the client retry."""


class LogFailed(OSError):
    """The disk refused to make events durable: they may or may not be in the log; never acknowledge them."""


class PositionLost(ValueError):
    """A reader asks for frames that were archived and removed, or that never existed."""


def join_position(segment: int, offset: int) -> int:
    """One integer that grows over all segments."""
    return segment << OFFSET_BITS | offset


def split_position(position: int) -> tuple[int, int]:
    """(segment number, byte offset) of a position; position 0 is the beginning of whatever there is."""
    return position >> OFFSET_BITS, position & ((1 << OFFSET_BITS) - 1)
