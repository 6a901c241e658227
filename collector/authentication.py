"""Which source is writing: the write key from the header, the address or the body."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qs

from collector.config import CollectorConfig, WriteKey
from collector.refusal import BadRequest


class Sources:
    """All write keys, ready to be looked up."""

    def __init__(self, config: CollectorConfig) -> None:
        self._by_key = {write_key.key: write_key for write_key in config.write_keys}

    def authenticate(self, headers: Mapping[bytes, bytes], query: bytes, body_key: str | None) -> WriteKey:
        """The source of a request. Raises `BadRequest` with 401 or 403."""
        key = basic_user(headers.get(b"authorization")) or query_key(query) or body_key
        source = self._by_key.get(key or "")
        if source is None:
            raise BadRequest("invalid_write_key", "invalid write key", 401)
        origin = headers.get(b"origin")
        if source.origins and not source.allows(origin.decode("latin-1") if origin else None):
            raise BadRequest("origin_not_allowed", f"This key may not be used from {origin!r}.", 403)
        return source

    def knows(self, key: str) -> bool:
        """Whether there is such a write key."""
        return key in self._by_key


def basic_user(header: bytes | None) -> str | None:
    """The user of `Authorization: Basic base64(writeKey + ":")`."""
    if not header or header[:6].lower() != b"basic ":
        return None
    try:
        return base64.b64decode(header[6:], validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


def query_key(query: bytes) -> str | None:
    """The key of `?writeKey=…`, where beacons put it."""
    if b"writeKey=" not in query:
        return None
    return parse_qs(query.decode("latin-1")).get("writeKey", [None])[0]
