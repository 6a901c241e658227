"""Mails on disk and in memory: what the inbox knows about each, and how one is taken apart for reading."""

import email
import email.policy
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

_HEADERS = BytesHeaderParser()  # the forgiving policy: a broken header must not cost us the mail


@dataclass(frozen=True)
class Mail:
    """One line of the list. `trigger` is empty if the sender named none."""

    number: int
    received_at: str
    sender: str
    to: str
    subject: str
    trigger: str
    size: int

    def public(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Opened:
    """One mail, taken apart. `html` and `text` are as sent: whoever shows them must defuse them."""

    html: str
    text: str
    headers: list[tuple[str, str]]


class Box:
    """The last `keep` mails; the rest is forgotten, on disk too."""

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.mails, self.total = folder, deque[Mail](), 0
        self.keep = keep
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("[0-9]*.eml")):
            self._remember(int(path.stem), path.read_bytes(), path.stat().st_mtime)

    def add(self, sender: str, recipients: list[str], content: bytes, now: datetime) -> None:
        """Keep one mail. Readable at once; not flushed to the platter, it is a demo's inbox."""
        number = self.total + 1
        self._path(number).write_bytes(content)
        self._remember(number, content, now.timestamp(), sender, ", ".join(recipients))

    def newest_first(self, limit: int) -> list[Mail]:
        return [mail for mail, _ in zip(reversed(self.mails), range(limit), strict=False)]

    def find(self, number: int) -> Mail | None:
        return next((mail for mail in self.mails if mail.number == number), None)

    def raw(self, mail: Mail) -> bytes:
        return self._path(mail.number).read_bytes()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:09d}.eml"

    def _remember(self, number: int, content: bytes, at: float, sender: str = "", to: str = "") -> None:
        headers = _HEADERS.parsebytes(content)
        received_at = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        self.mails.append(
            Mail(
                number,
                received_at,
                _decoded(headers.get("From")) or sender,
                to or _decoded(headers.get("To")),
                _decoded(headers.get("Subject")) or "(no subject)",
                _trigger(headers),
                len(content),
            )
        )
        self.total = number
        while len(self.mails) > self.keep:
            self._path(self.mails.popleft().number).unlink(missing_ok=True)


def opened(content: bytes) -> Opened:
    """The parts a reader wants to see; a mail too broken to parse shows its source as text."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    headers = [(name, _decoded(value)) for name, value in _HEADERS.parsebytes(content).items()]
    return Opened(_part(message, "html"), _part(message, "plain"), headers)


def _part(message: EmailMessage, kind: str) -> str:
    try:
        body = message.get_body(preferencelist=(kind,))
        return body.get_content() if body is not None else ""
    except (
        LookupError,
        ValueError,
        AttributeError,
        TypeError,
    ) as problem:  # unknown charset, broken structure
        return f"This part cannot be read ({problem}): see the source." if kind == "plain" else ""


def _trigger(headers: email.message.Message) -> str:
    """Which trigger sent it: its own header, else our Feedback-ID (route:trigger:variant:kairos)."""
    fields = _decoded(headers.get("Feedback-ID")).split(":")
    from_feedback = fields[1] if len(fields) == 4 and fields[3] == "kairos" else ""
    return _decoded(headers.get("X-Kairos-Trigger")) or from_feedback


def _decoded(value: object) -> str:
    """A header as a person reads it; what cannot be decoded stays as it came."""
    if value is None:
        return ""
    try:
        return " ".join(str(make_header(decode_header(str(value)))).split())
    except (LookupError, ValueError):
        return " ".join(str(value).split())
