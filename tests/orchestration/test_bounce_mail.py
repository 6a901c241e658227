"""Mails that came back reach the log once in effect, and are marked only when they did."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.config import CollectorConfig, WriteKey
from orchestration.bounce_mail import CollectorClient, Imap, Maildir, NotAcknowledged, collect, key, report_of
from orchestration.bounce_mail import Mail as Given
from orchestration.cli.app import app
from orchestration.live.lease import utc_now
from senders.mime import Identity, Message, envelope_sender, message_id
from tests.collector.bounce_mails import COMPLAINT, exim, mail, report
from tests.collector.live import LiveCollector

SECRET = b"only for tests"
IDENTITY = Identity("Shop", "shop@example.com", "shop.example", SECRET, lambda id: id, "bounces@example.com")


def config() -> CollectorConfig:
    return CollectorConfig(
        write_keys=(WriteKey("server-key", "shop", "server"),),
        link_secrets=(SECRET.decode(),),
        webhook_keys={"bounce_mail": (key(SECRET),)},
    )


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[LiveCollector]:
    live = LiveCollector(tmp_path / "landing", config()).start()
    yield live
    live.stop()


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A Maildir with a hard bounce, a full mailbox, a complaint and a letter from a person."""
    folder = tmp_path / "Maildir"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    mails = {
        "1.hard": report("5.1.1", "550 5.1.1 no such user"),
        "2.full": exim("mailbox is full").replace(b"bounce-1", b"bounce-9"),
        "3.spam": COMPLAINT,
        "4.letter": mail("Where is my parcel?", "Re: Hi", "ann@example.org", is_null_sender=False),
    }
    for name, raw in mails.items():
        (folder / "new" / name).write_bytes(raw)
    return folder


