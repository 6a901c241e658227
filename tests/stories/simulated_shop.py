"""A whole Kairos on a simulated clock: webhooks into the real collector, emails out of a real SMTP conversation."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from collector.app import create_app
from collector.server import address_of, bind
from orchestration.cli.run import collector_config
from orchestration.live.evaluate import Overrides
from orchestration.replay import Replay
from orchestration.settings import Settings
from senders import SmtpSettings, SmtpTransport
from tests.system import SERVER_KEY, free_port


class Mailbox:
    """A mail server for everybody: keeps what it accepts, and knows nobody of the names in `unknown`."""

    def __init__(self, unknown: frozenset[str]) -> None:
        self._unknown = unknown
        self.mails: dict[str, list[EmailMessage]] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Named by aiosmtpd; the answer is the SMTP reply."""
        if address.partition("@")[0] in self._unknown:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Named by aiosmtpd."""
        mail = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        for address in envelope.rcpt_tos:
            self.mails.setdefault(address.partition("@")[0], []).append(mail)  # type: ignore[arg-type]
        return "250 accepted"


class SimulatedShop:
    """Let things happen at instants of your choice, in order; mails are read from `mails`, by name."""

    def __init__(self, replay: Replay, mailbox: Mailbox, http: httpx.Client, start: datetime) -> None:
        self._replay, self._mailbox, self._http, self._start = replay, mailbox, http, start
        self._count = 0

    @property
    def replay(self) -> Replay:
        return self._replay

    def mails(self, name: str) -> list[EmailMessage]:
        """What somebody got so far, oldest first."""
        return self._mailbox.mails.get(name, [])

    def at(self, after: timedelta, act: Callable[[], None]) -> None:
        """Let everything ripen until then, then act, then judge what came in."""
        instant = self._start + after
        self._replay.ripen_until(instant)
        self._replay.clock.advance(instant)
        act()
        self._replay.catch_up()

    def until(self, after: timedelta) -> None:
        """Nothing happens until then."""
        self.at(after, lambda: None)

    def webhook(self, person: str, kind: str, /, **fields: Any) -> None:
        """One call of the shop's server about a person, over HTTP."""
        self._count += 1
        call = {
            "messageId": f"m{self._count}",
            "anonymousId": f"visitor-{person}",
            "userId": f"customer-{person}",
            "timestamp": self._replay.clock().isoformat(),
            "context": {
                "sessionId": f"session-{person}-{self._replay.clock():%d}",
                "device": {"type": "ios"},
            },
            **fields,
        }
        answer = self._http.post(f"/v1/{kind}", json=call, auth=(SERVER_KEY, ""))
        assert answer.status_code == 200, answer.text

    def unsubscribe(self, mail: EmailMessage) -> None:
        """Press the mail program's button: one POST, as RFC 8058 has it."""
        link = str(mail["List-Unsubscribe"]).strip("<> ").split(">")[0]
        path = "/u/" + link.split("/u/")[1]
        answer = self._http.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200, answer.text


@contextmanager
def simulated_shop(
    settings: Settings,
    folder: Path,
    start: datetime,
    unknown: frozenset[str] = frozenset(),
    overrides: Overrides | None = None,
) -> Iterator[SimulatedShop]:
    """One shop, ended afterwards; `settings.data` may hold a catalogue, profiles and what is published."""
    mailbox = Mailbox(unknown)
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    smtp = SmtpSettings("127.0.0.1", server.port, security="none")
    replay = Replay(settings, folder, overrides, transport=SmtpTransport(smtp))
    replay.clock.advance(start)
    try:
        with collecting(settings, replay) as url, httpx.Client(base_url=url, trust_env=False) as http:
            yield SimulatedShop(replay, mailbox, http, start)
    finally:
        replay.close()
        server.stop()


@contextmanager
def collecting(settings: Settings, replay: Replay) -> Iterator[str]:
    """The real collector on loopback, on the replay's log and clock; yields its address."""
    listener = bind("127.0.0.1", 0)
    app = create_app(collector_config(settings), replay.log, replay.clock)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
