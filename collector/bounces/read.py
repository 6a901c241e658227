"""What a mail that came back says: who, hard or soft, why.

Order of trust: an abuse report, a delivery report (RFC 3464), then the text that a server writes for people.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from collector.bounces.mail import Returned, take_apart
from collector.bounces.meaning import (
    Reply,
    is_after_data,
    is_unequivocal,
    names_address,
    read_reply,
    reply_in,
    status_in,
)
from collector.webhooks.fields import decision_in
from collector.webhooks.providers import amazon_ses
from collector.webhooks.vocabulary import MailEvent

Kind = Literal["hard", "soft", "complaint", "none"]
_WEIGHT: tuple[Kind, ...] = ("complaint", "hard", "soft", "none")

_ADDRESS = (
    r"[A-Za-z0-9!#$%&*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,127}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
)
_ANY_ADDRESS = re.compile(_ADDRESS)
_DAEMON = re.compile(r"^(?:mailer-daemon|post[_-]?master|mail-?daemon|mailer|root|no-?reply|bounces?)@", re.I)
_SERVER = re.compile(r"^(?:mailer-daemon|post[_-]?master|mail-?daemon|mailer|bounces?)@", re.I)
_ANSWER = re.compile(r"(?:re|aw|sv|antw|fwd?|wg)\s*:", re.I)
# VERP: `bounces+ann=example.com@ours`, `b+ann=example.com@ours`.
_VERP = re.compile(r"[+-]([A-Za-z0-9._+-]+)=([A-Za-z0-9.-]+\.[A-Za-z]{2,})@")
_NOT_A_COMPLAINT = ("not-spam", "auth-failure")  # a complaint taken back, and a report about DMARC
_DELIVERED = ("delivered", "relayed", "expanded")
_NAMING = re.compile(
    r"(?:\b(?:to|for|recipients?|address(?:es)?|user|rcpt|account|mailbox|deliver(?:ed)?|following)|rfc822;)\W*$",
    re.I,
)

_LOOK_BACK = 200  # characters
_MOST_ADDRESSES = 500  # of a mail; a list of more is no bounce of one of our emails

# In front of an address that is not the one the mail was for.
_SOMEBODY_ELSE = re.compile(r"(?:contact|mail to|write to|generated from|administrator|visit)\W*$", re.I)

_AUTOMATIC = re.compile(r"^auto-(?:replied|generated)", re.I)
_AWAY_SUBJECT = re.compile(
    r"out of (?:the )?office|auto(?:matic|mated)?[- ]?(?:reply|response|respond|antwort)|vacation|away from|abwesen"
    r"|on holiday|absence|r[eé]ponse automatique|respuesta autom|risposta automatica|autoreply|autosvar|automatisch"
    r"|^away\b|^re:.{0,60}(?:absent|i am away|not in the office)|不在|自動(?:返信|応答)",
    re.I,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|failure|fail(?:ed|ing)?\b|returned|bounce|delivery (?:status|report|problem|notification|error)|not (?:be )?deliver"
    r"|could not|cannot|can't|error|rejected|refused|delayed|warning|non[- ]?delivery|mail system|unknown user|unzustellbar|zur[uü]ckgewiesen",
    re.I,
)
# Feedback loops that predate RFC 5965.
_COMPLAINT_SUBJECT = re.compile(
    r"^(?:complaint about message from|e-?mail feedback report for ip|abuse report|\[?fbl\]?\b)", re.I
)
_COMPLAINT_TEXT = re.compile(r"this is an? (?:e-?mail )?(?:abuse|spam) report for an? e-?mail", re.I)
_DELAYED = re.compile(
    r"(?:delivery|message|mail)[^.\n]{0,40}(?:delayed|not yet|still)|will (?:continue|keep|be) (?:to )?(?:try|retr|attempt)"
    r"|warning: (?:message|could not)|no action is required|do not need to resend|temporar\w+ (?:undeliver|delay)|has not yet been delivered",
    re.I,
)


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """What one mail says about one recipient."""

    recipient: str | None
    kind: Kind
    status: str | None = None  # enhanced code
    reply: str | None = None  # SMTP reply code
    reason: str = "undefined"
    action: str | None = None  # failed, delayed, delivered, … of a delivery report
    diagnostic: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one mail says."""

    bounces: tuple[Bounce, ...]  # never empty; kind `none` for a mail that is no bounce
    mail_id: str | None = None  # Message-ID of the mail that came back
    message_id: str | None = None  # of ours that it is about
    decision_id: str | None = None
    returned_to: str | None = None  # the address it came back to
    verp: str | None = None  # the address it came back to, where that names the recipient

    @property
    def worst(self) -> Bounce:
        """The one to be counted if only one can be."""
        return min(self.bounces, key=lambda bounce: _WEIGHT.index(bounce.kind))


