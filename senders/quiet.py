"""Quiet hours: local wall-clock intervals, judged in the person's own zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from senders.instants import zone as zone_of


@dataclass(frozen=True)
class QuietHours:
    """Nobody is mailed between `start` and `end` of their day; the interval may cross midnight."""

    start: time
    end: time
    default_zone: str = "UTC"  # for people whose zone is unknown


def next_allowed(now: datetime, zone_name: str | None, quiet: QuietHours) -> datetime:
    """`now` itself outside quiet hours, otherwise the instant at which they end (UTC)."""
    zone = zone_of(zone_name) or ZoneInfo(quiet.default_zone)
    local = now.astimezone(zone)
    ends = _instant(local, quiet.end, zone, day=0)
    if _is_quiet(local.time(), quiet):
        return ends if ends > now else _instant(local, quiet.end, zone, day=1)
    if _first_occurrence(local, quiet.end, zone) <= now < ends:
        return ends  # clocks went back: the quiet hour comes a second time, "not before" means after it
    return now


def _is_quiet(wall: time, quiet: QuietHours) -> bool:
    wall = wall.replace(tzinfo=None, fold=0)
    if quiet.start <= quiet.end:
        return quiet.start <= wall < quiet.end
    return wall >= quiet.start or wall < quiet.end


def _first_occurrence(local: datetime, wall: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(local.date(), wall, zone).replace(fold=0).astimezone(UTC)


def _instant(local: datetime, wall: time, zone: ZoneInfo, day: int) -> datetime:
    """That wall time as an instant: the later one if it comes twice, the first valid one if it is skipped."""
    there = datetime.combine(local.date() + timedelta(days=day), wall, zone).replace(fold=1)
    instant = there.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == there.replace(tzinfo=None):
        return instant
    return _end_of_gap(instant, zone)


def _end_of_gap(before: datetime, zone: ZoneInfo) -> datetime:
    """Python reads a skipped wall time with either offset; the honest answer is when clocks jump."""
    offset = before.astimezone(zone).utcoffset()
    minute = before.replace(second=0, microsecond=0)
    while minute.astimezone(zone).utcoffset() == offset:
        minute += timedelta(minutes=1)
    return minute
