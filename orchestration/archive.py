"""Sealed segments of the log become Parquet; only what was verified leaves the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from collector.log.base import Frame, join_position
from collector.log.file import FileLog
from collector.log.segments import Segment
from orchestration.durable import durable_file
from orchestration.live.decode import EVENT_SCHEMA, QUARANTINE_SCHEMA, decode

TAIL = "tail"


class ArchiveMismatch(RuntimeError):
    """What was written is not what was read; the segment stays in the log."""


@dataclass(frozen=True)
class Archived:
    """What one pass did."""

    segments: int = 0
    frames: int = 0
    events: int = 0
    quarantined: int = 0
    tail_events: int = 0
    removed: int = 0


def prepare(archive: Path, profiles: Path) -> None:
    """Empty files with the right columns, so that models run before the first event arrived."""
    for kind, schema in (("events", EVENT_SCHEMA), ("quarantine", QUARANTINE_SCHEMA)):
        empty = archive / kind / "000000000000.parquet"
        if not empty.exists():
            _write(pl.DataFrame(schema=schema), empty)
    base = profiles / "empty.parquet"
    if not base.exists():
        names = ("customer_id", "email", "first_name", "tier", "timezone", "locale", "country")
        schema = dict.fromkeys(names, pl.String) | {
            "loyalty_points": pl.Int64,
            "has_consent": pl.Boolean,
            "valid_from": pl.Datetime("us"),
        }
        _write(pl.DataFrame(schema=schema), base)


def archive(log: FileLog, folder: Path, read_until: int) -> Archived:
    """Archive every sealed segment, refresh the tail, and remove what every reader has passed.

    `read_until` is the position up to which the live lane has read: nothing behind it is removed.
    """
    done = Archived()
    sealed = log.sealed()
    for segment in sealed:
        if not _path(folder, "events", segment.number).exists():
            done = _add(done, _archive_segment(log, folder, segment))
    tail = _tail(log, join_position(sealed[-1].number, sealed[-1].size) if sealed else 0)
    _write_pair(tail, folder, TAIL)
    return replace(done, tail_events=len(tail), removed=_remove_read(log, folder, read_until))


def _archive_segment(log: FileLog, folder: Path, segment: Segment) -> Archived:
    frames = list(log.frames_of(segment))
    # The quarantine first: the events file is the sign that both are complete.
    events, quarantined = _write_pair(frames, folder, f"{segment.number:012d}")
    stored = sum(_rows(_path(folder, kind, segment.number)) for kind in ("events", "quarantine"))
    if not stored == len(frames) == events + quarantined:
        raise ArchiveMismatch(f"segment {segment.number}: {len(frames)} frames read, {stored} rows stored")
    return Archived(1, len(frames), events, quarantined)


def _tail(log: FileLog, position: int) -> list[Frame]:
    """What is not sealed yet; small, since segments are."""
    frames: list[Frame] = []
    while (batch := log.read_after(position)).frames:
        frames += batch.frames
        position = batch.next
    return frames


def _write_pair(frames: Iterable[Frame], folder: Path, stem: str) -> tuple[int, int]:
    landed = decode(frames)
    _write(landed.quarantine, folder / "quarantine" / f"{stem}.parquet")
    _write(landed.events, folder / "events" / f"{stem}.parquet")
    return landed.events.height, landed.quarantine.height


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write, make durable, then rename: a reader never sees half a file."""
    with durable_file(path) as file:
        frame.write_parquet(file)


def _remove_read(log: FileLog, folder: Path, read_until: int) -> int:
    removed = 0
    for segment in log.sealed():
        is_read = read_until >= join_position(segment.number, segment.size)
        if not (is_read and _path(folder, "events", segment.number).exists()):
            break
        log.remove(segment)
        removed += 1
    return removed


def _path(folder: Path, kind: str, number: int) -> Path:
    return folder / kind / f"{number:012d}.parquet"


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _add(left: Archived, right: Archived) -> Archived:
    return Archived(
        left.segments + right.segments,
        left.frames + right.frames,
        left.events + right.events,
        left.quarantined + right.quarantined,
    )
