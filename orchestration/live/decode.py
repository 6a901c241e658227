"""From frames of the log to columns, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
import polars as pl

from collector.log.base import Frame

EVENT_SCHEMA = {
    "position": pl.Int64,
    "message_id": pl.String,
    "source": pl.String,
    "trust": pl.String,
    "type": pl.String,
    "event": pl.String,
    "anonymous_id": pl.String,
    "user_id": pl.String,
    "visitor_id": pl.String,
    "occurred_at": pl.Datetime("us"),
    "received_at": pl.Datetime("us"),
    "properties": pl.String,
    "traits": pl.String,
    "context": pl.String,
}

QUARANTINE_SCHEMA = {
    "position": pl.Int64,
    "received_at": pl.Datetime("us"),
    "source": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "raw": pl.String,
}


class Payload(msgspec.Struct):
    """One canonical event of the log; nested objects stay as the JSON text they are."""

    received_at: datetime
    type: str
    message_id: str | None = None
    source: str | None = None
    trust: str = "browser"
    event: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    occurred_at: datetime | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    traits: msgspec.Raw = msgspec.Raw(b"{}")
    context: msgspec.Raw = msgspec.Raw(b"{}")
    detail: str | None = None
    raw: str | None = None

    @property
    def visitor_id(self) -> str | None:
        """Who did it: the browser or app if known, else the person."""
        return self.anonymous_id or (self.previous_id if self.type == "alias" else None) or self.user_id


_decode = msgspec.json.Decoder(Payload).decode


def decode_payload(payload: bytes) -> Payload:
    """Read one payload; raises msgspec.MsgspecError if it is not a canonical event."""
    return _decode(payload)


@dataclass(frozen=True)
class Landed:
    """A micro-batch in columns; `events` follows EVENT_SCHEMA, `quarantine` QUARANTINE_SCHEMA."""

    events: pl.DataFrame
    quarantine: pl.DataFrame


def naive_utc(instant: datetime) -> datetime:
    """Models keep UTC without a zone; the zone is dropped only here."""
    return instant.replace(tzinfo=None) if instant.utcoffset() is None else _to_utc(instant)


def _to_utc(instant: datetime) -> datetime:
    return (instant - instant.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]


def decode(frames: Iterable[Frame]) -> Landed:
    """Columns of a batch. A frame nobody can read becomes a quarantine row and harms no neighbour."""
    events: list[tuple] = []
    refused: list[tuple] = []
    for position, payload in frames:
        try:
            item = decode_payload(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            refused.append(
                (
                    position,
                    None,
                    None,
                    "unreadable_frame",
                    str(error),
                    payload[:2000].decode("utf-8", "replace"),
                )
            )
            continue
        received = naive_utc(item.received_at)
        if item.type == "quarantine" or item.visitor_id is None:
            refused.append(
                (position, received, item.source, item.event or "no_identity", item.detail, item.raw)
            )
            continue
        events.append(
            (
                position,
                item.message_id,
                item.source,
                item.trust,
                item.type,
                item.event,
                item.anonymous_id,
                item.user_id,
                item.visitor_id,
                naive_utc(item.occurred_at or item.received_at),
                received,
                bytes(item.properties).decode(),
                bytes(item.traits).decode(),
                bytes(item.context).decode(),
            )
        )
    return Landed(
        pl.DataFrame(events, schema=EVENT_SCHEMA, orient="row"),
        pl.DataFrame(refused, schema=QUARANTINE_SCHEMA, orient="row"),
    )
