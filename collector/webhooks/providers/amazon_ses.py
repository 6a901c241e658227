"""Amazon SES, wrapped in SNS notifications or delivered raw: event publishing and feedback notifications."""

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

NAME = "amazon_ses"
_NOT_COMPLAINTS = ("not-spam", "auth-failure")  # the opposite of a complaint, and a report about DMARC
_HARDNESS = {"permanent": "hard", "transient": "soft", "undetermined": "soft"}


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """One SNS notification, or one SES event without its envelope."""
    for body in items(payload):
        yield from _notification(body) if "Type" in mapping(body) else _event(body, None)


def _notification(envelope: Mapping[str, Any]) -> Iterator[MailEvent | Ignored]:
    kind = text(envelope.get("Type"))
    if kind != "Notification":
        yield Ignored(provider=NAME, because=f"SNS {kind}: nothing about an email", raw=envelope)
        return
    inner = json_object(envelope.get("Message"))
    if not inner:
        yield Ignored(provider=NAME, because="an SNS message without an SES event", raw=envelope)
        return
    yield from _event(inner, first_text(envelope.get("MessageId")))


def _event(event: Any, event_id: str | None) -> Iterator[MailEvent | Ignored]:
    kind = (first_text(at(event, "eventType"), at(event, "notificationType")) or "").lower().replace(" ", "")
    if not kind:
        raise Malformed("an SES event has an eventType or a notificationType")
    read = _READERS.get(kind)
    if read is None:
        yield Ignored(provider=NAME, because=f"SES event {kind!r} is not about an email we sent", raw=event)
        return
    for number, facts in enumerate(read(event)):
        yield _finish(event, event_id and f"{event_id}.{number}", facts)


def _finish(event: Mapping[str, Any], event_id: str | None, facts: dict[str, Any]) -> MailEvent:
    mail = mapping(event, "mail")
    headers = {str(at(h, "name")).lower(): at(h, "value") for h in items(mail.get("headers"))}
    tags = mapping(mail, "tags")
    metadata = {key: (texts(value) or [None])[0] for key, value in tags.items() if not key.startswith("ses:")}
    own_id = first_text(at(mail, "commonHeaders", "messageId"), headers.get("message-id"))
    facts.setdefault("recipient", address(next(iter(texts(mail.get("destination"))), None)))
    facts["occurred_at"] = facts.get("occurred_at") or instant(mail.get("timestamp"))
    return MailEvent(
        provider=NAME,
        message_id=text(mail.get("messageId")),
        event_id=facts.pop("feedback_id", None) or event_id,
        decision_id=decision_in({**metadata, **headers}, own_id),
        metadata=metadata,
        raw=event,
        **facts,
    )


def _of_each(event: Mapping[str, Any], kind: str, details: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One set of facts per destination; SES reports all recipients of a message at once."""
    for recipient in texts(at(event, "mail", "destination")) or [None]:
        yield {
            "event_type": kind,
            "recipient": address(recipient),
            "occurred_at": instant(details.get("timestamp")),
        }


def _send(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _of_each(event, "sent", mapping(event, "send"))


def _delivery(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "delivery")
    for recipient in texts(details.get("recipients")) or texts(at(event, "mail", "destination")) or [None]:
        yield {
            "event_type": "delivered",
            "recipient": address(recipient),
            "occurred_at": instant(details.get("timestamp")),
            "mta_response": text(details.get("smtpResponse")),
        }


def _reject(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reason = text(at(event, "reject", "reason"))
    for facts in _of_each(event, "rejected", mapping(event, "reject")):
        yield {**facts, "reject_reason": "blocked", "description": reason}


def _rendering_failure(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "failure")
    for facts in _of_each(event, "failed", details):
        yield {**facts, "description": text(details.get("errorMessage"))}


def _bounce(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "bounce")
    kind, subtype = (text(details.get(name)) or "" for name in ("bounceType", "bounceSubType"))
    for recipient in items(details.get("bouncedRecipients")) or [{}]:
        is_ours = "suppress" in subtype.lower() or "onaccount" in subtype.lower()
        yield {
            "event_type": "bounced",
            "recipient": address(at(recipient, "emailAddress")),
            "occurred_at": instant(details.get("timestamp")),
            "hardness": _HARDNESS.get(kind.lower()),
            "reject_reason": "blocked" if is_ours else "bounced",
            "description": ": ".join(filter(None, (kind, subtype))) or None,
            "mta_response": first_text(at(recipient, "diagnosticCode"), at(recipient, "status")),
            "feedback_id": _feedback_id(details, recipient),
        }


def _complaint(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "complaint")
    feedback = text(details.get("complaintFeedbackType"))
    if (feedback or "").lower() in _NOT_COMPLAINTS:
        return
    for recipient in items(details.get("complainedRecipients")) or [{}]:
        yield {
            "event_type": "complained",
            "recipient": address(at(recipient, "emailAddress")),
            "occurred_at": instant(details.get("arrivalDate"), details.get("timestamp")),
            "reject_reason": "spam",
            "description": feedback,
            "user_agent": text(details.get("userAgent")),
            "feedback_id": _feedback_id(details, recipient),
        }


def _feedback_id(details: Mapping[str, Any], recipient: Any) -> str | None:
    given = text(details.get("feedbackId"))
    return given and f"{given}.{text(at(recipient, 'emailAddress')) or ''}".lower()


def _delay(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "deliveryDelay")
    for recipient in items(details.get("delayedRecipients")) or [{}]:
        yield {
            "event_type": "deferred",
            "recipient": address(at(recipient, "emailAddress")),
            "occurred_at": instant(details.get("timestamp")),
            "hardness": "soft",
            "description": text(details.get("delayType")),
            "mta_response": first_text(at(recipient, "diagnosticCode"), at(recipient, "status")),
        }


def _open(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "open")
    for facts in _of_each(event, "opened", details):
        yield {**facts, "user_agent": text(details.get("userAgent"))}


def _click(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    details = mapping(event, "click")
    for facts in _of_each(event, "clicked", details):
        yield {**facts, "user_agent": text(details.get("userAgent")), "click_url": text(details.get("link"))}


def _subscription(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Preferences at SES; only leaving everything is an unsubscribe."""
    details = mapping(event, "subscription")
    new = mapping(details, "newTopicPreferences")
    chosen = [at(topic, "subscriptionStatus") for topic in items(new.get("topicSubscriptionStatus"))]
    has_left = new.get("unsubscribeAll") is True or (chosen and "OptIn" not in chosen)
    yield from _of_each(event, "unsubscribed" if has_left else "subscribed", details)


_READERS = {
    "send": _send,
    "delivery": _delivery,
    "reject": _reject,
    "renderingfailure": _rendering_failure,
    "bounce": _bounce,
    "complaint": _complaint,
    "deliverydelay": _delay,
    "open": _open,
    "click": _click,
    "subscription": _subscription,
}
