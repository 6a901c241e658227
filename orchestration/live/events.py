"""Our own events: receipts and suppressions, in the same shape as everyone else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

SOURCE = "kairos"


def own_event(
    name: str,
    *,
    message_id: str,
    at: datetime,
    anonymous_id: str | None,
    user_id: str | None,
    properties: Mapping[str, Any],
) -> bytes:
    """A canonical payload; the log adds when it was received."""
    return msgspec.json.encode(
        {
            "message_id": message_id,
            "type": "track",
            "event": name,
            "anonymous_id": anonymous_id,
            "user_id": user_id,
            "previous_id": None,
            "group_id": None,
            "occurred_at": at,
            "source": SOURCE,
            "trust": "server",
            "dialect": SOURCE,
            "properties": properties,
            "traits": {},
            "context": {},
            "flags": [],
        }
    )


def utc(instant: datetime) -> datetime:
    """Canonical payloads carry Z; a missing zone means UTC."""
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