def read_mail(raw: bytes) -> Reading:
    """What a mail says. Never raises: what cannot be read is of kind `none`."""
    mail = take_apart(raw)
    bounces = tuple(_bounces(mail)) or (Bounce(recipient=None, kind="none", reason="no_bounce"),)
    own_id = mail.original.get("message-id") or _first_word(mail.headers.get("in-reply-to"))
    returned_to = (
        mail.headers.get("x-original-to") or mail.headers.get("delivered-to") or mail.headers.get("to")
    )
    return Reading(
        bounces=bounces,
        mail_id=_first_word(mail.headers.get("message-id")),
        message_id=own_id,
        decision_id=_decision(mail, own_id, returned_to),
        returned_to=returned_to,
        verp=_verp(returned_to),
    )


def _bounces(mail: Returned) -> Iterator[Bounce]:
    if mail.feedback:
        yield _complaint(mail)
        return
    if _COMPLAINT_SUBJECT.search(mail.headers.get("subject", "")) or _COMPLAINT_TEXT.search(mail.notice):
        yield _complaint(mail)
        return
    if reported := list(_from_ses(mail)):
        yield from reported
        return
    found = list(_from_reports(mail))
    if found:
        yield from found
    elif _is_automatic_reply(mail):
        yield Bounce(recipient=_sender(mail), kind="none", reason="automatic_reply")
    elif _looks_like_bounce(mail):
        yield from _from_text(mail)


# An abuse report.


def _complaint(mail: Returned) -> Bounce:
    kind = mail.feedback.get("feedback-type", "abuse").strip().lower()
    named = tuple(mail.feedback.get(name) for name in ("original-rcpt-to", "removal-recipient"))
    named = (
        *named,
        mail.headers.get("x-hmxmroriginalrecipient"),
        mail.original.get("x-hmxmroriginalrecipient"),
    )
    recipient = next(filter(None, map(_plain_address, named)), None) or _original_recipient(mail)
    if kind in _NOT_A_COMPLAINT:
        return Bounce(recipient=recipient, kind="none", reason=kind.replace("-", "_"))
    return Bounce(recipient=recipient, kind="complaint", reason="complaint", diagnostic=kind)


def _from_ses(mail: Returned) -> Iterator[Bounce]:
    """SES can mail its notifications as JSON."""
    start = mail.notice.find('{"notificationType"')
    if start < 0:
        return
    try:
        event = json.JSONDecoder(strict=False).raw_decode(mail.notice[start:])[0]
    except (ValueError, RecursionError):
        return
    for found in amazon_ses.normalise(event, {}):
        if isinstance(found, MailEvent):
            yield _of_event(found)


def _of_event(event: MailEvent) -> Bounce:
    if event.event_type == "complained":
        return Bounce(
            recipient=event.recipient, kind="complaint", reason="complaint", diagnostic=event.description
        )
    if event.event_type not in ("bounced", "deferred"):
        return Bounce(recipient=event.recipient, kind="none", reason=event.event_type)
    reply = read_reply(event.mta_response or event.description or "")
    return _judged(
        reply, event.recipient, None, event.mta_response or "", is_delayed=event.event_type == "deferred"
    )


