"""Builds messages fast without trusting their values.

`EmailMessage` takes over a millisecond per message, nearly all of it in parsing and folding headers.
So the standard library builds the frame once, with placeholders, and each message fills it with
values that were checked or encoded here. A value that does not fit is refused; only that message fails.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from functools import lru_cache

from senders.addresses import is_deliverable

# Controls, line and paragraph separators, lone surrogates, and the marks that reverse reading direction.
_BAD = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_WORDS = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]*){0,3}")
# Plain http only where it cannot leave the machine: a local inbox while developing.
_LINK = re.compile(
    r"(?:https://[A-Za-z0-9]|http://(?:127\.0\.0\.1|localhost)[:/])[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,800}"
)
_LONGEST_TEXT = 300

_NAMES = ("TO", "SUBJECT", "DATE", "MESSAGEID", "UNSUBSCRIBE", "FEEDBACK", "TEXT", "HTML")


class Refused(ValueError):
    """A value that must not stand in a message. Names the field, never the value."""


@dataclass(frozen=True)
class Identity:
    """Who we are. `secret` is the ledger's: it signs Message-IDs, so that a bounce can prove that it answers us,
    and coupon codes."""

    from_name: str
    from_address: str
    domain: str  # of Message-IDs
    secret: bytes
    unsubscribe_url: Callable[[str], str]  # of a decision id
    bounce_address: str | None = None  # of the envelope, tagged per email; by default the From address
    reply_to: str | None = None


@dataclass(frozen=True)
class Message:
    """One finished email: nothing is looked up after this point."""

    decision_id: str
    envelope_from: str
    to_address: str
    raw: bytes  # CRLF lines, not dot-stuffed, ending in CRLF
    sha256: str


@dataclass(frozen=True)
class Body:
    """The rendered parts."""

    subject: str
    html: str
    text: str


class Builder:
    """Fills the frame of one identity."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._segments, self._order = _split(_frame(identity))

    def build(self, decision_id: str, to_address: str, body: Body, date: datetime, feedback: str) -> Message:
        """One message. The same arguments give the same bytes, boundary and date included."""
        if not is_deliverable(to_address):
            raise Refused("to_address is not one plain ASCII address")
        values = {
            "TO": to_address.encode(),
            "SUBJECT": text_header(body.subject, "subject"),
            "DATE": _date(date),
            "MESSAGEID": message_id(decision_id, self._identity).encode(),
            "UNSUBSCRIBE": b"<" + _link(self._identity.unsubscribe_url(decision_id)) + b">",
            "FEEDBACK": _checked(feedback, _WORDS, "feedback id"),
            "TEXT": body64(body.text),
            "HTML": body64(body.html),
        }
        raw = self._fill(values)
        sender = envelope_sender(decision_id, self._identity)
        return Message(decision_id, sender, to_address, raw, hashlib.sha256(raw).hexdigest())

    def _fill(self, values: dict[str, bytes]) -> bytes:
        """In one pass: a value that contains a placeholder stays a value."""
        parts = [self._segments[0]]
        for name, segment in zip(self._order, self._segments[1:], strict=True):
            parts += (values[name], segment)
        return b"".join(parts)


def message_id(decision_id: str, identity: Identity) -> str:
    """`<decision.hmac@domain>`: the same at every attempt, so that mailboxes can drop a second copy."""
    token = _checked(decision_id, _TOKEN, "decision_id")
    return f"<{token.decode()}.{_tag(token, identity.secret)}@{identity.domain}>"


def envelope_sender(decision_id: str, identity: Identity) -> str:
    """Where bounces go: with an address of their own, it says which email it was, signed like the Message-ID."""
    if not identity.bounce_address:
        return identity.from_address
    token = _checked(decision_id, _TOKEN, "decision_id")
    local, _, domain = identity.bounce_address.rpartition("@")
    tagged = f"{local}+{decision_id}.{_tag(token, identity.secret)}@{domain}"
    return (
        tagged if is_deliverable(tagged) else identity.bounce_address
    )  # a local part has 64 characters at most


