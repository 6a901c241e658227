"""A request body becomes payloads for the log: good events canonical, bad ones quarantined one by one."""

import base64
from typing import Any, NamedTuple

import msgspec

from collector import json_event, json_split
from collector.contract import Quarantined
from collector.events import Call, canonical
from collector.limits import Limits
from collector.refusal import BadRequest, Refused
from collector.times import instant_or_none

RAW_BYTES = 32 * 1024  # of a refused event that are kept
SHARED_CONTEXT_BYTES = 4 * 1024
_BOM = b"\xef\xbb\xbf"


class Envelope(msgspec.Struct):
    """What surrounds the events of a batch call."""

    batch: list[msgspec.Raw]
    writeKey: Any = None
    sentAt: Any = None
    context: msgspec.Raw | None = None


class Single(msgspec.Struct):
    """A single call may carry its key in the body."""

    writeKey: Any = None


class Body(NamedTuple):
    """A request body, opened but not yet read."""

    events: list[bytes]
    write_key: str | None
    sent_at: Any
    context: bytes | msgspec.Raw | None  # raw; holds for all events of the body
    is_clean: bool  # no event needs the exact reader


class Intake(NamedTuple):
    """What goes into the log for one request, and what it was."""

    payloads: list[bytes]
    types: list[str]  # one per payload; `quarantine` for the refused


_envelope = msgspec.json.Decoder(Envelope)
_single = msgspec.json.Decoder(Single)
_encode = json_event.encode


def open_batch(body: bytes) -> Body:
    """The events of a batch call as text. Raises `BadRequest` if nothing can be found in the body."""
    body = body.removeprefix(_BOM)
    is_clean = not json_event.needs_exact_reader(body)
    envelope = _decode_envelope(body) if is_clean else None
    if envelope is None:
        return _split_batch(body)
    texts = [bytes(raw) for raw in envelope.batch]
    return Body(texts, _text(envelope.writeKey), envelope.sentAt, envelope.context, is_clean=True)


def _decode_envelope(body: bytes) -> Envelope | None:
    """The fast way, not taken when a second `batch` could hide the first."""
    if body.count(b'"batch"') != 1:
        return None
    try:
        return _envelope.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _split_batch(body: bytes) -> Body:
    members = json_split.split_object(body)
    if "batch" not in members:
        raise BadRequest("missing_batch", "A batch call needs the array `batch`.")
    texts = json_split.split_array(members["batch"])
    write_key, sent_at = _lenient(members.get("writeKey")), _lenient(members.get("sentAt"))
    return Body(texts, _text(write_key), sent_at, members.get("context"), is_clean=False)


def open_single(body: bytes) -> Body:
    """The one event of a call such as /v1/track. Raises `BadRequest` if the body is no JSON object."""
    body = body.removeprefix(_BOM)
    try:
        write_key = _single.decode(body).writeKey
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        write_key = _lenient(json_split.split_object(body).get("writeKey"))
    return Body([body], _text(write_key), None, None, is_clean=False)


def _lenient(text: bytes | None) -> Any:
    """A member of the envelope; a hostile one is as good as none."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


def read_body(body: Body, call: Call) -> Intake:
    """Canonical payloads for all events of a body; never raises for a hostile one."""
    sent_at = instant_or_none(body.sent_at) or call.sent_at
    call = call._replace(sent_at=sent_at, context=_shared_context(body.context, call.limits))
    events = json_event.read_events(body.events, call.limits, body.is_clean)
    read = [_payload(text, event, call) for text, event in zip(body.events, events, strict=True)]
    return Intake([payload for payload, _ in read], [kind for _, kind in read])


def _shared_context(raw: bytes | msgspec.Raw | None, limits: Limits) -> dict[str, Any] | None:
    """It is copied into every event of the body, so a large one would multiply; a hostile one is dropped."""
    if raw is None or len(bytes(raw)) > SHARED_CONTEXT_BYTES:
        return None
    context = json_event.read_exactly(bytes(raw), limits)
    return None if isinstance(context, Refused) else context


def _payload(text: bytes, event: dict | Refused, call: Call) -> tuple[bytes, str]:
    """(payload, type) of one event or of its refusal."""
    if isinstance(event, Refused):
        return _quarantined(text, event, None, call), "quarantine"
    message_id = event.get("messageId")
    try:
        accepted = canonical(event, call)
    except Refused as refusal:
        return _quarantined(text, refusal, message_id, call), "quarantine"
    return _encode(accepted), accepted.type


def _quarantined(text: bytes, refusal: Refused, message_id: Any, call: Call) -> bytes:
    return _encode(
        Quarantined(
            message_id=message_id[: call.limits.id_chars] if type(message_id) is str else None,
            event=refusal.code,
            source=call.source.name,
            detail=refusal.sentence.encode(errors="replace").decode(),
            raw=printable(text),
        )
    )


def printable(text: bytes) -> str:
    """Raw bytes as text that any store can hold; `base64:` marks what had to be packed."""
    kept = text[:RAW_BYTES]
    if b"\0" in kept or not _is_utf8(text):
        return "base64:" + base64.b64encode(kept).decode()
    return kept.decode(errors="ignore")  # the cut may go through a character


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
