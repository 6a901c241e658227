"""How much of anything one request or one event may bring; each figure keeps a known attack small."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the intake; RudderStack's SDKs may send larger bodies than these defaults allow."""

    body_bytes: int = 500 * 1024  # after inflating; Segment's SDKs stop at 480 KB
    event_bytes: int = 32 * 1024  # what Segment's SDKs drop themselves
    depth: int = 32  # nested objects and arrays, the event itself included
    keys: int = 256  # per object
    id_chars: int = 256
    name_chars: int = 256