def closed_port() -> int:
    """Nobody listens there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def send(live: LiveCollector):
    return CollectorClient(live.url, SECRET, utc_now).send


def test_a_maildir_is_read_sent_and_marked(collector: LiveCollector, box: Path):
    done = collect(Maildir(box).mails(), send(collector), SECRET)

    assert done.kinds == {"hard": 1, "soft": 1, "complaint": 1, "none": 1}
    events = collector.wait_for(3)
    assert sorted((event["event"], event["properties"].get("hardness")) for event in events) == [
        ("Email Bounced", "hard"),
        ("Email Bounced", "soft"),
        ("Email Complained", None),
    ]
    assert {event["properties"]["recipient"] for event in events} == {"ann@example.org"}
    assert not list((box / "new").iterdir())
    assert all(file.name.endswith(":2,S") for file in (box / "cur").iterdir())
    assert collect(Maildir(box).mails(), send(collector), SECRET).kinds == {}


def test_nothing_is_marked_while_nobody_acknowledges(box: Path):
    nobody = CollectorClient(f"http://127.0.0.1:{closed_port()}", SECRET, utc_now)

    with pytest.raises(NotAcknowledged, match="no collector answers"):
        collect(Maildir(box).mails(), nobody.send, SECRET)

    assert len(list((box / "new").iterdir())) == 4


def test_a_mail_that_was_sent_but_not_marked_counts_once(collector: LiveCollector, box: Path):
    """A crash between the acknowledgement and the mark."""
    for _ in range(2):
        collect([replace(each, done=lambda: None) for each in Maildir(box).mails()], send(collector), SECRET)

    events = collector.wait_for(3)
    assert len({event["message_id"] for event in events}) == len(events) == 3


def test_only_the_shop_itself_can_send(collector: LiveCollector, box: Path):
    with pytest.raises(NotAcknowledged, match="403"):
        collect(Maildir(box).mails(), CollectorClient(collector.url, b"guess", utc_now).send, SECRET)
    with pytest.raises(NotAcknowledged, match="403"):
        late = CollectorClient(collector.url, SECRET, lambda: datetime.now(UTC) - timedelta(hours=1))
        collect(Maildir(box).mails(), late.send, SECRET)

    assert collector.events() == []


def test_a_bounce_proves_which_email_it_answers():
    ours = message_id("d1", IDENTITY).encode()
    raw = report("5.1.1", "550 5.1.1 no such user").replace(b"<d1.0123456789abcdef@shop.example>", ours)
    to = envelope_sender("d2", IDENTITY).encode()
    tagged = mail("<ann@example.org>: 550 5.1.1 no such user").replace(b"shop@example.com", to)
    made_up = report("5.1.1", "550 5.1.1 no such user")

    found = [report_of(Given("x", each), SECRET)["decision_id"] for each in (raw, tagged, made_up)]

    assert found == ["d1", "d2", None]
    assert to.startswith(b"bounces+d2.")


def test_proof_can_be_demanded(box: Path):
    sent: list[dict] = []

    done = collect(Maildir(box).mails(), sent.append, SECRET, require_proof=True)

    assert done.unproven == 3
    assert [each["kind"] for each in sent] == ["none"]


def test_the_envelope_of_an_email_says_which_it_is():
    plain = replace(IDENTITY, bounce_address=None)
    long = replace(IDENTITY, bounce_address="a-rather-long-name-for-bounces@example.com")

    assert envelope_sender("d1", plain) == "shop@example.com"
    assert envelope_sender("d" * 40, long) == "a-rather-long-name-for-bounces@example.com"
    assert Message("d1", envelope_sender("d1", IDENTITY), "a@b.example", b"", "").envelope_from.endswith(
        "@example.com"
    )


# The command line.


@pytest.fixture
def here(tmp_path: Path, collector: LiveCollector, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    monkeypatch.setenv("KAIROS_SECRET", SECRET.decode())
    monkeypatch.setenv("KAIROS_COLLECTOR__PORT", collector.url.rpartition(":")[2])
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_a_pipe_of_a_mail_server_is_taken_or_told_to_come_back(
    here: Path, collector: LiveCollector, monkeypatch: pytest.MonkeyPatch
):
    raw = report("5.1.1", "550 5.1.1 no such user")

    taken = CliRunner().invoke(app, ["bounces", "collect", "--stdin"], input=raw)
    assert (taken.exit_code, taken.output.strip()) == (0, "1 hard")
    assert len(collector.wait_for(1)) == 1

    monkeypatch.setenv("KAIROS_COLLECTOR__PORT", str(closed_port()))
    later = CliRunner().invoke(app, ["bounces", "collect", "--stdin"], input=raw)
    assert later.exit_code == 75


def test_a_maildir_is_collected_by_command(here: Path, box: Path, collector: LiveCollector):
    done = CliRunner().invoke(app, ["bounces", "collect", "--maildir", str(box)])

    assert (done.exit_code, done.output.strip()) == (0, "1 complaint, 1 hard, 1 none, 1 soft")
    assert len(collector.wait_for(3)) == 3


def test_mails_can_be_read_without_sending_them(here: Path, box: Path):
    done = CliRunner().invoke(app, ["bounces", "read", str(box), "--json"])
    from_stdin = CliRunner().invoke(app, ["bounces", "read", "-", "--json"], input=COMPLAINT)

    found = [json.loads(line) for line in done.output.splitlines()]
    assert [(each["file"], each["kind"]) for each in found] == [
        *(("1.hard", "hard"), ("2.full", "soft"), ("3.spam", "complaint"), ("4.letter", "none")),
    ]
    assert found[0]["status"] == "5.1.1" and found[0]["recipient"] == "ann@example.org"
    assert json.loads(from_stdin.output)["kind"] == "complaint"
    assert len(list((box / "new").iterdir())) == 4


# A mailbox elsewhere.


class _Server(socketserver.StreamRequestHandler):
    """As much of IMAP as is needed to read and mark one folder."""

    seen: set[str]
    mails: dict[str, bytes]

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, command, *rest = line.decode().strip().split(" ", 2)
            self._answer(command.upper(), rest[0] if rest else "")
            self.wfile.write(f"{tag} OK done\r\n".encode())
            if command.upper() == "LOGOUT":
                return

    def _answer(self, command: str, rest: str) -> None:
        if command == "CAPABILITY":
            self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
        elif command == "SELECT":
            self.wfile.write(f"* {len(self.mails)} EXISTS\r\n".encode())
        elif rest.startswith("SEARCH"):
            left = " ".join(uid for uid in self.mails if uid not in self.seen)
            self.wfile.write(f"* SEARCH {left}\r\n".encode())
        elif rest.startswith("FETCH"):
            uid = rest.split()[1]
            raw = self.mails[uid]
            head = f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode()
            self.wfile.write(head + raw + b")\r\n")
        elif rest.startswith("STORE"):
            self.seen.add(rest.split()[1])


@contextmanager
def imap_server(mails: dict[str, bytes], folder: Path) -> Iterator[tuple[int, ssl.SSLContext, set[str]]]:
    from tests.orchestration.certificates import self_signed

    certificate = self_signed(folder)
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(certificate)
    handler = type("Handler", (_Server,), {"seen": set(), "mails": mails})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.socket = inside.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], ssl.create_default_context(cafile=str(certificate)), handler.seen
        server.shutdown()


def test_a_folder_of_a_mail_server_is_read_over_tls_and_marked(tmp_path: Path):
    mails = {"7": report("5.1.1", "550 5.1.1 no such user"), "9": COMPLAINT}
    sent: list[dict] = []

    with imap_server(mails, tmp_path) as (port, tls, seen):
        source = Imap("localhost", port, "ann", "secret", "INBOX", tls)
        assert collect(source.mails(), sent.append, SECRET).kinds == {"hard": 1, "complaint": 1}
        assert seen == {"7", "9"}
        assert collect(source.mails(), sent.append, SECRET).kinds == {}


def test_a_mail_is_not_marked_there_either_before_it_was_taken(tmp_path: Path):
    def refuse(_mail: dict) -> None:
        raise NotAcknowledged("no")

    with imap_server({"7": COMPLAINT}, tmp_path) as (port, tls, seen):
        with pytest.raises(NotAcknowledged):
            collect(Imap("localhost", port, "ann", "secret", "INBOX", tls).mails(), refuse, SECRET)
        assert seen == set()


def test_a_server_whose_certificate_nobody_vouches_for_is_not_read(tmp_path: Path):
    with imap_server({"7": COMPLAINT}, tmp_path) as (port, _, _), pytest.raises(ssl.SSLError):
        list(Imap("localhost", port, "ann", "secret", "INBOX").mails())
