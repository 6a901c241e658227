"""What a server writes for people, and what only looks like it: automatic replies, letters."""

import re
from collections.abc import Iterator

from collector.bounces.mail import Returned
from collector.bounces.meaning import read_reply, reply_in
from collector.bounces.verdict import SAYS_LITTLE, Bounce, after_data, judged, understand
from collector.bounces.whom import ANY_ADDRESS, DAEMON, about, plain_address, recipients, sender

_SERVER = re.compile(r"^(?:mailer-daemon|post[_-]?master|mail-?daemon|mailer|bounces?)@", re.I)
_ANSWER = re.compile(r"(?:re|aw|sv|antw|fwd?|wg)\s*:", re.I)
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
_DELAYED = re.compile(
    r"(?:delivery|message|mail)[^.\n]{0,40}(?:delayed|not yet|still)|will (?:continue|keep|be) (?:to )?(?:try|retr|attempt)"
    r"|warning: (?:message|could not)|no action is required|do not need to resend|temporar\w+ (?:undeliver|delay)|has not yet been delivered",
    re.I,
)


def is_automatic_reply(mail: Returned) -> bool:
    if mail.original or DAEMON.match(plain_address(mail.headers.get("from")) or ""):
        return False
    if _says_bounce(mail) and not _AWAY_SUBJECT.search(mail.headers.get("subject", "")):
        return False
    return bool(
        _AUTOMATIC.match(mail.headers.get("auto-submitted", ""))
        or {"x-autoreply", "x-autorespond", "x-autoresponse"} & mail.headers.keys()
        or "auto_reply" in mail.headers.get("precedence", "").lower()
        or _AWAY_SUBJECT.search(mail.headers.get("subject", ""))
    )


def looks_like_bounce(mail: Returned) -> bool:
    sender = plain_address(mail.headers.get("from")) or ""
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
    is_known = is_known or (bool(mail.original) and read_reply(mail.notice).reason not in SAYS_LITTLE)
    return is_known and bool(ANY_ADDRESS.search(mail.notice))


def _says_bounce(mail: Returned) -> bool:
    return bool(_BOUNCE_SUBJECT.search(mail.headers.get("subject", ""))) and bool(
        ANY_ADDRESS.search(mail.notice)
    )


def from_text(mail: Returned) -> Iterator[Bounce]:
    if _AWAY_SUBJECT.search(mail.headers.get("subject", "")) and not mail.original:
        yield Bounce(recipient=sender(mail), kind="none", reason="automatic_reply")
        return
    subject = mail.headers.get("subject", "")
    named = recipients(mail)
    for recipient in named or [None]:
        notice = mail.notice if len(named) < 2 else about(recipient, mail.notice)
        # The subject alone rarely says why, but sometimes it is all there is.
        quoted = reply_in(notice)
        reply = after_data(understand(quoted, notice, None), quoted, notice)
        if reply.reason == "undefined":
            reply = read_reply(f"{subject}\n{notice}")
        has_failed = (reply.status or reply.code or "")[:1] == "5"
        is_delayed = bool(_DELAYED.search(f"{subject}\n{notice}")) and not has_failed
        yield judged(reply, recipient, None, notice, is_delayed)