# A delivery report.


def _from_reports(mail: Returned) -> Iterator[Bounce]:
    blocks = [block for report in mail.reports for block in report if _is_about_recipient(block)]
    seen: set[str] = set()
    for block in blocks:
        bounce = _of_block(block, mail, is_alone=len(blocks) == 1)
        if (bounce.recipient or "").lower() not in seen or bounce.recipient is None:
            seen.add((bounce.recipient or "").lower())
            yield bounce


def _is_about_recipient(block: Mapping[str, str]) -> bool:
    return any(
        name in block for name in ("final-recipient", "original-recipient", "action", "diagnostic-code")
    )


def _of_block(block: Mapping[str, str], mail: Returned, is_alone: bool) -> Bounce:
    action = _first_word(block.get("action"), lower=True)
    given = _status(block.get("status"))
    diagnostic = _without_type(block.get("diagnostic-code") or "")
    if category := block.get(
        "x-powermta-bouncecategory"
    ):  # `bad-mailbox`: PowerMTA's own word, after the server's
        diagnostic += "\n" + category.replace("-", " ")
    recipient = _recipient_of(block, mail)
    if action in _DELIVERED or (given and given[0] == "2" and action != "failed"):
        return Bounce(recipient=recipient, kind="none", status=given, reason="delivered", action=action)
    notice = mail.notice if is_alone else _about(recipient, mail.notice)
    reply = _after_data(_understand(diagnostic, notice, given), diagnostic, notice)
    return _judged(reply, recipient, action, diagnostic or _short(notice), is_delayed=action == "delayed")


def _understand(diagnostic: str, notice: str, status: str | None) -> Reply:
    """The server's own words first; what is written for people only where they say nothing."""
    own = read_reply(diagnostic, status)
    if own.reason not in _SAYS_LITTLE:
        return own
    told = read_reply(notice, own.status, own.code)
    return told if told.reason not in _SAYS_LITTLE or own.reason == "undefined" else own


def _after_data(reply: Reply, diagnostic: str, notice: str) -> Reply:
    """Where the report leaves out what the text tells: that the mailbox was refused only after DATA."""
    is_about_address = (
        names_address(reply.status) or status_in(diagnostic) is not None or is_unequivocal(diagnostic)
    )
    if reply.reason != "mailbox_unknown" or is_about_address or not is_after_data(notice):
        return reply
    return replace(reply, reason="filtered")


_SAYS_LITTLE = ("undefined", "policy", "system", "expired", "network")


def _recipient_of(block: Mapping[str, str], mail: Returned) -> str | None:
    """The address we wrote to is the original one; a relay may have rewritten it."""
    named = (block.get("original-recipient"), block.get("final-recipient"), block.get("x-actual-recipient"))
    return next(filter(None, map(_plain_address, named)), None) or _verp_of(mail) or _original_recipient(mail)


def _judged(
    reply: Reply, recipient: str | None, action: str | None, diagnostic: str, is_delayed: bool
) -> Bounce:
    """Whoever still tries has not failed."""
    return Bounce(
        recipient=recipient,
        kind="hard" if reply.is_hard and not is_delayed else "soft",
        status=reply.status,
        reply=reply.code,
        reason=reply.reason,
        action=action or ("delayed" if is_delayed else "failed"),
        diagnostic=_short(diagnostic) or None,
    )


# Text for people.


def _is_automatic_reply(mail: Returned) -> bool:
    if mail.original or _DAEMON.match(_plain_address(mail.headers.get("from")) or ""):
        return False
    if _says_bounce(mail) and not _AWAY_SUBJECT.search(mail.headers.get("subject", "")):
        return False
    return bool(
        _AUTOMATIC.match(mail.headers.get("auto-submitted", ""))
        or {"x-autoreply", "x-autorespond", "x-autoresponse"} & mail.headers.keys()
        or "auto_reply" in mail.headers.get("precedence", "").lower()
        or _AWAY_SUBJECT.search(mail.headers.get("subject", ""))
    )


