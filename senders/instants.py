"""The ledger keeps instants as whole microseconds since 1970 (UTC): exact, sortable, one machine word."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970. A naive datetime is refused: nobody knows which hour it means."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone: pass an aware datetime, in UTC")
    return (instant - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The aware UTC datetime of a ledger instant."""
    return _EPOCH + timedelta(microseconds=microseconds)


def span_us(span: timedelta) -> int:
    """The length of a span in microseconds."""
    return span // _MICROSECOND


@lru_cache(maxsize=1024)
def zone(name: str | None) -> ZoneInfo | None:
    """The zone of that IANA name; None for no name, and for one that nobody knows."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # how zoneinfo refuses unknown names, odd paths and folders
        return None
