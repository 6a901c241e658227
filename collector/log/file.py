"""The log in files: several processes append, one fdatasync per group, nothing acknowledged before it.

A group commit takes the lock, repairs what a killed writer left, stamps the instant of arrival, writes
whole frames, lets the lock go, and only then waits for the disk.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from collector.log import frames, segments
from collector.log.base import Batch, Frame, LogFailed, LogFull, PositionLost, join_position, split_position
from collector.log.damage import give_up, mend, quarantine_of, read_frames
from collector.log.segments import Segment
from collector.log.tail import Tail, TailLock

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class FileLog:
    """An `EventLog` in one folder; see `collector/log/frames.py` for what a line looks like."""

    def __init__(
        self,
        folder: Path,
        segment_bytes: int = 64 << 20,
        segment_seconds: float = 300,
        clock: Callable[[], datetime] = utc_now,
        durable: bool = True,
    ) -> None:
        """`durable=False` skips the waiting for the disk, for replays that can be run again."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._segment_micros = int(segment_seconds * 1_000_000)
        self._clock = clock
        self._durable = durable
        self._lock = TailLock(folder / ".lock")
        self._open: tuple[int, int] | None = None  # (segment number, descriptor)
        self._distrusted = 0  # a segment whose fdatasync failed: never append to it again

    # -- writing -------------------------------------------------------------------------------------

    def append(self, payloads: Sequence[bytes]) -> int:
        """Append all payloads or none; durable on return. After `LogFull` or `LogFailed` ack nothing."""
        if not payloads:
            with self._lock.held():
                tail = self._settle()
            return join_position(tail.segment, tail.end)
        with self._lock.held():
            tail = self._write(payloads)
            fd = os.dup(self._descriptor(tail.segment))  # another thread may rotate meanwhile
        self._sync(fd, tail.segment)
        return join_position(tail.segment, tail.end)

    def _write(self, payloads: Sequence[bytes]) -> Tail:
        """Stamp and write one group behind the last good frame; the caller holds the lock."""
        tail = self._settle()
        now = max(frames.to_micros(self._clock()), tail.stamped)
        if self._is_full(tail, now):
            tail = self._rotate(tail)
        data = frames.frames_of(payloads, now)
        written = Tail(tail.segment, tail.end + len(data), now, tail.opened or now)
        try:
            _write_at(self._descriptor(tail.segment), data, tail.end)
            self._lock.write(written)
        except OSError as error:
            self._undo(tail)
            raise _refused(error, self._folder) from error
        return written

    def _undo(self, tail: Tail) -> None:
        """Cut what a failed write left; if even that fails, the next holder of the lock repairs it."""
        with suppress(OSError):
            os.ftruncate(self._descriptor(tail.segment), tail.end)

    def _sync(self, fd: int, segment: int) -> None:
        try:
            if self._durable:
                os.fdatasync(fd)
        except OSError as error:
            self._distrusted = segment  # the kernel reports a lost write once; a retry would lie
            raise LogFailed(error.errno, f"fdatasync failed in {self._folder}: check the disk") from error
        finally:
            os.close(fd)

    def _is_full(self, tail: Tail, now: int) -> bool:
        if not tail.end:
            return False
        is_old = now - tail.opened >= self._segment_micros
        return is_old or tail.end >= self._segment_bytes or tail.segment == self._distrusted

    def _rotate(self, tail: Tail) -> Tail:
        """Seal the open segment: from now on a higher number is the open one, created when first written."""
        fresh = Tail(tail.segment + 1, 0, tail.stamped, 0)
        self._lock.write(fresh)
        return fresh

    def _descriptor(self, number: int) -> int:
        if self._open and self._open[0] != number:
            os.close(self._open[1])
            self._open = None
        if not self._open:
            self._open = (number, segments.open_segment(self._folder, number))
        return self._open[1]

    # -- recovery ------------------------------------------------------------------------------------

    def _settle(self) -> Tail:
        """The end of the log, after repairing what a killed writer or a power loss left behind."""
        tail = self._lock.read()
        if tail is None:
            return self._recover()
        size = segments.size_of(self._folder, tail.segment)
        if size == tail.end:
            return tail
        return self._repair(tail) if size > tail.end else self._recover()

    def _repair(self, tail: Tail) -> Tail:
        """A writer was killed between its write and its record: keep its whole frames, cut the torn one."""
        end, stamped = mend(self._folder, tail.segment, tail.end)
        opened = tail.opened or (stamped if end else 0)
        repaired = Tail(tail.segment, end, max(stamped, tail.stamped), opened)
        self._lock.write(repaired)
        return repaired

    def _recover(self) -> Tail:
        """No trustworthy record (first start, reboot, restored files): read the last segment from its start.

        Appending goes on in a fresh segment, because a reader may have been given positions in the old one
        that the power loss took away; reusing them would hide new frames from it.
        """
        existing = segments.list_segments(self._folder)
        last = existing[-1].number if existing else segments.read_removed(self._folder).number
        stamped = max((mend(self._folder, segment.number, 0)[1] for segment in existing[-2:]), default=0)
        fresh = Tail(last + 1, 0, stamped, 0)
        self._lock.write(fresh)
        return fresh

    # -- reading -------------------------------------------------------------------------------------

    def read_after(self, position: int, max_bytes: int = 4 << 20) -> Batch:
        """Frames from `position` on. Raises `PositionLost` where the log cannot continue a reader."""
        head = self._promise()
        number, offset = self._enter(position, head)
        found: list[Frame] = []
        budget = max_bytes
        while (number, offset) < (head.segment, head.end) and (budget > 0 or not found):
            size = head.end if number == head.segment else segments.size_of(self._folder, number)
            read, end = self._read(number, offset, size, budget)
            found += read
            budget -= end - offset
            if end == offset and number == head.segment:
                break  # the last frame is damaged and nothing behind it tells where to go on
            number, offset = (number + 1, 0) if end >= size and number < head.segment else (number, end)
        return _batch(found, join_position(number, offset), head)

    def _read(self, number: int, start: int, size: int, budget: int) -> tuple[list[Frame], int]:
        """Some frames of one segment and where they end; damage up to a sealed end is given up."""
        found, end = read_frames(self._folder, number, start, size, budget)
        if end == start < size and self.is_sealed(number):
            give_up(self._folder, number, start, size)
            end = size
        return found, end

    def _promise(self) -> Tail:
        """The end of the log, with the instant before which nothing will ever be stamped again."""
        with self._lock.held():
            tail = self._settle()
            tail = tail._replace(stamped=max(tail.stamped, frames.to_micros(self._clock())))
            self._lock.write(tail)
        return tail

    def _enter(self, position: int, head: Tail) -> tuple[int, int]:
        """(segment, offset) to read at; an end that was sealed since leads into the next segment."""
        number, offset = split_position(position)
        removed = segments.read_removed(self._folder)
        if position == 0 or (number, offset) == removed:
            return removed.number + 1, 0
        if number <= removed.number:
            raise PositionLost(f"position {position} was archived: rebuild from the archive, then read on")
        if (number, offset) > (head.segment, head.end):
            raise PositionLost(f"position {position} is behind the end: does it belong to another log?")
        return number, offset

    # -- for the archiver ----------------------------------------------------------------------------

    @property
    def quarantine(self) -> Path:
        """Where damaged bytes are kept."""
        return quarantine_of(self._folder)

    def seal(self, now_if_older_than: float = 0) -> None:
        """Seal the open segment if its first frame is that many seconds old, so that it can be archived."""
        with self._lock.held():
            tail = self._settle()
            age = frames.to_micros(self._clock()) - tail.opened
            if tail.end and age >= now_if_older_than * 1_000_000:
                self._rotate(tail)

    def is_sealed(self, number: int) -> bool:
        """True if nothing will be appended to segment `number` any more."""
        with self._lock.held():
            return number < self._settle().segment

    def sealed(self) -> list[Segment]:
        """Segments that will not change any more, oldest first."""
        with self._lock.held():
            open_number = self._settle().segment
        return [segment for segment in segments.list_segments(self._folder) if segment.number < open_number]

    def frames_of(self, segment: Segment) -> Iterator[Frame]:
        """All good frames of a sealed segment, a few MiB in memory at a time."""
        offset = 0
        while offset < segment.size:
            found, offset = self._read(segment.number, offset, segment.size, 4 << 20)
            yield from found

    def remove(self, segment: Segment) -> None:
        """Remove the oldest sealed segment after its archive was verified."""
        sealed = self.sealed()
        if not sealed or sealed[0].number != segment.number:
            raise ValueError(f"segment {segment.number} is not the oldest sealed one: remove those first")
        segments.write_removed(self._folder, segments.Removed(segment.number, sealed[0].size))
        segment.path.unlink()

    def close(self) -> None:
        """Give the descriptors back; the log itself needs no closing."""
        self._lock.close()
        if self._open:
            os.close(self._open[1])
            self._open = None


def _write_at(fd: int, data: bytes, offset: int) -> None:
    """Write all of it; the system may take it in pieces."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def _refused(error: OSError, folder: Path) -> OSError:
    """What a failed write means for the caller."""
    if error.errno in _NO_ROOM:
        return LogFull(error.errno, f"no room for events in {folder}: free space or raise the file limit")
    return LogFailed(error.errno, f"cannot write events to {folder}: {error.strerror}")


def _batch(found: list[Frame], position: int, head: Tail) -> Batch:
    """A batch cut short knows only what its last frame knows."""
    is_cut = found and position < join_position(head.segment, head.end)
    settled = frames.received_micros(found[-1].payload) if is_cut else head.stamped
    return Batch(found, position, frames.to_datetime(settled))
