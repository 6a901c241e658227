"""Coupons: a code nobody can guess, and a deadline that counts from the email's own date."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from senders.instants import zone
from senders.ledger.keys import coupon_key

# What a person can read out and type: no 0 and O, no 1, I and L, no U beside V.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE = len(_ALPHABET)
_TAG = 7  # characters
_ID = 5  # characters at least; 24 million decisions fit. With a million coupons alive, one guess in 5e11 is one.
_LONGEST_ID = 12  # characters: below the largest number of a ledger
_MINUTE = timedelta(minutes=1)


def issue(
    code: str, offer: Mapping[str, Any], frozen_at: datetime, zone_name: str | None, default_zone: str
) -> dict[str, Any]:
    """The `coupon` of a template's context. `offer` has percent and valid_hours."""
    until = deadline(frozen_at, offer["valid_hours"])
    return {
        "code": code,
        "percent": offer["percent"],
        "expires_at": until.isoformat().replace("+00:00", "Z"),
        "expires_text": deadline_text(until, frozen_at, zone_name, default_zone),
    }


def deadline(frozen_at: datetime, valid_hours: float) -> datetime:
    """Until when the code works (aware UTC): a whole minute, since that is what an email prints, and never less."""
    until = frozen_at + timedelta(hours=valid_hours)
    rest = timedelta(seconds=until.second, microseconds=until.microsecond)
    return until + (_MINUTE - rest if rest else rest)


def deadline_text(until: datetime, frozen_at: datetime, zone_name: str | None, default_zone: str) -> str:
    """`today at 18:40`, by the person's own clock; where that is unknown or strikes twice, with the zone's name."""
    theirs = zone(zone_name)
    clock = theirs or zone(default_zone)
    local = until.astimezone(clock)
    days = (local.date() - frozen_at.astimezone(clock).date()).days
    day = ("today", "tomorrow")[days] if days < 2 else f"{local:%A}, {local.day} {local:%B}"
    strikes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{day} at {local:%H:%M}" + ("" if theirs and not strikes_twice else f" {_zone_name(local)}")


def code_of(id: int, decision_id: str, secret: bytes) -> str:
    """The code of one email: `7KQM-X2WD-9RTA`, the same whenever asked.

    It holds the row's number, hidden by a keyed tag over the decision, so that checking needs one look into
    the ledger, and a code gives away neither how many emails there are nor the next one.
    """
    tag = _digits(_number(secret, f"tag {decision_id}"), _TAG)
    width = max(_ID, len(_digits(id)))
    code = tag + _digits(id + _mask(secret, tag), width)
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def id_of(code: str, secret: bytes) -> int:
    """The row a code speaks of, if it is one of ours: compare with `code_of`. -1 for what cannot be a code."""
    typed = plain(code)
    tag, hidden = typed[:_TAG], typed[_TAG:]
    if not _ID <= len(hidden) <= _LONGEST_ID or not set(typed) <= set(_ALPHABET):
        return -1
    value = 0
    for char in hidden:
        value = value * _BASE + _ALPHABET.index(char)
    return (value - _mask(secret, tag)) % _BASE ** len(hidden)


def plain(code: str) -> str:
    """However people type it: letters and digits, in capitals."""
    return "".join(char for char in code.upper() if char.isalnum())


def _mask(secret: bytes, tag: str) -> int:
    return _number(secret, f"mask {tag}")


def _number(secret: bytes, text: str) -> int:
    return int.from_bytes(hmac.digest(coupon_key(secret), text.encode(), "sha256"))


def _digits(number: int, width: int | None = None) -> str:
    """In base 30, the last `width` digits; all there are without."""
    found = ""
    while number if width is None else len(found) < width:
        number, digit = divmod(number, _BASE)
        found = _ALPHABET[digit] + found
    return found


def _zone_name(local: datetime) -> str:
    """`CET`; zones without a name of their own are called +03."""
    name = local.tzname() or "UTC"
    return name if name[0].isalpha() else f"UTC{name}"
