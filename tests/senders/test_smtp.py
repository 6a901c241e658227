"""SMTP against real servers: one that does everything right, and one that does everything wrong."""

import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st

from senders import Outcome, SmtpSettings, SmtpTransport
from senders.mime import Message
from senders.transports.smtp_session import Failed, SmtpSession, stuffed
from tests.senders.sink import accepted
from tests.senders.support import running_sink


class Inbox:
    """Keeps what a real server received, and which connection brought it."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.peer, session.authenticated, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 kept"


@contextmanager
def real_server(**options):
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port, inbox
    finally:
        controller.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


def message(number=1, raw=b"Subject: hi\r\n\r\nbody\r\n"):
    return Message(f"d{number}", "shop@shop.example", f"p{number}@mail.example", raw, "sha")


def deliver(lane, *messages, commit=None):
    """The outcomes in order, None where none was permitted."""
    outcomes = lane.deliver(messages, commit or everyone)
    return [outcomes.get(each.decision_id) for each in messages]


def everyone(messages):
    return {each.decision_id for each in messages}


def plain(port, **options):
    return SmtpTransport(SmtpSettings("127.0.0.1", port, security="none", **options), width=1).open_lane()


def test_connections_are_kept_warm():
    with real_server() as (port, inbox):
        lane = plain(port)
        outcomes = [deliver(lane, message(n))[0] for n in range(5)]
        lane.close()

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 5
    assert len({peer for peer, *_ in inbox.mails}) == 1


def test_a_fresh_connection_after_so_many_messages():
    with real_server() as (port, inbox):
        lane = plain(port, per_connection=2)
        for number in range(5):
            deliver(lane, message(number))
        lane.close()

    assert len({peer for peer, *_ in inbox.mails}) == 3


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_with_a_checked_certificate_and_a_login(certificate, security):
    key, cert = certificate
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    tls = (
        {"tls_context": server, "require_starttls": True}
        if security == "starttls"
        else {"ssl_context": server}
    )

    def authenticator(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == b"shop" and data.password == b"secret")

    client = ssl.create_default_context(cafile=str(cert))
    with real_server(
        **tls, authenticator=authenticator, auth_required=True, auth_require_tls=security == "starttls"
    ) as (port, inbox):
        settings = SmtpSettings("localhost", port, security, "shop", "secret", tls=client)
        lane = SmtpTransport(settings, width=2).open_lane()
        outcomes = deliver(lane, message(1), message(2)) + deliver(lane, message(3))
        lane.close()

    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 3
    assert all(authenticated for _, authenticated, *_ in inbox.mails)
    assert len({peer for peer, *_ in inbox.mails}) == 2


def test_an_unknown_certificate_is_not_trusted(certificate):
    key, cert = certificate
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    with real_server(tls_context=server) as (port, inbox):
        lane = SmtpTransport(SmtpSettings("localhost", port, "starttls"), width=1).open_lane()
        (outcome,) = deliver(lane, message())

    assert outcome.kind == "deferred" and "CERTIFICATE_VERIFY_FAILED" in outcome.detail
    assert inbox.mails == []


def test_a_password_never_travels_in_the_clear():
    with pytest.raises(ValueError, match="set security to starttls or tls"):
        SmtpTransport(SmtpSettings("mail.example", security="none", username="shop", password="secret"))


def test_without_permission_the_message_is_taken_back():
    with real_server() as (port, inbox):
        lane = plain(port)
        refused = deliver(lane, message(1), commit=lambda messages: set())
        after = deliver(lane, message(2))
        lane.close()

    assert refused == [None] and after[0].kind == "accepted"
    assert [recipients for _, _, recipients, _ in inbox.mails] == [["p2@mail.example"]]


def test_if_the_commit_fails_no_dot_is_written(tmp_path):
    log = tmp_path / "accepted.log"

    def broken(messages):
        raise RuntimeError("disk on fire")

    with running_sink(log) as port:
        lane = SmtpTransport(SmtpSettings("127.0.0.1", port, security="none"), width=3).open_lane()
        with pytest.raises(RuntimeError, match="disk on fire"):
            deliver(lane, *(message(n) for n in range(3)), commit=broken)
        deliver(lane, message(9))
        lane.close()

    assert len(accepted(log)) == 1


def test_a_commit_that_took_too_long_is_not_followed_by_a_dot():
    clock = [0.0]
    with real_server() as (port, inbox):
        settings = SmtpSettings("127.0.0.1", port, security="none")
        lane = SmtpTransport(settings, 1, monotonic=lambda: clock[0]).open_lane()

        def slow_disk(messages):
            clock[0] += 60
            return everyone(messages)

        (outcome,) = deliver(lane, message(), commit=slow_disk)

    assert outcome.kind == "undotted"
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("temporary", {"deferred"}),
        ("permanent", {"rejected"}),
        ("reset", {"deferred", "lost"}),
        ("reply-lost", {"lost"}),
        ("late", {"lost"}),
    ],
)
def test_every_fault_has_its_outcome(tmp_path, fault, kinds):
    with running_sink(tmp_path / "accepted.log", f"--{fault}=1") as port:
        lane = plain(port)
        outcomes = [deliver(lane, message(n, b"Subject: x\r\n\r\n" + b"y" * 400))[0] for n in range(3)]
        lane.close()

    assert {outcome.kind for outcome in outcomes} <= kinds


def test_one_refused_recipient_leaves_the_others_of_the_lane_alone(tmp_path):
    log = tmp_path / "accepted.log"
    with running_sink(log, "--permanent=0.4", "--seed=5") as port:
        lane = SmtpTransport(SmtpSettings("127.0.0.1", port, security="none"), width=8).open_lane()
        outcomes = deliver(lane, *(message(n) for n in range(8)))
        lane.close()

    kinds = [outcome.kind for outcome in outcomes]
    assert set(kinds) == {"accepted", "rejected"}
    assert kinds.count("accepted") == len(accepted(log))


def test_a_server_that_greets_and_vanishes_is_no_fault_of_the_person():
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()

    (outcome,) = deliver(plain(server.getsockname()[1]), message())
    server.close()

    assert outcome.kind == "deferred"


def test_a_server_that_hangs_up_after_the_body_is_noticed_before_the_dot():
    """Noticed only at the dot, 23 of 1,200 such emails ended in doubt for ever."""
    with real_server() as (port, _):
        session = SmtpSession(SmtpSettings("127.0.0.1", port, security="none"), time.monotonic)
        session.ask(message())
        session.write_body(message())
        session.check_alive(message())
        session._smtp.sock.shutdown(socket.SHUT_RD)  # what we see of a server that went away

        with pytest.raises(Failed, match="hung up before the dot"):
            session.check_alive(message())


def test_replies_are_kept_without_the_address():
    class Chatty(Inbox):
        async def handle_RCPT(self, server, session, envelope, address, options):
            return f"550 5.1.1 <{address.upper()}> no such user here"

    controller = Controller(Chatty(), hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        (outcome,) = deliver(plain(controller.port), message())
    finally:
        controller.stop()

    assert outcome == Outcome("rejected", "RCPT: 550 5.1.1 <<recipient>> no such user here")


def test_a_body_with_dots_arrives_unchanged():
    raw = b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\nend\r\n"
    with real_server() as (port, inbox):
        deliver(plain(port), message(raw=raw))

    assert inbox.mails[0][3] == raw


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\r\n.\r\n", b"\n.\n", b"\r.\r", b".\r\n", b"\n.\r\n", b"\r\n.\n"]),
)
def test_no_body_can_end_the_message_early(noise, trick):
    wire = stuffed(noise + trick + noise)

    assert b"\r\n.\r\n" not in wire and not wire.startswith(b".\r\n")
    assert b"\r" not in wire.replace(b"\r\n", b"") and b"\n" not in wire.replace(b"\r\n", b"")
    assert wire.endswith(b"\r\n")


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
