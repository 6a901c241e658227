"""Quiet hours on the days when clocks change, throttles, and instants."""

from datetime import UTC, datetime, time, timedelta

import pytest

from senders import QuietHours, Throttle
from senders.instants import from_us, to_us
from senders.quiet import next_allowed
from tests.senders.support import NOW

NIGHT = QuietHours(time(22), time(8))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "quiet", "allowed"),
    [
        ("2026-06-01T12:00", "Europe/Berlin", NIGHT, "2026-06-01T12:00"),
        ("2026-06-01T21:00", "Europe/Berlin", NIGHT, "2026-06-02T06:00"),  # 23:00 there
        ("2026-06-02T05:59", "Europe/Berlin", NIGHT, "2026-06-02T06:00"),
        ("2026-06-02T06:00", "Europe/Berlin", NIGHT, "2026-06-02T06:00"),
        ("2026-06-01T20:00", "Asia/Kathmandu", NIGHT, "2026-06-02T02:15"),  # +05:45
        ("2026-06-01T10:30", "Pacific/Kiritimati", NIGHT, "2026-06-01T18:00"),  # +14
        ("2026-06-01T23:00", "No/Such_Zone", NIGHT, "2026-06-02T08:00"),
        ("2026-06-01T23:00", None, NIGHT, "2026-06-02T08:00"),
        # 02:30 does not exist: clocks jump from 02:00 to 03:00 at 01:00 UTC
        ("2026-03-29T00:30", "Europe/Berlin", QuietHours(time(1), time(2, 30)), "2026-03-29T01:00"),
        # 02:30 comes twice: "not before" means after the second
        ("2026-10-25T00:10", "Europe/Berlin", QuietHours(time(1), time(2, 30)), "2026-10-25T01:30"),
        ("2026-10-25T00:40", "Europe/Berlin", QuietHours(time(1), time(2, 30)), "2026-10-25T01:30"),
        ("2026-10-25T01:40", "Europe/Berlin", QuietHours(time(1), time(2, 30)), "2026-10-25T01:40"),
        # half an hour of daylight saving
        ("2026-04-04T14:00", "Australia/Lord_Howe", QuietHours(time(0), time(2)), "2026-04-04T15:30"),
    ],
)
def test_quiet_hours_end_when_the_persons_clock_says_so(now, zone, quiet, allowed):
    assert next_allowed(utc(now), zone, quiet) == utc(allowed)


def test_the_next_allowed_instant_is_allowed():
    for minutes in range(0, 60 * 24 * 400, 97):
        instant = NOW + timedelta(minutes=minutes)
        allowed = next_allowed(instant, "America/New_York", NIGHT)
        assert allowed >= instant and next_allowed(allowed, "America/New_York", NIGHT) == allowed


def test_a_throttle_lets_its_rate_through_and_no_more():
    throttle = Throttle({"slow.example": 10.0})
    admitted = sum(
        throttle.admit("slow.example", NOW + timedelta(milliseconds=ms)) is None for ms in range(0, 5000, 10)
    )

    assert 49 <= admitted <= 51
    assert throttle.admit("other.example", NOW) is None


def test_a_throttle_says_when_to_come_back():
    throttle = Throttle({"*": 2.0})

    assert throttle.admit("a.example", NOW) is None
    assert throttle.admit("a.example", NOW) == NOW + timedelta(seconds=0.5)


def test_instants_survive_the_ledger_to_the_microsecond_and_naive_ones_are_refused():
    odd = NOW + timedelta(microseconds=123457)

    assert from_us(to_us(odd)) == odd
    with pytest.raises(ValueError, match="has no time zone"):
        to_us(datetime(2026, 1, 1))
