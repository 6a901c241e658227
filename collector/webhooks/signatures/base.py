"""What every way of signing has in common."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

TOLERANCE = timedelta(minutes=5)  # of signed timestamps; Standard Webhooks and the providers say the same


@dataclass(frozen=True)
class Signed:
    """A call as it came in: nothing decoded, nothing trusted."""

    headers: Mapping[str, str]  # by small letters
    body: bytes
    received: datetime  # aware UTC
    url: str = ""  # as the provider calls it, for those who sign it
    path_token: str | None = None  # the last part of /webhooks/<provider>/<token>
    form: Mapping[str, str] = field(default_factory=dict)  # of a form, if it is one


class Forged(Exception):
    """Not from the provider, too old, or changed on the way; the sentence says which."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Scheme(Protocol):
    """One way of signing."""

    def verify(self, call: Signed, keys: Sequence[str]) -> str | None:
        """Raises `Forged`. Returns what makes a signed call unique, None where nothing does."""
        ...


def is_equal(given: str, expected: str) -> bool:
    """In constant time, whatever characters are given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def needed(call: Signed, header: str) -> str:
    """A header that must be there."""
    value = call.headers.get(header)
    if not value:
        raise Forged("missing_signature", f"the header {header} is missing")
    return value


def check_age(timestamp: str, call: Signed, most: timedelta = TOLERANCE) -> None:
    """Epoch seconds within the tolerance, before or after. Raises `Forged`."""
    try:
        signed = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        raise Forged("invalid_timestamp", "the signed timestamp is not in epoch seconds") from None
    check_instant(signed, call, most)


def check_instant(signed: datetime, call: Signed, most: timedelta = TOLERANCE) -> None:
    """An instant within the tolerance, before or after. Raises `Forged`."""
    if abs(call.received - signed) > most:
        raise Forged(
            "stale_signature",
            f"signed at {signed:%Y-%m-%dT%H:%M:%SZ}, more than {int(most.total_seconds() // 60)} minutes from now",
        )


def forged() -> Forged:
    """The one answer to a signature that does not match: it says nothing that helps guessing."""
    return Forged(
        "invalid_signature", "the signature does not match: is the key in kairos.toml the provider's?"
    )
