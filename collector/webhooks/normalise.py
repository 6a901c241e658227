"""From a provider's payload to events of the one vocabulary."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from collector.bounces.meaning import read_reply
from collector.webhooks.providers import (
    amazon_ses,
    bounce_mail,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mandrill,
    postal,
    postmark,
    resend,
    sendgrid,
    sparkpost,
    unisender_go,
)
from collector.webhooks.vocabulary import Ignored, MailEvent, Malformed

_MODULES = (
    bounce_mail,
    *(amazon_ses, brevo, mailersend, mailgun, mailjet, mandrill),
    *(postal, postmark, resend, sendgrid, sparkpost, unisender_go),
)
PROVIDERS = {module.NAME: module for module in _MODULES}
_REPLY_SPEAKS = ("bounced", "deferred", "failed")


class UnknownProvider(ValueError):
    """Nobody taught us this provider's dialect."""


def provider_named(name: str) -> str:
    """The name as we spell it: `ses`, `Amazon-SES` and `amazon_ses` are one. Raises `UnknownProvider`."""
    word = name.lower().replace("-", "_")
    word = {"ses": "amazon_ses", "sns": "amazon_ses", "sendinblue": "brevo", "unisender": "unisender_go"}.get(
        word, word
    )
    if word not in PROVIDERS:
        raise UnknownProvider(f"no provider {name!r}: there are {', '.join(sorted(PROVIDERS))}")
    return word


def normalise(
    provider: str, payload: Any, headers: Mapping[str, str] | None = None
) -> Iterator[MailEvent | Ignored]:
    """Every event of a payload, in its order. Raises `Malformed`, `UnknownProvider`.

    `headers`: of the call, by small letters; some providers put the event's id there.
    """
    if not isinstance(payload, Mapping | list):
        raise Malformed("a payload is a JSON object or a list of objects")
    for found in PROVIDERS[provider_named(provider)].normalise(payload, headers or {}):
        yield _complete(found) if isinstance(found, MailEvent) else found


def _complete(event: MailEvent) -> MailEvent:
    """What every provider leaves to be found out the same way: hard or soft, why, an id of its own."""
    if event.event_type in _REPLY_SPEAKS and event.provider != bounce_mail.NAME:  # read in full already
        event = _with_reply(event)
    return event if event.event_id else replace(event, event_id=_derived_id(event))


def _with_reply(event: MailEvent) -> MailEvent:
    """A provider's "hard" stands unless the mail server's own words say that the mailbox exists."""
    said = event.mta_response or event.description
    reply = read_reply(said) if said else None
    if reply is None:
        return event
    hardness = event.hardness
    if hardness is None and event.event_type != "deferred":
        hardness = "hard" if reply.is_hard else "soft"
    elif hardness == "hard" and not reply.is_hard and reply.reason != "undefined":
        hardness = "soft"
    return replace(event, hardness=hardness, reason=event.reason or reply.reason)


def _derived_id(event: MailEvent) -> str:
    """The same in every repetition of one event: from all that it says."""
    said = json.dumps(event.raw, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    return f"{event.provider}-{hashlib.sha256(said).hexdigest()[:32]}"
