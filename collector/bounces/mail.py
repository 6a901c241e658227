"""A mail that came back, taken apart: what the server says, its machine-readable report, and what it returns."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

_LARGEST = 512 * 1024  # of a mail that are read; what a server says stands at the beginning
_LONGEST_NOTICE = 64 * 1024  # characters for people
_HIDDEN = re.compile(r"<(style|script|title)\b", re.I)
_TAG = re.compile(r"<(?![\w.+=-]{1,64}@)[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d)[^<>]*>", re.I)

# Where the returned message begins in a plain body.
_RETURNED = re.compile(
    r"^(?:[ \t>]*[-=*_+#~]{2,}+[^\n]{0,120}?\b(?:original|returned|unsent|undelivered|copy of|below this line"
    r"|message (?:header|follows|text|body)|header|message/rfc822|message was)\b[^\n]*"
    r"|[ \t]*(?:(?:the )?(?:original|returned|unsent|undelivered|bounced|failed) (?:message|mail|e-?mail)\b[^\n]{0,40}"
    r"(?:follows|headers?\b|below|:[ \t]*$)|original message|(?:message|received) headers?:?|your (?:original )?message (?:reads|follows)|"
    r"(?:this is|below is|here is) a copy of)[^\n]*"
    r"|(?:Received|Return-Path|DKIM-Signature|X-Received):[ \t][^\n]+"
    r")$",
    re.I | re.M,
)
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)$")


@dataclass
class Returned:
    """The parts of one mail. Field names are in small letters."""

    headers: dict[str, str]
    content_type: str
    notice: str = ""  # what the server says to people
    reports: list[list[dict[str, str]]] = field(default_factory=list)  # per delivery report: blocks of fields
    feedback: dict[str, str] = field(default_factory=dict)  # of an abuse report
    original: dict[str, str] = field(default_factory=dict)  # headers of the message that came back


def take_apart(raw: bytes) -> Returned:
    """The parts of a mail. Never raises: a broken one has fewer parts."""
    message = message_from_bytes(_without_envelope_line(raw[:_LARGEST]))
    found = Returned(
        {name.lower(): decoded(value) for name, value in reversed(_headers(message))}, _type(message)
    )
    texts: list[str] = []
    for part in _leaves(message):
        _sort_in(part, found, texts)
    notice = "\n".join(texts)[:_LONGEST_NOTICE]
    cut = _RETURNED.search(notice)
    # A returned message may also stand above, where the server writes at the end.
    if cut and notice[: cut.start()].strip():
        found.notice = notice[: cut.start()]
        found.original = found.original or fields_of(_from_first_field(notice[cut.end() :], cut[0]))
    else:
        found.notice = notice
    return found


def _headers(message: Message) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in message.items()]


def _type(message: Message) -> str:
    try:
        return message.get_content_type()
    except Exception:  # a header that the library cannot read is as good as none
        return "text/plain"


def _leaves(message: Message, depth: int = 0) -> Iterator[Message]:
    """Parts in order; a returned message counts as one part."""
    kind = _type(message)
    if message.is_multipart() and not kind.startswith("message/") and depth < 10:
        for part in message.get_payload():
            yield from _leaves(part, depth + 1)
    else:
        yield message


def _sort_in(part: Message, found: Returned, texts: list[str]) -> None:
    kind = _type(part)
    if kind in ("message/delivery-status", "message/global-delivery-status"):
        found.reports.append(_blocks(part))
    elif kind == "message/feedback-report":
        found.feedback = {k: v for group in _blocks(part) for k, v in group.items()}
    elif kind in (
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "message/global-headers",
        "message/partial",
    ):
        found.original = found.original or _headers_inside(part)
    elif kind == "text/html":
        if not "".join(texts).strip():
            texts.append(plain(_text(part)))
    elif kind.startswith(("text/", "multipart/")) or kind == "message/disposition-notification":
        _text_part(_text(part), found, texts)


def _text_part(text: str, found: Returned, texts: list[str]) -> None:
    """Some servers send the report as plain text, or a part of headers without saying so."""
    if re.search(r"^final-recipient:", text, re.I | re.M) and re.search(
        r"^(?:action|status):", text, re.I | re.M
    ):
        found.reports.append(field_groups(text))
    if texts and re.match(r"\s*(?:Received|Return-Path|From|Date|Message-ID):", text):
        found.original = found.original or fields_of(text.lstrip())
    else:
        texts.append(plain(text) if "<html" in text[:2000].lower() else text)


def _blocks(part: Message) -> list[dict[str, str]]:
    """Groups of fields, one per recipient; the library's own parser gives up on those that are encoded."""
    payload = part.get_payload()
    if isinstance(payload, list) and any(block.items() for block in payload):
        text = "\n\n".join(block.as_bytes().decode("utf-8", "replace") for block in payload)
    else:
        text = _text(part)
    return field_groups(text)


