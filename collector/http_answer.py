"""Answers in the form the SDKs understand: exactly 200, or an error with `code` and `message`."""

from collections.abc import Iterable

import msgspec
from starlette.types import Send

Headers = Iterable[tuple[bytes, bytes]]
_JSON = (b"content-type", b"application/json")
_CORS = (  # any page may call; a browser must be able to read when to come back
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
)
_SUCCESS = b'{"success":true}'


async def answer(send: Send, status: int, body: bytes, headers: Headers = (_JSON, *_CORS)) -> None:
    """One complete response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_success(send: Send) -> None:
    """Exactly 200: some SDKs send again on any other success."""
    await answer(send, 200, _SUCCESS)


async def answer_error(send: Send, status: int, code: str, message: str, retry_after: int = 0) -> None:
    """rudder-sdk-python retries for ever on errors without `code` and `message`."""
    body = msgspec.json.encode({"code": code, "message": message})
    retry = [(b"retry-after", b"%d" % retry_after)] if retry_after else []
    await answer(send, status, body, [_JSON, *_CORS, *retry])
