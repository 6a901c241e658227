"""One event's text becomes a Python object, or is refused for exactly one reason.

msgspec reads fast but forgives what must not be forgiven: duplicate keys, huge integers, deep nesting.
So text that could contain such things is read a second time by the exact reader; cheap counts say when.
Whatever the fast reader accepts, the exact reader accepts with the same result (a property test holds it).
"""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from collector.limits import Limits
from collector.refusal import Refused

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_INT_LIMIT = 2**63
_DIGITS_ARE_ZEROS = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_LONG_NUMBER = b"0" * 19  # 2^63 has 19 digits
_ASCII_ESCAPES = tuple(b"\\u00%d" % digit for digit in range(8))
_BYTES_PER_KEY = 5  # `"":0,` is the shortest member


def needs_exact_reader(text: bytes) -> bool:
    """True if the text may hold a NUL, an escaped colon (which spoils counting) or a huge integer."""
    has_escapes = b"\\u00" in text and any(escape in text for escape in _ASCII_ESCAPES)
    return has_escapes or _LONG_NUMBER in text.translate(_DIGITS_ARE_ZEROS)


def read_events(texts: Sequence[bytes], limits: Limits, is_clean: bool = False) -> list[dict | Refused]:
    """Read each text; a refusal takes the place of its event. `is_clean`: no text needs the exact reader."""
    events = [_read_fast(text, limits, is_clean) for text in texts]
    if None not in events and encode(events).count(b":") == b"".join(texts).count(b":"):
        return events  # nearly always
    return [
        read_exactly(text, limits) if event is None or _lost_a_key(text, event) else event
        for text, event in zip(texts, events, strict=True)
    ]


def _lost_a_key(text: bytes, event: dict) -> bool:
    """A decoded duplicate is gone, and its colon with it; colons inside strings count on both sides."""
    return encode(event).count(b":") != text.count(b":")


def _read_fast(text: bytes, limits: Limits, is_clean: bool) -> dict | None:
    """The event, or None if only the exact reader can say."""
    size = len(text)
    if size > limits.event_bytes or not (is_clean or not needs_exact_reader(text)):
        return None
    if size > limits.keys * _BYTES_PER_KEY or text.count(b"{") + text.count(b"[") > limits.depth:
        return _read_large(text, limits)
    return _object_or_none(text)


def _read_large(text: bytes, limits: Limits) -> dict | None:
    """Large events are common enough (orders) to be read fast, but their shape must be measured."""
    event = _object_or_none(text)
    try:
        check_shape(event, limits)
    except Refused:
        return None
    return event


def _object_or_none(text: bytes) -> dict | None:
    try:
        event = _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return event if type(event) is dict else None


def read_exactly(text: bytes, limits: Limits) -> dict | Refused:
    """The event, or the reason why it is none."""
    try:
        return _parse_exactly(text, limits)
    except Refused as refusal:
        return refusal


def _parse_exactly(text: bytes, limits: Limits) -> dict:
    if len(text) > limits.event_bytes:
        raise Refused(
            "event_too_large", f"The event has {len(text)} bytes; {limits.event_bytes} are allowed."
        )
    event = _loads(_utf8(text), limits)
    if type(event) is not dict:
        raise Refused("not_an_object", "An event must be a JSON object.")
    check_shape(event, limits)
    check_text(event)
    return event


def _utf8(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise Refused("invalid_utf8", f"Byte {error.start} of the event is not UTF-8.") from error


def _loads(text: str, limits: Limits) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except RecursionError as error:
        raise _too_deep(limits) from error
    except Refused:
        raise
    except ValueError as error:
        raise Refused("invalid_json", f"The event is not JSON: {error}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("duplicate_key", f"The key {twice[:50]!r} occurs twice in one object.")
    return found


def _refuse_constant(name: str) -> float:
    raise Refused("not_a_number", f"{name} is not a JSON number.")


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or not -_INT_LIMIT <= (number := int(digits)) < _INT_LIMIT:
        raise Refused("integer_too_large", f"The integer {digits[:25]} does not fit into 64 bits.")
    return number


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Refused("number_out_of_range", f"The number {digits[:25]} is too large.")
    return number


def check_shape(value: Any, limits: Limits, depth: int = 1) -> None:
    """Refuse too deep nesting and too many keys; strings and numbers cost nothing here."""
    if type(value) is dict:
        if len(value) > limits.keys:
            raise Refused("too_many_keys", f"An object has {len(value)} keys; {limits.keys} are allowed.")
        inner = value.values()
    elif type(value) is list:
        inner = value
    else:
        return
    if depth > limits.depth:
        raise _too_deep(limits)
    for item in inner:
        if type(item) is dict or type(item) is list:
            check_shape(item, limits, depth + 1)


def _too_deep(limits: Limits) -> Refused:
    return Refused("too_deep", f"Objects and arrays are nested more than {limits.depth} levels deep.")


def check_text(event: dict) -> None:
    """Refuse what later stores cannot hold: U+0000 and halves of surrogate pairs."""
    try:
        if b"\\u0000" in encode(event).replace(b"\\\\", b""):
            raise Refused("nul_character", "A string contains U+0000, which databases cut or refuse.")
    except UnicodeEncodeError as error:
        raise Refused("lone_surrogate", "A string contains half of a surrogate pair.") from error