def field_groups(text: str) -> list[dict[str, str]]:
    """Groups are divided by an empty line; where a server forgot it, the next recipient begins the next."""
    found: list[dict[str, str]] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        first, *others = re.split(r"^(?=final-recipient:)", block, flags=re.I | re.M)
        pieces = [first, *others] if len(others) > 1 else [block]
        found += [fields for fields in map(fields_of, pieces) if fields]
    return _with_headless(found)


_OF_RECIPIENT = {"original-recipient", "action", "status", "diagnostic-code"}


def _with_headless(groups: list[dict[str, str]]) -> list[dict[str, str]]:
    """Fields of a recipient that stand apart from its `Final-Recipient` belong to it."""
    found: list[dict[str, str]] = []
    for fields in groups:
        before = found[-1] if found else {}
        has_name = "final-recipient" in before or "final-recipient" in fields
        is_one = not (before.keys() & fields.keys()) and before.keys() & (_OF_RECIPIENT | {"final-recipient"})
        if has_name and is_one and fields.keys() & (_OF_RECIPIENT | {"final-recipient"}):
            found[-1] = before | fields
        else:
            found.append(fields)
    return found


def _headers_inside(part: Message) -> dict[str, str]:
    payload = part.get_payload()
    if isinstance(payload, list) and payload:
        inside = {name.lower(): decoded(value) for name, value in reversed(_headers(payload[0]))}
        return inside or fields_of(str(payload[0].get_payload()).lstrip())
    return fields_of(_text(part).lstrip())


def _text(part: Message) -> str:
    """A part as text, by its charset if that is known."""
    try:
        raw = part.get_payload(decode=True)
    except Exception:  # whatever its transfer encoding claims
        raw = None
    if raw is None:
        payload = part.get_payload()
        if isinstance(payload, list):
            return "\n".join(inner.as_string() for inner in payload)
        raw = str(payload).encode("utf-8", "surrogateescape")
    try:
        charset = part.get_content_charset() or "utf-8"
        return raw.decode(charset, "replace").replace("\r\n", "\n")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def plain(text: str) -> str:
    """HTML as text, line by line; addresses in angle brackets stay."""
    shown = _shown(text)
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", shown))).replace("\xa0", " ")


def _shown(text: str) -> str:
    """Without styles and scripts; one that never ends hides the rest."""
    parts, begin, lower = [], 0, text.lower()
    while found := _HIDDEN.search(text, begin):
        parts.append(text[begin : found.start()])
        end = lower.find(f"</{found[1].lower()}", found.end())
        if end < 0:
            return "".join(parts)
        begin = end
    return "".join([*parts, text[begin:]])


def fields_of(text: str) -> dict[str, str]:
    """Header fields until the first empty line, the first of a name counts; indented blocks too."""
    found: dict[str, str] = {}
    name = ""
    for line in text.lstrip("\n").split("\n"):
        if not line.strip():
            if found:
                break
            continue
        match = _FIELD.match(line)
        if match:
            name = match[1].lower()
            found.setdefault(name, match[2].strip())
        elif line[0] in " \t" and name:
            found[name] += " " + line.strip()
    return found


def _from_first_field(rest: str, first_line: str) -> str:
    return first_line + rest if _FIELD.match(first_line) else rest


def decoded(value: str) -> str:
    """A header as people read it."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, UnicodeError):
        return value


def _without_envelope_line(raw: bytes) -> bytes:
    """mbox files put `From MAILER-DAEMON …` in front."""
    return raw.partition(b"\n")[2] if raw.startswith(b"From ") else raw.lstrip(b"\r\n")