def _looks_like_bounce(mail: Returned) -> bool:
    sender = _plain_address(mail.headers.get("from")) or ""
    return bool(
        _SERVER.match(sender)
        or mail.headers.get("return-path", "").strip() == "<>"
        or mail.content_type == "multipart/report"
        or "x-failed-recipients" in mail.headers
        or re.search(
            r"mail(?:er)?[- ]?(?:delivery|daemon|system|administrator)|postmaster",
            mail.headers.get("from", ""),
            re.I,
        )
        or (
            not _ANSWER.match(mail.headers.get("subject", ""))
            and (_says_bounce(mail) or _quotes_refusal(mail))
        )
    )


def _quotes_refusal(mail: Returned) -> bool:
    """A reply of a mail server, or words beside the returned message, whose meaning is known; and an address."""
    is_known = read_reply(reply_in(mail.notice)).reason != "undefined"
    is_known = is_known or (bool(mail.original) and read_reply(mail.notice).reason not in _SAYS_LITTLE)
    return is_known and bool(_ANY_ADDRESS.search(mail.notice))


def _says_bounce(mail: Returned) -> bool:
    return bool(_BOUNCE_SUBJECT.search(mail.headers.get("subject", ""))) and bool(
        _ANY_ADDRESS.search(mail.notice)
    )


def _from_text(mail: Returned) -> Iterator[Bounce]:
    if _AWAY_SUBJECT.search(mail.headers.get("subject", "")) and not mail.original:
        yield Bounce(recipient=_sender(mail), kind="none", reason="automatic_reply")
        return
    subject = mail.headers.get("subject", "")
    recipients = _recipients(mail)
    for recipient in recipients or [None]:
        notice = mail.notice if len(recipients) < 2 else _about(recipient, mail.notice)
        # The subject alone rarely says why, but sometimes it is all there is.
        quoted = reply_in(notice)
        reply = _after_data(_understand(quoted, notice, None), quoted, notice)
        if reply.reason == "undefined":
            reply = read_reply(f"{subject}\n{notice}")
        has_failed = (reply.status or reply.code or "")[:1] == "5"
        is_delayed = bool(_DELAYED.search(f"{subject}\n{notice}")) and not has_failed
        yield _judged(reply, recipient, None, notice, is_delayed)


def _recipients(mail: Returned) -> list[str]:
    """Whom the text is about: named in a header, in a place of their own in the text, or as the returned message was addressed."""
    failed = _ANY_ADDRESS.findall(mail.headers.get("x-failed-recipients", ""))
    if failed:
        return _unique(failed)
    ours = {
        (_plain_address(mail.headers.get(name)) or "").lower()
        for name in ("to", "from", "x-original-to", "delivered-to")
    }
    mentioned = list(islice(_ANY_ADDRESS.finditer(mail.notice), _MOST_ADDRESSES))
    others = {match[0].lower().rstrip(".") for match in mentioned if _is_somebody_else(mail.notice, match)}
    named = [
        match[0].rstrip(".")
        for match in mentioned
        if match[0].lower().rstrip(".") not in ours | others
        and not _DAEMON.match(match[0])
        and _stands_out(mail.notice, match)
    ]
    addressed = _addressed(mail)
    return _unique(named) or list(filter(None, [_verp_of(mail)])) or addressed or _mentioned(mail)


def _mentioned(mail: Returned) -> list[str]:
    """Nobody but ourselves is named: whoever writes to themselves gets their own mail back."""
    return _unique(
        [found for found in _ANY_ADDRESS.findall(mail.notice[: 1 << 14]) if not _DAEMON.match(found)]
    )[:1]


