"""The inbox: real mails over real SMTP, hostile ones included."""

import re
import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from simulator.inbox import smtp_server
from simulator.inbox_mail import Box
from simulator.inbox_web import web

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
HOSTILE = (
    "<html><head><title>x</title></head><body>\"'></iframe><script>parent.hacked = 1</script>"
    '<img src=x onerror="alert(1)"><form action="https://evil.example"><input></form></body></html>'
)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "mails", keep=50)


@pytest.fixture
def server(box: Box) -> Iterator[smtplib.SMTP]:
    """A connection to a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = smtp_server(box, port, lambda: NOW)
    controller.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as connection:
            yield connection
    finally:
        controller.stop()


@pytest.fixture
def page(box: Box) -> TestClient:
    return TestClient(web(box, smtp_port=1025))


def mail(subject: str = "Your cart", html: str = "<p>Hello</p>", **headers: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "Shop <shop@example.com>", "ada@example.com", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello in text")
    message.add_alternative(html, subtype="html")
    return message


def test_a_mail_sent_over_smtp_can_be_read(server, page):
    server.send_message(mail("Grüße ✨", Feedback_ID="vip:cart_abandonment:a:kairos"))

    listed = page.get("/api/messages").json()
    assert listed["count"] == 1
    only = listed["messages"][0]
    assert (only["to"], only["subject"], only["trigger"]) == (
        "ada@example.com",
        "Grüße ✨",
        "cart_abandonment",
    )
    assert only["received_at"] == "2026-03-01T12:30:15.000+00:00"
    shown = page.get(f"/messages/{only['number']}").text
    assert all(part in shown for part in ("Grüße ✨", "Hello in text", "cart_abandonment", "Feedback-ID"))


def test_the_newest_mail_stands_first(server, page):
    for number in range(3):
        server.send_message(mail(f"Mail {number}"))

    shown = page.get("/").text
    assert shown.index("Mail 2") < shown.index("Mail 1") < shown.index("Mail 0")


def test_an_empty_inbox_says_what_to_wait_for(page):
    shown = page.get("/").text

    assert "No mail yet" in shown
    assert "90 seconds" in shown
    assert "127.0.0.1:1025" in shown


def test_a_hostile_body_stays_inside_its_frame(server, page):
    server.send_message(mail(html=HOSTILE))

    shown = page.get("/messages/1").text
    frame = re.search(r'<iframe[^>]*sandbox="([^"]*)"\s+srcdoc="([^"]*)"', shown)
    assert frame, "the HTML part must be a sandboxed srcdoc frame"
    assert frame[1].split() == ["allow-popups", "allow-popups-to-escape-sandbox"]
    assert "&lt;script&gt;parent.hacked" in frame[2]
    assert not set("<>\"'") & set(frame[2])
    assert "<script>parent" not in shown
    assert shown.count("</iframe>") == 1


def test_hostile_headers_are_text_everywhere(server, page):
    evil = "<script>alert(1)</script>"
    server.send_message(mail(evil, X_Kairos_Trigger=evil, X_Other=evil))

    for path in ("/", "/messages/1"):
        assert evil not in page.get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.get(path).text


def test_every_page_forbids_foreign_scripts_and_sniffing(server, page):
    server.send_message(mail())

    for path in ("/", "/messages/1", "/messages/1.eml", "/api/messages", "/static/inbox.js", "/messages/99"):
        headers = page.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert page.get("/messages/1.eml").headers["content-type"].startswith("text/plain")


def test_pages_load_nothing_from_outside(server, page):
    server.send_message(mail())

    for path in ("/", "/messages/1", "/static/inbox.css", "/static/inbox.js"):
        assert not re.search(r"(?:src|href|url\()\W*(?:https?:)?//", page.get(path).text)


def test_links_open_beside_the_inbox_and_the_doctype_stays_first(server, page):
    server.send_message(mail(html="<!doctype html><html><head lang=en></head><body>x</body></html>"))

    shown = page.get("/messages/1").text
    assert "&lt;!doctype html&gt;&lt;html&gt;&lt;head lang=en&gt;&lt;base target=" in shown


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all\r\n",
        b"Subject: =?utf-8?b?!!!?= =?no-such-charset?q?x?=\r\n\r\nbody",
        b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe",
        b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--b\r\nbroken',
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%",
        b"Subject: \xff\xfe\x00\r\n\r\nx",
        b"From: a@b, c@d, <<<>>>\r\nTo: \r\nDate: yesterday\r\n\r\nx",
    ],
)
def test_a_broken_mail_is_kept_and_can_be_opened(box, page, raw):
    box.add("a@example.com", ["b@example.com"], raw, NOW)

    assert page.get("/").status_code == page.get("/messages/1").status_code == 200
    assert page.get("/messages/1.eml").status_code == 200


def test_only_the_last_mails_are_kept_and_numbers_go_on(tmp_path):
    box = Box(tmp_path, keep=3)
    for number in range(5):
        box.add("a@example.com", ["b@example.com"], f"Subject: {number}\r\n\r\nx".encode(), NOW)

    assert [one.subject for one in box.newest_first(10)] == ["4", "3", "2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n:09d}.eml" for n in (3, 4, 5)]
    assert box.total == 5


def test_a_restarted_inbox_still_has_its_mails(tmp_path):
    Box(tmp_path, keep=9).add("a@example.com", ["b@example.com"], b"Subject: still here\r\n\r\nx", NOW)

    again = Box(tmp_path, keep=9)
    again.add("a@example.com", ["b@example.com"], b"Subject: new\r\n\r\nx", NOW)

    assert [one.subject for one in again.newest_first(5)] == ["new", "still here"]


def test_a_mail_that_is_gone_says_so(page):
    answer = page.get("/messages/77")

    assert answer.status_code == 404
    assert "keeps only the newest" in answer.text


def test_the_shop_has_pictures(page):
    answer = page.get("/shop/images/p-001.svg")

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.startswith("<svg")
    assert page.get("/shop/images/p-999.svg").status_code == 404
