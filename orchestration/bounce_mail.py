"""Mails that came back, from wherever they lie, into the log: at least once, and never twice in effect.

A mail is marked only after the collector has made its events durable; a crash before that reads it again,
and its Message-ID makes the repetition harmless.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import imaplib
import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from collector.bounces.read import read_mail
from collector.bounces.report import report
from collector.bounces.verdict import Reading
from collector.webhooks.providers.bounce_mail import NAME
from collector.webhooks.signatures.standard import sign
from senders.mime import is_ours

_SEEN = "S"
LARGEST = 32 << 20


class NotAcknowledged(RuntimeError):
    """The collector did not take it; nothing was marked, so it will be read again."""


@dataclass(frozen=True)
class Mail:
    """One mail and how to mark that it was dealt with."""

    name: str
    raw: bytes
    done: Callable[[], None] = lambda: None


class Source(Protocol):
    """Where mails lie that nobody dealt with yet."""

    def mails(self) -> Iterator[Mail]:
        """In no particular order."""
        ...


def report_of(mail: Mail, secret: bytes | None = None) -> dict[str, Any]:
    """What a mail says; with `secret`, only a decision of which it proves to be an answer."""
    reading = read_mail(mail.raw)
    return report(mail.name, mail.raw, proven(reading, secret) if secret else reading)


def proven(reading: Reading, secret: bytes) -> Reading:
    """Message-ID and return address carry a signature, so a made-up bounce cannot name an email of ours."""
    tokens = (reading.message_id, reading.returned_to)
    if reading.decision_id and any(is_ours(reading.decision_id, token, secret) for token in tokens if token):
        return reading
    return replace(reading, decision_id=None)


def files(path: Path) -> Iterator[Path]:
    """One file, a Maildir, or a folder: its .eml files, or all if it has none. In the order of their names."""
    if path.is_file():
        yield path
    elif (path / "new").is_dir() and (path / "cur").is_dir():
        yield from sorted(
            file for part in ("new", "cur") for file in (path / part).iterdir() if file.is_file()
        )
    else:
        found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        yield from [file for file in found if file.suffix.lower() == ".eml"] or found


class Maildir:
    """`new` and `cur` of a Maildir; what was dealt with gets the flag S."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mails(self) -> Iterator[Mail]:
        for file in files(self._folder):
            if _SEEN not in _flags(file):
                try:
                    raw = file.read_bytes()[:LARGEST]
                except FileNotFoundError:  # somebody else took it
                    continue
                yield Mail(file.name, raw, lambda file=file: _mark(file))


class Imap:
    """Unseen mails of one folder, over TLS; what was dealt with is marked as seen."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        password: str,
        folder: str,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._login = (username, password)
        self._address = (host, port)
        self._folder = folder
        self._tls = tls

    def mails(self) -> Iterator[Mail]:
        with imaplib.IMAP4_SSL(
            *self._address, ssl_context=self._tls or ssl.create_default_context(), timeout=30
        ) as box:
            box.login(*self._login)
            _ok(box.select(_quoted(self._folder)), f"there is no folder {self._folder}")
            found = _ok(box.uid("search", "UNSEEN"), "cannot search")
            for uid in (found[0] or b"").decode().split():
                data = _ok(box.uid("fetch", uid, "(BODY.PEEK[])"), "cannot fetch")
                raw = next((part[1] for part in data if isinstance(part, tuple)), None)
                if raw is not None:
                    yield Mail(f"{self._folder}/{uid}", raw, lambda uid=uid: _seen(box, uid))


@dataclass
class Collected:
    """What one round came to: mails by what they say."""

    kinds: dict[str, int]
    unproven: int = 0


def collect(
    mails: Iterable[Mail], send: Callable[[dict[str, Any]], None], secret: bytes, require_proof: bool = False
) -> Collected:
    """Send what each mail says and mark it afterwards. Raises NotAcknowledged at the first that was not taken."""
    done = Collected({})
    for mail in mails:
        found = report_of(mail, secret)
        acts = found["kind"] in ("hard", "soft", "complaint")
        if acts and require_proof and not found["decision_id"]:
            done.unproven += 1
        else:
            send(found)
        mail.done()
        done.kinds[found["kind"]] = done.kinds.get(found["kind"], 0) + 1
    return done


class CollectorClient:
    """Sends to a running collector, as one more provider whose key both sides derive from the secret."""

    def __init__(self, url: str, secret: bytes, now: Callable[[], datetime]) -> None:
        self._url = f"{url.rstrip('/')}/webhooks/{NAME}"
        self._key = key(secret)
        self._now = now
        self._http = httpx.Client(timeout=30)

    def send(self, mail: dict[str, Any]) -> None:
        """Durable when it returns. Raises NotAcknowledged."""
        body = json.dumps(mail, ensure_ascii=False).encode("utf-8", "replace")
        timestamp = str(int(self._now().timestamp()))
        id = f"{mail['sha256']}.{self._now().timestamp():.6f}"
        headers = {
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{sign(self._key, f'{id}.{timestamp}.'.encode() + body)}",
            "content-type": "application/json",
        }
        try:
            answer = self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise NotAcknowledged(f"no collector answers at {self._url}: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise NotAcknowledged(f"the collector answered {answer.status_code}: {answer.text[:200]}")


def key(secret: bytes) -> str:
    """What proves to the collector that a mail was read by us."""
    return "whsec_" + base64.b64encode(hmac.digest(secret, b"bounce mail", "sha256")).decode()


def _flags(file: Path) -> str:
    return file.name.rpartition(":2,")[2] if ":2," in file.name else ""


def _mark(file: Path) -> None:
    """From `new` to `cur`, with the flag for seen."""
    base, _, flags = file.name.partition(":2,")
    target = file.parent.parent / "cur" / f"{base}:2,{''.join(sorted({*flags, _SEEN}))}"
    with contextlib.suppress(FileNotFoundError):  # somebody else took it; its events are in the log
        file.rename(target)


def _seen(box: imaplib.IMAP4, uid: str) -> None:
    _ok(box.uid("store", uid, "+FLAGS", r"(\Seen)"), "cannot mark as seen")


def _ok(answer: tuple[str, Sequence[Any]], problem: str) -> Sequence[Any]:
    if answer[0] != "OK":
        raise NotAcknowledged(f"IMAP: {problem}")
    return answer[1]


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
