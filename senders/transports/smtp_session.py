"""One SMTP connection, in steps.

The standard library opens it (greeting, STARTTLS, login); the message itself is written here,
because `smtplib` sends body and dot in one go.
"""

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from senders.mime import Message
from senders.outcome import Outcome

_LINE_END = re.compile(rb"\r\n|\r|\n")
_STEPS = ("MAIL", "RCPT", "DATA")
_T = TypeVar("_T")
_Replies = list[tuple[int, bytes]]


@dataclass(frozen=True)
class SmtpSettings:
    """Where and how to connect."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = None
    local_hostname: str | None = None  # what we call ourselves in EHLO
    tls: ssl.SSLContext | None = None  # None = verify against the system's authorities
    connect_seconds: float = 15.0
    reply_seconds: float = 120.0
    # Servers end idle sessions after minutes; one that was idle this long is asked before it is used.
    idle_seconds: float = 20.0
    per_connection: int = 500  # messages before a fresh connection; many servers limit them


class Failed(Exception):
    """The attempt ended before the dot: provably not accepted."""

    def __init__(self, kind: Literal["deferred", "rejected"], detail: str) -> None:
        super().__init__(detail)
        self.outcome = Outcome(kind, detail)


class SmtpSession:
    """Dials when needed, stays warm, and hangs up whenever something is odd."""

    def __init__(self, settings: SmtpSettings, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._smtp: smtplib.SMTP | None = None
        self._asked_all = False
        self._delivered = 0
        self._used_at = 0.0

    def ask(self, message: Message) -> None:
        """MAIL, RCPT and DATA; in one packet where the server can take it, for one round trip instead of three."""
        smtp = self._ready()
        self._asked_all = smtp.has_extn("pipelining")
        if self._asked_all:
            lines = "".join(f"{line}\r\n" for line in _envelope(message))
            self._guard(lambda: self._socket(smtp).sendall(lines.encode("ascii")))

    def write_body(self, message: Message) -> None:
        """Everything up to, and without, the dot."""
        smtp = self._present()
        replies = self._guard(lambda: self._read_all(smtp) if self._asked_all else _one_by_one(smtp, message))
        self._judge(replies, message)
        self._guard(lambda: self._socket(smtp).sendall(stuffed(message.raw)))

    def check_alive(self, message: Message) -> None:
        """A server that hangs up now has not accepted; noticed after the dot, nobody could know."""
        if self._spoke_out_of_turn(self._present()):
            self.hang_up()
            raise Failed("deferred", "the server hung up before the dot")

    def write_dot(self) -> Outcome | None:
        """The point of no return. An outcome only if it went wrong."""
        try:
            self._socket(self._present()).sendall(b".\r\n")
        except (OSError, smtplib.SMTPException, Failed) as error:
            self.hang_up()
            return Outcome("lost", f"no reply to the dot: {_plain(error)}")
        return None

    def read_verdict(self, message: Message) -> Outcome:
        """What the server says to the dot."""
        try:
            code, reply = self._present().getreply()
        except (OSError, smtplib.SMTPException, Failed) as error:
            self.hang_up()
            return Outcome("lost", f"no reply to the dot: {_plain(error)}")
        if code in (-1, 421):
            self.hang_up()
        self._delivered += 1
        self._used_at = self._monotonic()
        return _verdict(code, _said(code, reply, message.to_address))

    def hang_up(self) -> None:
        """Without a goodbye: inside DATA it is the only way to take a message back."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def close(self) -> None:
        """Say goodbye if anyone is there."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()
            self._smtp = None

    def _ready(self) -> smtplib.SMTP:
        if self._smtp is not None and self._is_spent(self._smtp):
            self.close()
        if self._smtp is None:
            self._smtp = self._dial()
            self._delivered = 0
            self._used_at = self._monotonic()
        return self._smtp

    def _present(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise Failed("deferred", "connection lost before the dot")
        return self._smtp

    def _socket(self, smtp: smtplib.SMTP) -> socket.socket:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return smtp.sock

    def _guard(self, step: Callable[[], _T]) -> _T:
        """Whatever the network does before the dot: hang up, try again later."""
        try:
            return step()
        except (OSError, smtplib.SMTPException) as error:
            self.hang_up()
            raise Failed("deferred", f"connection lost before the dot: {_plain(error)}") from None

    def _read_all(self, smtp: smtplib.SMTP) -> _Replies:
        return [smtp.getreply() for _ in _STEPS]

    def _judge(self, replies: _Replies, message: Message) -> None:
        if [code // 10 for code, _ in replies] == [25, 25, 35]:
            return
        step = next(number for number, (code, _) in enumerate(replies) if code // 100 != (2, 2, 3)[number])
        code, reply = replies[step]
        self._take_back(replies)
        # A refused MAIL is about us, not about this person: trying again until it expires is right.
        kind: Literal["deferred", "rejected"] = "rejected" if code // 100 == 5 and step else "deferred"
        raise Failed(kind, f"{_STEPS[step]}: {_said(code, reply, message.to_address)}")

    def _take_back(self, replies: _Replies) -> None:
        """Keep the connection, unless it is broken or the server waits for a body."""
        if replies[-1][0] in (-1, 354, 421) or self._smtp is None:
            self.hang_up()
            return
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self.hang_up()

    def _is_spent(self, smtp: smtplib.SMTP) -> bool:
        if self._delivered >= self._settings.per_connection:
            return True
        if self._monotonic() - self._used_at < self._settings.idle_seconds:
            return self._spoke_out_of_turn(smtp)
        try:
            return smtp.noop()[0] != 250
        except (OSError, smtplib.SMTPException):
            return True

    def _dial(self) -> smtplib.SMTP:
        """A server that cannot be reached or logged into is no fault of the person: deferred, always."""
        try:
            return self._log_in(self._open())
        except (OSError, smtplib.SMTPException) as error:
            where = f"{self._settings.host}:{self._settings.port}"
            raise Failed("deferred", f"cannot use {where}: {_plain(error)}") from None

    def _open(self) -> smtplib.SMTP:
        s = self._settings
        if s.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                s.host, s.port, s.local_hostname, timeout=s.connect_seconds, context=self._tls()
            )
        else:
            smtp = smtplib.SMTP(s.host, s.port, s.local_hostname, timeout=s.connect_seconds)
        self._socket(smtp).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        try:
            smtp.ehlo_or_helo_if_needed()
            if self._settings.security == "starttls":
                smtp.starttls(context=self._tls())
                smtp.ehlo()
            if self._settings.username:
                smtp.login(self._settings.username, self._settings.password or "")
            self._socket(smtp).settimeout(self._settings.reply_seconds)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _tls(self) -> ssl.SSLContext:
        return self._settings.tls or ssl.create_default_context()

    def _spoke_out_of_turn(self, smtp: smtplib.SMTP) -> bool:
        """True when the server hung up or says something although it is our turn."""
        sock = smtp.sock
        if sock is None or not _has_news(sock):
            return sock is None
        return not isinstance(sock, ssl.SSLSocket) or _tls_has_news(sock, self._settings.reply_seconds)


def _has_news(sock: socket.socket) -> bool:
    """Something to read, or the end. `poll`, since `select` refuses descriptors above 1023."""
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


def stuffed(raw: bytes) -> bytes:
    """CRLF line ends, dots at line starts doubled, and a last line end: nothing in it can end the message."""
    lines = raw if _is_clean(raw) else _LINE_END.sub(b"\r\n", raw)
    last = lines.rfind(b".") + 1  # our own bodies are base64: the last dot stands in the headers
    lines = lines[:last].replace(b"\r\n.", b"\r\n..") + lines[last:]
    if lines.startswith(b"."):
        lines = b"." + lines
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _is_clean(raw: bytes) -> bool:
    """Counting is far faster than rewriting, and our own messages are always clean."""
    pairs = raw.count(b"\r\n")
    return raw.count(b"\n") == pairs and raw.count(b"\r") == pairs


def _envelope(message: Message) -> tuple[str, str, str]:
    return f"MAIL FROM:<{message.envelope_from}>", f"RCPT TO:<{message.to_address}>", "DATA"


def _one_by_one(smtp: smtplib.SMTP, message: Message) -> _Replies:
    replies: _Replies = []
    for line in _envelope(message):
        replies.append(smtp.docmd(line))
        if not 200 <= replies[-1][0] < 400:
            break
    return replies


def _tls_has_news(sock: ssl.SSLSocket, timeout: float) -> bool:
    """TLS bookkeeping (session tickets) makes a socket readable too; only real data or an end is news."""
    sock.settimeout(0)
    try:
        sock.recv(1)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(timeout)
    return True


def _verdict(code: int, said: str) -> Outcome:
    match code // 100:
        case 2:
            return Outcome("accepted", said)
        case 4:
            return Outcome("deferred", said)
        case 5:
            return Outcome("rejected", said)
    return Outcome("lost", f"no clear reply to the dot: {said}")


def _said(code: int, reply: bytes, address: str) -> str:
    """The reply in one short line, without the address: replies are kept in the audit."""
    text = " ".join(reply.decode("utf-8", "replace").split())[:300]
    if address.partition("@")[0].lower() in text.lower():
        text = re.sub(re.escape(address), "<recipient>", text, flags=re.IGNORECASE)
    return f"{code} {text}"


def _plain(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