def is_ours(decision_id: str, token: str, secret: bytes) -> bool:
    """Whether a Message-ID or a return address carries our signature of this decision."""
    found = re.search(re.escape(decision_id) + r"\.([0-9a-f]{16})@", token)
    return bool(found) and hmac.compare_digest(found[1], _tag(decision_id.encode(), secret))


def _tag(token: bytes, secret: bytes) -> str:
    return hmac.digest(secret, token, "sha256").hex()[:16]


def text_header(value: str, field: str) -> bytes:
    """Free text as RFC 2047 words, folded; plain ASCII stays readable."""
    if not value.strip() or len(value) > _LONGEST_TEXT or _BAD.search(value):
        raise Refused(
            f"{field} is empty, longer than {_LONGEST_TEXT} characters, or contains control characters"
        )
    if value.isascii() and len(value) <= 60 and "=?" not in value:
        return value.encode()
    return b"\r\n ".join(_encoded_words(value.encode()))


def body64(text: str) -> bytes:
    """A body as base64 in 76-column lines: no line can be a dot, a boundary or too long."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = binascii.b2a_base64(text.replace("\n", "\r\n").encode("utf-8", "replace"), newline=False)
    lines, rest = divmod(len(encoded), 76)
    return b"\r\n".join(struct.unpack(f"{'76s' * lines}{rest}s", encoded))  # the fastest way to cut it


def _encoded_words(raw: bytes) -> list[bytes]:
    words, start = [], 0
    while start < len(raw):
        end = min(start + 39, len(raw))  # 64 characters once encoded
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end -= 1  # keep code points whole
        words.append(b"=?utf-8?b?" + base64.b64encode(raw[start:end]) + b"?=")
        start = end
    return words


@lru_cache(maxsize=64)  # all emails of one gate carry the same
def _date(date: datetime) -> bytes:
    return format_datetime(date).encode()


def _link(url: str) -> bytes:
    return _checked(url, _LINK, "unsubscribe_url (https, without spaces, below 800 characters)")


def _checked(value: str, pattern: re.Pattern[str], field: str) -> bytes:
    if not pattern.fullmatch(value):
        raise Refused(f"{field} is malformed")
    return value.encode()


def _placeholder(name: str) -> str:
    return f"kairos-{name}-placeholder"


def _frame(identity: Identity) -> bytes:
    """What is the same in every message, built and checked by the standard library."""
    message = EmailMessage(policy=SMTP)
    message["From"] = formataddr((identity.from_name, identity.from_address))
    message["To"] = _placeholder("TO")
    message["Subject"] = _placeholder("SUBJECT")
    if identity.reply_to:
        message["Reply-To"] = identity.reply_to
    for header, name in (("X-Date", "DATE"), ("X-Message-ID", "MESSAGEID"), ("Feedback-ID", "FEEDBACK")):
        message[header] = _placeholder(name)
    message["List-Unsubscribe"] = _placeholder("UNSUBSCRIBE")
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_placeholder("TEXT"), cte="7bit")
    message.add_alternative(_placeholder("HTML"), subtype="html", cte="7bit")
    message.set_boundary("=_kairos")  # constant: base64 never contains a "="-"_" pair
    return _finish(message.as_bytes())


def _finish(frame: bytes) -> bytes:
    """The real names of headers that the library insists on parsing, and the real transfer encoding."""
    for name in (b"Date", b"Message-ID"):
        frame = frame.replace(b"X-" + name + b":", name + b":")
    encodings = frame.count(b"Content-Transfer-Encoding: 7bit")
    assert encodings == 2, f"the frame has {encodings} bodies instead of 2"
    return frame.replace(b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: base64")


def _split(frame: bytes) -> tuple[list[bytes], list[str]]:
    """The frame cut at its placeholders, and their order."""
    for name in _NAMES:
        count = frame.count(_placeholder(name).encode())
        assert count == 1, f"placeholder {name} occurs {count} times in the frame"
    parts = re.split(rb"kairos-([A-Z]+)-placeholder", frame)
    return parts[0::2], [name.decode() for name in parts[1::2]]
