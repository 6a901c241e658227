"""The log of everything that happened; the first of the two sources of truth."""

from collector.log.base import (
    Batch,
    EventLog,
    Frame,
    LogFailed,
    LogFull,
    PositionLost,
    join_position,
    split_position,
)
from collector.log.file import FileLog
from collector.log.group_commit import GroupCommit, Overloaded

__all__ = [
    "Batch",
    "EventLog",
    "FileLog",
    "Frame",
    "GroupCommit",
    "LogFailed",
    "LogFull",
    "Overloaded",
    "PositionLost",
    "join_position",
    "split_position",
]
