"""What an event looks like in the log: the contract between the intake and every model downstream.

`docs/events.schema.json` is generated from these types; run `python -m collector.schema` after a change.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

EventType = Literal["track", "page", "screen", "identify", "group", "alias"]
Text = Annotated[str, Meta(min_length=1, max_length=256)]
Instant = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]


class Event(Struct, kw_only=True, gc=False):
    """An accepted event. Every key is always present; the log adds `received_at` in front."""

    message_id: Annotated[Text, Meta(description="Chosen by the sender, the same in every retry.")]
    type: EventType
    event: Annotated[
        str | None, Meta(description="track: what happened; page and screen: its name; otherwise null.")
    ]
    anonymous_id: Text | None
    user_id: Text | None
    previous_id: Annotated[Text | None, Meta(description="alias: the id that was used before.")]
    group_id: Text | None
    occurred_at: Annotated[
        Instant, Meta(description="On our clock: device clocks are corrected by the time of sending.")
    ]
    source: Annotated[Text, Meta(description="Name of the write key; `kairos` for our own events.")]
    trust: Annotated[
        Literal["server", "browser"], Meta(description="A browser may set neither consent nor an address.")
    ]
    dialect: Literal["segment", "rudderstack"]
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    flags: Annotated[
        list[str], Meta(description="What was repaired, such as `future_timestamp` or `denied_user_id`.")
    ] = field(default_factory=list)


class Quarantined(Struct, kw_only=True):
    """A refused event, kept with the reason: acknowledged = loaded + duplicates + quarantined."""

    message_id: str | None
    type: Literal["quarantine"] = "quarantine"
    event: Annotated[str, Meta(description="Reason code, such as `duplicate_key`.")]
    source: Text
    detail: Annotated[str, Meta(description="The reason as a sentence.")]
    raw: Annotated[
        str, Meta(description="What was sent, cut at 32 kB; `base64:` in front if it is not plain text.")
    ]
