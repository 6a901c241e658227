"""Unisender Go: events of several users in one call, or one event alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from collector.webhooks.fields import address, at, decision_in, instant, items, mapping, text
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

NAME = "unisender_go"
# Status: what it is, why, hard or soft.
_STATUSES: dict[str, tuple[str, str | None, str | None]] = {
    "accepted": ("queued", None, None),
    "sent": ("sent", None, None),
    "delivered": ("delivered", None, None),
    "delayed": ("deferred", None, "soft"),
    "soft_bounced": ("deferred", "bounced", "soft"),
    "hard_bounced": ("bounced", "bounced", "hard"),
    "opened": ("opened", None, None),
    "clicked": ("clicked", None, None),
    "unsubscribed": ("unsubscribed", "unsubscribed", None),
    "subscribed": ("subscribed", None, None),
    "spam": ("complained", "spam", None),
}
_REJECTED = {
    "err_user_unknown": "bounced",
    "err_user_inactive": "bounced",
    "err_mailbox_full": "bounced",
    "err_mailbox_discarded": "bounced",
    "err_unsubscribed": "unsubscribed",
    "err_domain_inactive": "invalid",
}
# Statuses of a hard bounce that say nothing about the mailbox.
_NOT_THE_MAILBOX = ("err_spam_rejected", "err_too_large", "err_giveup", "err_spam_skipped")


def normalise(payload: Any, headers: Mapping[str, str]) -> Iterator[MailEvent | Ignored]:
    """A call with `events_by_user`, one event, or a list of events."""
    for event in _events(payload):
        name = text(at(event, "event_name"))
        if not name and not text(at(event, "status")):
            raise Malformed("a Unisender Go event is an object with `event_name` and `event_data`")
        if name and name != "transactional_email_status":
            because = f"Unisender Go event {name!r} is not about an email"
            yield Ignored(provider=NAME, because=because, raw=event)
            continue
        yield _one(mapping(event, "event_data") or event, event)


def _events(payload: Any) -> Iterator[Any]:
    for body in items(payload):
        by_user = at(body, "events_by_user")
        if by_user is None:
            yield body
        for user in items(by_user):
            yield from items(at(user, "events"))


def _one(data: Mapping[str, Any], event: Mapping[str, Any]) -> MailEvent | Ignored:
    status = (text(data.get("status")) or "").lower()
    if status not in _STATUSES:
        return Ignored(provider=NAME, because=f"unknown Unisender Go status {status!r}", raw=event)
    kind, why, hardness = _STATUSES[status]
    info = mapping(data, "delivery_info")
    detail = text(info.get("delivery_status"))
    metadata = dict(mapping(data, "metadata"))
    return MailEvent(
        provider=NAME,
        event_type=kind,
        recipient=address(data.get("email")),
        occurred_at=instant(data.get("event_time")),
        message_id=text(data.get("job_id")),
        event_id=None,
        decision_id=decision_in(metadata),
        hardness="soft" if hardness == "hard" and detail in _NOT_THE_MAILBOX else hardness,
        reject_reason=_REJECTED.get(detail or "", why),
        description=text(data.get("comment")) or detail,
        mta_response=text(info.get("destination_response")),
        click_url=text(data.get("url")),
        user_agent=text(info.get("user_agent")),
        metadata=metadata,
        raw=event,
    )