def _stands_out(notice: str, match: re.Match[str]) -> bool:
    """First in its line, or after a word such as `for`; not a Message-ID and not somewhere in a sentence."""
    line = notice[notice.rfind("\n", 0, match.start()) + 1 : match.start()][-_LOOK_BACK:]
    if re.search(r"message-?id|references|reply-to|^[> \t]*(?:from|sender|to|cc):", line, re.I):
        return False
    if re.match(r"[ \t]*[45]\d\d[ -]", line):
        return True
    return (
        not line.strip(" \t<>\"'(*-:;[]=")
        or bool(_NAMING.search(line))
        or line.rstrip().endswith(("<", ":", ";"))
    )


def _is_somebody_else(notice: str, match: re.Match[str]) -> bool:
    """To be contacted, or where a mailing list came from."""
    return bool(_SOMEBODY_ELSE.search(notice[: match.start()][-60:]))


def _about(recipient: str | None, notice: str) -> str:
    """The lines about one of several recipients: from where they are named until another address is."""
    if not recipient:
        return notice
    starts = [m.start() for m in re.finditer(re.escape(recipient), notice, re.I)]
    if not starts:
        return notice
    others = [
        m.start() for m in _ANY_ADDRESS.finditer(notice) if m[0].lower().rstrip(".") != recipient.lower()
    ]
    parts = []
    for start in starts:
        begin = notice.rfind("\n", 0, start) + 1
        if re.match(r"[ \t]*[45]\d\d[ -]", notice[begin:start]):
            parts.append(notice[begin:].partition("\n")[0])  # a line of a transcript speaks for itself
            continue
        parts.append(notice[begin : min((other for other in others if other > start), default=len(notice))])
    return "\n".join(parts)


# Addresses.


def _addressed(mail: Returned) -> list[str]:
    return _unique(_ANY_ADDRESS.findall(mail.original.get("to", "")))


def _original_recipient(mail: Returned) -> str | None:
    named = (mail.original.get(name) for name in ("x-original-to", "delivered-to", "to"))
    return next(filter(None, map(_plain_address, named)), None)


def _plain_address(value: str | None) -> str | None:
    """The last address of `rfc822; <ann@example.com>`, or of a source route."""
    found = _ANY_ADDRESS.findall((value or "").replace("rfc822;", " ").replace("RFC822;", " "))
    return found[-1] if found else None


def _sender(mail: Returned) -> str | None:
    """An automatic reply comes from whom we wrote to."""
    return _plain_address(mail.headers.get("from"))


def _verp(value: str | None) -> str | None:
    found = _VERP.search(value or "")
    return f"{found[1]}@{found[2]}" if found else None


def _verp_of(mail: Returned) -> str | None:
    return next(
        filter(None, (_verp(mail.headers.get(name)) for name in ("x-original-to", "delivered-to", "to"))),
        None,
    )


def _decision(mail: Returned, own_id: str | None, returned_to: str | None) -> str | None:
    """From our Message-ID, or from the address it came back to, which we signed the same way."""
    tokens = re.findall(r"\+([A-Za-z0-9_.-]+\.[0-9a-f]{16})@", returned_to or "")
    return decision_in({}, own_id, *(f"<{token}@verp>" for token in tokens))


def _unique(addresses: list[str]) -> list[str]:
    return list({address.lower(): address.rstrip(".") for address in reversed(addresses)}.values())[::-1]


# Small things.


def _first_word(value: str | None, lower: bool = False) -> str | None:
    words = (value or "").split()
    return (words[0].lower() if lower else words[0]) if words else None


def _status(value: str | None) -> str | None:
    found = re.search(r"[245]\.\d{1,3}\.\d{1,3}", value or "")
    return found[0] if found else None


def _without_type(diagnostic: str) -> str:
    return re.sub(r"^\s*[A-Za-z0-9-]+\s*;\s*", "", diagnostic)


def _short(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()[:500]
