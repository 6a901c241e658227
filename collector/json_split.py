"""Cut a body into its events without parsing them, so that one hostile event cannot hide the others.

It only knows strings, brackets and commas, never recurses, and works on bytes that need not be UTF-8.
"""

import json
import re
from collections.abc import Iterator

from collector.refusal import BadRequest

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},]', re.DOTALL)
_KEY = re.compile(rb'\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*:', re.DOTALL)


def split_object(text: bytes) -> dict[str, bytes]:
    """The members of the outermost object, values as raw text. Raises `BadRequest` if it is no object."""
    members: dict[str, bytes] = {}
    for part in _parts(text, b"{", b"}"):
        match = _KEY.match(part)
        if not match:
            raise BadRequest("invalid_json", "The body is not a JSON object.")
        key = _decode_key(match[1])
        if key in members:
            raise BadRequest("duplicate_key", f"The body has the key {key!r} twice.")
        members[key] = part[match.end() :].strip()
    return members


def split_array(text: bytes) -> list[bytes]:
    """The elements of an array as raw text. Raises `BadRequest` if it is no array."""
    return list(_parts(text, b"[", b"]"))


def _parts(text: bytes, opening: bytes, closing: bytes) -> Iterator[bytes]:
    text = text.strip()
    if text[:1] != opening or text[-1:] != closing:
        kind = "object" if opening == b"{" else "array"
        raise BadRequest("invalid_json", f"Expected a JSON {kind}: send what the SDKs send.")
    start = 1
    for comma in _top_commas(text):
        yield text[start:comma].strip()
        start = comma + 1
    last = text[start:-1].strip()
    if last or start > 1:
        yield last


def _top_commas(text: bytes) -> Iterator[int]:
    """Offsets of the commas right inside the outermost brackets."""
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
                if depth == 0 and token.end() != len(text):
                    raise BadRequest("invalid_json", "The body goes on after its end.")
            case b"," if depth == 1:
                yield token.start()
            case b'"':
                raise BadRequest("invalid_json", "A string in the body never ends.")
    if depth:
        raise BadRequest("invalid_json", "The body ends too early.")


def _decode_key(raw: bytes) -> str:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BadRequest("invalid_json", "A key of the body is not valid JSON.") from error
