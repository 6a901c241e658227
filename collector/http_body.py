"""Read a request's body within bounds, before and after inflating it."""

import zlib

from starlette.types import Message, Receive

from collector.limits import Limits
from collector.refusal import BadRequest

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


class Disconnected(Exception):
    """The client left before its request was complete; nobody is there to be answered."""


async def read_body(receive: Receive, limits: Limits) -> bytes:
    """The whole body, inflated. Raises `BadRequest` if it is too large or broken, `Disconnected`."""
    body = await _receive_all(receive, limits)
    return inflate(body, limits) if body[:2] == _GZIP_MAGIC else body


async def _receive_all(receive: Receive, limits: Limits) -> bytes:
    message = await _next(receive)
    body = message.get("body", b"")
    if message.get("more_body"):
        body = await _receive_more(receive, body, limits)
    if len(body) > limits.body_bytes:
        raise _too_large(limits)
    return body


async def _receive_more(receive: Receive, first: bytes, limits: Limits) -> bytes:
    body, is_complete = bytearray(first), False
    while not is_complete:
        message = await _next(receive)
        body += message.get("body", b"")
        if len(body) > limits.body_bytes:
            raise _too_large(limits)
        is_complete = not message.get("more_body")
    return bytes(body)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message


def inflate(body: bytes, limits: Limits) -> bytes:
    """Gunzip at most as much as a body may have: a bomb costs one allowed body of memory."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        inflated = inflater.decompress(body, limits.body_bytes + 1)
    except zlib.error as error:
        raise BadRequest("invalid_gzip", f"The body is not valid gzip: {error}.") from error
    if len(inflated) > limits.body_bytes:
        raise _too_large(limits)
    if not inflater.eof:
        raise BadRequest("invalid_gzip", "The gzip body ends too early.")
    return inflated


def _too_large(limits: Limits) -> BadRequest:
    return BadRequest("body_too_large", f"The body is larger than {limits.body_bytes} bytes.", 413)
