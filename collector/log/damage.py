"""Read segments that may be damaged: torn by a killed writer, or with flipped bits.

Bytes that are no event are kept beside the log, never thrown away and never read as events.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from collector.log import frames, segments
from collector.log.base import Frame, join_position

_CHUNK = 1 << 16


def quarantine_of(folder: Path) -> Path:
    """Where the damaged bytes of a log are kept."""
    return folder / "quarantine"


def read_frames(folder: Path, number: int, start: int, size: int, budget: int) -> tuple[list[Frame], int]:
    """About `budget` bytes of good frames, at least one, and where they end; `start` if there is none."""
    chunk = max(budget, _CHUNK)
    while start < size:
        data = segments.read_bytes(folder, number, start, min(chunk, size - start))
        found = [
            (Frame(join_position(number, start + begin), frames.payload_of(data[begin:end])), end)
            for begin, end in _good(folder, number, start, data)
        ]
        if found or len(data) >= size - start:
            return [frame for frame, _ in found], start + (found[-1][1] if found else 0)
        chunk *= 4
    return [], start


def mend(folder: Path, number: int, start: int) -> tuple[int, int]:
    """Cut and keep the tail behind the last good frame; return (end, instant of the last frame)."""
    size = segments.size_of(folder, number)
    data = segments.read_bytes(folder, number, start, size - start)
    good, stamped = 0, 0
    for begin, good in _good(folder, number, start, data):
        stamped = frames.received_micros(frames.payload_of(data[begin:good]))
    if good < len(data):
        _save_once(folder, number, start + good, data[good:])
        with segments.segment_path(folder, number).open("r+b") as file:
            file.truncate(start + good)
    return start + good, stamped


def give_up(folder: Path, number: int, start: int, size: int) -> None:
    """Keep the bytes up to the end of a sealed segment in which there is no good frame any more."""
    _save_once(folder, number, start, segments.read_bytes(folder, number, start, size - start))


def _good(folder: Path, number: int, offset: int, data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of the good frames in `data`; damage between them is reported."""
    for found in frames.scan(data):
        if isinstance(found, frames.Bad):
            _save_once(folder, number, offset + found.offset, found.data)
        else:
            yield found


def _save_once(folder: Path, number: int, offset: int, data: bytes) -> None:
    """Keep damaged bytes under the place they came from; a place that was reported before is left alone."""
    quarantine_of(folder).mkdir(exist_ok=True)
    path = quarantine_of(folder) / f"{number:012d}-{offset:012d}.bad"
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return
