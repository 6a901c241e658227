"""Postmark: one event per call, told apart by `RecordType`."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import address, decision_in, first_text, instant, items, mapping, text, texts
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "postmark"
_RECORDS = {
    "delivery": "delivered",
    "open": "opened",
    "click": "clicked",
    "spamcomplaint": "complained",
}
# Type of a Bounce record: what it is, why, hard or soft.
_BOUNCES: dict[str, tuple[str, str | None, str | None]] = {
    "hardbounce": ("bounced", "bounced", "hard"),
    "bademailaddress": ("bounced", "invalid", "hard"),
    "softbounce": ("bounced", "bounced", "soft"),
    "transient": ("deferred", None, "soft"),
    "dnserror": ("deferred", "timed_out", "soft"),
    "unknown": ("bounced", "bounced", "soft"),
    "virusnotification": ("bounced", "blocked", "soft"),
    "spamnotification": ("bounced", "spam", "soft"),  # refused as spam by the server, not by the person
    "blocked": ("bounced", "blocked", "soft"),
    "dmarcpolicy": ("rejected", "blocked", "soft"),
    "openrelaytest": ("bounced", "blocked", "soft"),
    "spamcomplaint": ("complained", "spam", None),
    "unsubscribe": ("unsubscribed", "unsubscribed", None),
    "subscribe": ("subscribed", None, None),
    "autoresponder": ("autoresponded", None, None),
    "addresschange": ("autoresponded", None, None),
    "challengeverification": ("autoresponded", None, None),
    "manuallydeactivated": ("rejected", "blocked", None),
    "unconfirmed": ("rejected", "other", None),
    "smtpapierror": ("failed", None, None),
    "templaterenderingfailed": ("failed", None, None),
}
_SUPPRESSIONS = {
    "hardbounce": ("bounced", "bounced", "hard"),
    "spamcomplaint": ("complained", "spam", None),
    "manualsuppression": ("unsubscribed", "unsubscribed", None),
}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One record, or a list of them."""
    for record in items(payload):
        if not isinstance(record, Mapping):
            raise Malformed("a Postmark record is an object with `RecordType`")
        yield _one(record)


def _one(record: Mapping[str, Any]) -> MailEvent | Ignored:
    kind, why, hardness = _meaning(record)
    if kind is None:
        return Ignored(provider=NAME, because=why or "", raw=record)
    metadata = dict(mapping(record, "Metadata"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(first_text(record.get("Recipient"), record.get("Email"))),
        occurred_at=instant(
            *(record.get(name) for name in ("BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt"))
        ),
        message_id=text(record.get("MessageID")),
        event_id=_event_id(record),
        decision_id=decision_in(metadata),
        hardness=hardness,
        reject_reason=why,
        description=first_text(record.get("Description"), record.get("Name")),
        mta_response=first_text(record.get("Details")),
        click_url=text(record.get("OriginalLink")),
        user_agent=text(record.get("UserAgent")),
        tags=texts(record.get("Tag")),
        metadata=metadata,
        raw=record,
    )


def _meaning(record: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """(event type, reject reason, hardness); without a type, the reason why it is ignored."""
    given = (text(record.get("RecordType")) or "").lower()
    if not given and "Type" in record:
        given = "bounce"  # payloads of before 2018 name no record type
    if given == "bounce":
        kind = (text(record.get("Type")) or "").lower()
        return _BOUNCES.get(kind, (None, f"unknown Postmark bounce type {kind!r}", None))
    if given == "subscriptionchange":
        if record.get("SuppressSending") is not True:
            return "subscribed", None, None
        why = (text(record.get("SuppressionReason")) or "").lower()
        return _SUPPRESSIONS.get(why, ("unsubscribed", "unsubscribed", None))
    if given in _RECORDS:
        return _RECORDS[given], "spam" if given == "spamcomplaint" else None, None
    if not given:
        raise Malformed("a Postmark record has a RecordType")
    return None, f"Postmark record {given!r} is not about an email we sent", None


def _event_id(record: Mapping[str, Any]) -> str | None:
    """Bounces and complaints have an ID; the others are told apart by what they say and when."""
    given = text(record.get("ID"))
    return f"{text(record.get('RecordType')) or 'Bounce'}-{given}" if given else None
