"""Reads fields of payloads that may be missing, of another type, or hostile. Never raises."""

import contextlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from collector.times import instant_or_none

# Our own Message-ID is `<decision.tag@domain>`, the tag 16 hexadecimal digits: senders/mime.py.
_OURS = re.compile(r"<?([A-Za-z0-9_.-]{1,128})\.([0-9a-f]{16})@[^\s<>@]+>?")
_OWN_KEYS = ("decision_id", "kairos_decision_id", "kairos-decision-id", "X-Kairos-Decision-Id")


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The object behind a path, an empty one if there is none."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else {}


def at(value: Any, *path: str) -> Any:
    """The value behind a path, None if there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(value: Any) -> str | None:
    """Text or a number as text; everything else, and nothing but blanks, is None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def first_text(*values: Any) -> str | None:
    """The first that says something."""
    return next((found for found in map(text, values) if found), None)


def items(value: Any) -> list[Any]:
    """A list, or the one thing as a list."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def texts(value: Any) -> list[str]:
    """What of a list, or of one thing, is text."""
    return [found for found in map(text, items(value)) if found]


def address(value: Any) -> str | None:
    """One plain address out of `Ann <ann@example.com>`."""
    given = text(value)
    if not given:
        return None
    found = parseaddr(given)[1] if "<" in given else given.partition(",")[0]
    return found.strip() or None


def instant(*values: Any) -> datetime | None:
    """The first instant among ISO texts (UTC unless they say otherwise) and epochs in (milli)seconds."""
    return next((found for found in map(_instant, values) if found), None)


def _instant(value: Any) -> datetime | None:
    given = text(value)
    if given is None:
        return None
    with contextlib.suppress(ValueError):
        return instant_or_none(float(given))
    return instant_or_none(given)


def json_object(value: Any) -> Mapping[str, Any]:
    """An object, also where a provider packs it into text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def decision_in(metadata: Mapping[str, Any], *message_ids: Any) -> str | None:
    """Our decision: named in the metadata, or in a Message-ID of ours."""
    named = first_text(*(metadata.get(key) for key in _OWN_KEYS))
    if named:
        return named[:128]
    for given in map(text, message_ids):
        if given and (found := _OURS.fullmatch(given)):
            return found[1]
    return None
