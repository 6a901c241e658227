"""Mailgun: `event-data` of today, and the flat form fields of its older webhooks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import (
    address,
    at,
    decision_in,
    first_text,
    instant,
    items,
    json_object,
    mapping,
    text,
    texts,
)
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "mailgun"
_TYPES = {
    "accepted": "queued",
    "rejected": "rejected",
    "delivered": "delivered",
    "failed": "bounced",  # `severity` and `reason` say more
    "opened": "opened",
    "clicked": "clicked",
    "complained": "complained",
    "unsubscribed": "unsubscribed",
    "dropped": "rejected",  # flat form from here on
    "bounced": "bounced",
}
_SUPPRESSED = {  # reasons of today, codes of the flat form: Mailgun did not even try
    "suppress-bounce": "bounced",
    "suppress-complaint": "spam",
    "suppress-unsubscribe": "unsubscribed",
    "605": "bounced",
    "606": "spam",
    "607": "spam",
    "602": "timed_out",
    "499": "timed_out",
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One event, or a list of them."""
    for body in items(payload):
        if not isinstance(body, Mapping):
            raise Malformed("a Mailgun event is an object with `event-data`, or form fields with `event`")
        event = body.get("event-data", body)
        given = (text(at(event, "event")) or "").lower()
        if not given:
            raise Malformed("a Mailgun event has a field `event`")
        kind = _TYPES.get(given)
        if kind is None:
            because = f"Mailgun event {given!r} is not about an email we sent"
            yield Ignored(provider=NAME, because=because, raw=body)
        else:
            yield _flat(event, kind, body) if "event-data" not in body else _today(event, kind, body)


def _today(event: Mapping[str, Any], kind: str, body: Mapping[str, Any]) -> MailEvent:
    status = mapping(event, "delivery-status")
    reason = (text(event.get("reason")) or "").lower()
    is_temporary = text(event.get("severity")) == "temporary"
    if kind == "bounced":
        kind = "deferred" if is_temporary else "rejected" if reason in _SUPPRESSED else "bounced"
    metadata = dict(mapping(event, "user-variables"))
    own_id = text(at(event, "message", "headers", "message-id"))
    said = first_text(status.get("message"), status.get("description"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(event.get("recipient")),
        occurred_at=instant(event.get("timestamp")),
        message_id=own_id and f"<{own_id.strip('<>')}>",
        event_id=first_text(event.get("id"), at(body, "signature", "token")),
        decision_id=decision_in(metadata, own_id),
        hardness="soft" if kind == "deferred" else None,  # of a bounce the reply says it
        reject_reason=_reject_reason(kind, _SUPPRESSED.get(reason)),
        description=first_text(status.get("description"), at(event, "reject", "description"), reason),
        mta_response=_with_code(said, status),
        click_url=text(event.get("url")),
        user_agent=text(at(event, "client-info", "user-agent")),
        is_machine=True if text(at(event, "client-info", "bot")) else None,
        tags=texts(event.get("tags")),
        metadata=metadata,
        raw=body,
    )


def _with_code(said: str | None, status: Mapping[str, Any]) -> str | None:
    """The reply with its codes, which Mailgun keeps beside it."""
    code, enhanced = text(status.get("code")), text(status.get("enhanced-code"))
    known = [part for part in (code, enhanced) if part and part not in (said or "")]
    return " ".join((*known, said)) if said else None


def _flat(event: Mapping[str, Any], kind: str, body: Mapping[str, Any]) -> MailEvent:
    code = text(event.get("code")) or ""
    headers = _headers(event.get("message-headers"))
    metadata = json_object(headers.get("x-mailgun-variables"))
    own_id = first_text(event.get("Message-Id"), event.get("message-id"), headers.get("message-id"))
    said = first_text(event.get("error"), event.get("notification"))
    named = _SUPPRESSED.get(code) or ("bounced" if re.match(r"[45]", code) else None)
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(event.get("recipient")),
        occurred_at=instant(event.get("timestamp")),
        message_id=own_id,
        event_id=text(event.get("token")),
        decision_id=decision_in({**metadata, **event}, own_id),
        reject_reason=_reject_reason(kind, named),
        description=text(event.get("description")),
        mta_response=f"{code} {said}" if said and code and code not in said else said,
        click_url=text(event.get("url")),
        user_agent=text(event.get("user-agent")),
        tags=texts(event.get("X-Mailgun-Tag")) or texts(event.get("tag")),
        metadata=dict(metadata),
        raw=body,
    )


def _headers(value: Any) -> dict[str, Any]:
    """Headers of the message, a list of pairs, often packed into text."""
    pairs = json_object('{"pairs": ' + value + "}").get("pairs") if isinstance(value, str) else value
    return {
        str(pair[0]).lower(): pair[1]
        for pair in items(pairs)
        if isinstance(pair, list | tuple) and len(pair) == 2
    }


def _reject_reason(kind: str, named: str | None) -> str | None:
    fallback = {
        "bounced": "bounced",
        "rejected": "other",
        "complained": "spam",
        "unsubscribed": "unsubscribed",
    }
    return (named or fallback[kind]) if kind in fallback else None
