"""Ids that tell people apart, and the many that do not: `null`, `undefined`, ` `.

Unrelated visitors who share such an id would be merged into one person and mailed as one.
"""

from typing import Any
from unicodedata import normalize

from collector.limits import Limits
from collector.refusal import Refused

NOBODY = frozenset(
    {
        *("0", "-1", "null", "(null)", "undefined", "none", "nil", "nan", "n/a", "na", "true", "false"),
        *("guest", "anonymous", "anon", "unknown", "user", "id", "test", "email", "[object object]"),
        *("distinct_id", "distinctid", "not_authenticated", "00000000-0000-0000-0000-000000000000"),
    }
)


def identifier(value: Any, field: str, limits: Limits, flags: list[str]) -> str | None:
    """The canonical form of an id, None if it names nobody (then flagged). Raises `Refused` if unusable."""
    if value is None or value == "":
        return None
    text = value.strip() if type(value) is str else _number(value, field)
    if len(text) > limits.id_chars:
        raise Refused("id_too_long", f"{field} has {len(text)} characters; {limits.id_chars} are allowed.")
    if not text.isprintable():
        raise Refused("invalid_id", f"{field} contains control or invisible characters.")
    if not text or text.lower() in NOBODY:
        flags.append(f"denied_{field}")
        return None
    if not text.isascii():
        text = normalize("NFC", text)
    return text.lower() if "@" in text else text  # an address has one spelling


def _number(value: Any, field: str) -> str:
    if type(value) is int:
        return str(value)
    raise Refused("invalid_id", f"{field} must be text or an integer, not {type(value).__name__}.")
