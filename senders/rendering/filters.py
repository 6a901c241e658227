"""The few filters that templates need beyond Jinja's own."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Undefined

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\"'<>`\\{}|^\u2028\u2029\ud800-\udfff]")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "CHF": "CHF "}
_NO_CENTS = frozenset(("JPY", "KRW", "VND", "CLP", "ISK"))


class UnsafeUrl(ValueError):
    """A link that an email must not carry."""


def url(value: Any) -> str:
    """Only http and https, with a host, without a user name. Anything else holds the email."""
    if isinstance(value, Undefined):
        return str(value)  # raises, naming the variable
    return _checked(str(value or ""))


@lru_cache(maxsize=4096)  # the same few links stand in every email
def _checked(text: str) -> str:
    try:
        parts = urlsplit(text)
        harmless = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        harmless = False
    if not harmless or len(text) > 2000 or _UNSAFE.search(text):
        raise UnsafeUrl(f"{text[:40]!r} is not a plain http(s) link")
    return text


def money(value: Any, currency: str | None = None) -> str:
    """`$1,234.50`; a currency without a symbol is written out: `SEK 99.00`."""
    if isinstance(value, Undefined):
        return str(value)
    code = (currency or "").upper()
    amount = f"{float(value):,.0f}" if code in _NO_CENTS else f"{float(value):,.2f}"
    return f"{_SYMBOLS.get(code, f'{code} ' if code else '')}{amount}"


def count_of(number: int, one: str, many: str) -> str:
    """`1 item`, `2 items`."""
    return f"{number} {one if number == 1 else many}"


ALL = {"url": url, "money": money, "count_of": count_of}
