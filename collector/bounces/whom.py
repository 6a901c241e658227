"""Whom a mail that came back is about: never the one who is to be contacted, nor ourselves."""

import re
from itertools import islice

from collector.bounces.mail import Returned

_ADDRESS = (
    r"[A-Za-z0-9!#$%&*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,127}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
)
ANY_ADDRESS = re.compile(_ADDRESS)
DAEMON = re.compile(r"^(?:mailer-daemon|post[_-]?master|mail-?daemon|mailer|root|no-?reply|bounces?)@", re.I)
# VERP: `bounces+ann=example.com@ours`, `b+ann=example.com@ours`.
_VERP = re.compile(r"[+-]([A-Za-z0-9._+-]+)=([A-Za-z0-9.-]+\.[A-Za-z]{2,})@")
_NAMING = re.compile(
    r"(?:\b(?:to|for|recipients?|address(?:es)?|user|rcpt|account|mailbox|deliver(?:ed)?|following)|rfc822;)\W*$",
    re.I,
)
_LOOK_BACK = 200  # characters
_MOST_ADDRESSES = 500  # of a mail; a list of more is no bounce of one of our emails
_SOMEBODY_ELSE = re.compile(r"(?:contact|mail to|write to|generated from|administrator|visit)\W*$", re.I)


def recipients(mail: Returned) -> list[str]:
    """Whom the text is about: named in a header, in a place of their own in the text, or as the returned message was addressed."""
    failed = ANY_ADDRESS.findall(mail.headers.get("x-failed-recipients", ""))
    if failed:
        return unique(failed)
    ours = {
        (plain_address(mail.headers.get(name)) or "").lower()
        for name in ("to", "from", "x-original-to", "delivered-to")
    }
    mentioned = list(islice(ANY_ADDRESS.finditer(mail.notice), _MOST_ADDRESSES))
    others = {match[0].lower().rstrip(".") for match in mentioned if _is_somebody_else(mail.notice, match)}
    named = [
        match[0].rstrip(".")
        for match in mentioned
        if match[0].lower().rstrip(".") not in ours | others
        and not DAEMON.match(match[0])
        and _stands_out(mail.notice, match)
    ]
    addressed = _addressed(mail)
    return unique(named) or list(filter(None, [verp_of(mail)])) or addressed or _mentioned(mail)


def _mentioned(mail: Returned) -> list[str]:
    """Nobody but ourselves is named: whoever writes to themselves gets their own mail back."""
    return unique(
        [found for found in ANY_ADDRESS.findall(mail.notice[: 1 << 14]) if not DAEMON.match(found)]
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


def about(recipient: str | None, notice: str) -> str:
    """The lines about one of several recipients: from where they are named until another address is."""
    if not recipient:
        return notice
    starts = [m.start() for m in re.finditer(re.escape(recipient), notice, re.I)]
    if not starts:
        return notice
    others = [
        m.start() for m in ANY_ADDRESS.finditer(notice) if m[0].lower().rstrip(".") != recipient.lower()
    ]
    parts = []
    for start in starts:
        begin = notice.rfind("\n", 0, start) + 1
        if re.match(r"[ \t]*[45]\d\d[ -]", notice[begin:start]):
            parts.append(notice[begin:].partition("\n")[0])  # a line of a transcript speaks for itself
            continue
        parts.append(notice[begin : min((other for other in others if other > start), default=len(notice))])
    return "\n".join(parts)


def _addressed(mail: Returned) -> list[str]:
    return unique(ANY_ADDRESS.findall(mail.original.get("to", "")))


def original_recipient(mail: Returned) -> str | None:
    named = (mail.original.get(name) for name in ("x-original-to", "delivered-to", "to"))
    return next(filter(None, map(plain_address, named)), None)


def plain_address(value: str | None) -> str | None:
    """The last address of `rfc822; <ann@example.com>`, or of a source route."""
    found = ANY_ADDRESS.findall((value or "").replace("rfc822;", " ").replace("RFC822;", " "))
    return found[-1] if found else None


def sender(mail: Returned) -> str | None:
    """An automatic reply comes from whom we wrote to."""
    return plain_address(mail.headers.get("from"))


def verp(value: str | None) -> str | None:
    found = _VERP.search(value or "")
    return f"{found[1]}@{found[2]}" if found else None


def verp_of(mail: Returned) -> str | None:
    return next(
        filter(None, (verp(mail.headers.get(name)) for name in ("x-original-to", "delivered-to", "to"))),
        None,
    )


def unique(addresses: list[str]) -> list[str]:
    return list({address.lower(): address.rstrip(".") for address in reversed(addresses)}.values())[::-1]
