"""Mails that come back are understood, whoever wrote them: who, hard or soft, and nothing where there is nothing."""

from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.bounces.meaning import read_reply
from collector.bounces.read import read_mail
from collector.bounces.score import score
from tests.collector.bounce_mails import COMPLAINT, NOTHING, REPORTS, TEXTS, exim, mail, report

LABELLED = Path(__file__).resolve().parents[3] / "shared" / "data" / "bounces"


@pytest.mark.parametrize(("raw", "kind"), TEXTS)
def test_a_text_for_people_is_understood(raw, kind):
    reading = read_mail(raw)

    (bounce,) = reading.bounces
    assert (bounce.recipient, bounce.kind) == ("ann@example.org", kind)


@pytest.mark.parametrize(("status", "diagnostic", "kind"), REPORTS)
def test_a_delivery_report_is_understood(status, diagnostic, kind):
    (bounce,) = read_mail(report(status, diagnostic)).bounces

    assert (bounce.recipient, bounce.kind) == ("ann@example.org", kind)


@pytest.mark.parametrize("raw", NOTHING)
def test_what_is_no_bounce_is_none(raw):
    assert read_mail(raw).worst.kind == "none"


def test_a_delayed_mail_is_not_lost_yet():
    (bounce,) = read_mail(report("4.1.1", "450 4.1.1 User unknown", "delayed")).bounces

    assert (bounce.kind, bounce.action) == ("soft", "delayed")


def test_each_recipient_of_a_report_has_an_answer_of_their_own():
    other = (
        "Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.2.2\r\n"
        "Diagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n"
    )

    found = read_mail(report("5.1.1", "550 5.1.1 no such user", more=other)).bounces

    assert [(bounce.recipient, bounce.kind) for bounce in found] == [
        ("ann@example.org", "hard"),
        ("bob@example.org", "soft"),
    ]


def test_our_email_is_found_by_what_came_back_and_by_where_it_came_to():
    by_id = read_mail(report("5.1.1", "550 5.1.1 no such user"))
    text = mail("<ann@example.org>: 550 5.1.1 no such user")
    by_address = read_mail(text.replace(b"<shop@example.com>", b"<b+d2.00112233445566aa@example.com>"))

    assert by_id.decision_id == "d1"
    assert by_address.decision_id == "d2"


def test_verp_names_the_recipient_where_the_text_does_not():
    raw = mail("Your mail could not be delivered: mailbox unknown.")

    reading = read_mail(raw.replace(b"<shop@example.com>", b"<bounces+ann=example.org@example.com>"))

    assert (reading.verp, reading.worst.recipient, reading.worst.kind) == ("ann@example.org",) * 2 + ("hard",)


def test_a_mailbox_that_was_there_at_rcpt_is_not_unknown_after_data():
    before = read_reply("550 unknown user (in reply to RCPT TO command)")
    after = read_reply("550 unknown user (in reply to end of DATA command)")

    assert (before.is_hard, after.is_hard, after.reason) == (True, False, "filtered")


@given(
    st.binary(max_size=2_000),
    st.sampled_from([COMPLAINT, exim("Unrouteable address"), report("5.1.1", "550 x")]),
)
@settings(max_examples=150, deadline=None)
def test_a_broken_mail_harms_nobody(noise, whole):
    for raw in (noise, whole[: len(noise)] + noise + whole[len(noise) :]):
        assert read_mail(raw).bounces


@pytest.mark.skipif(not LABELLED.exists(), reason="the labelled mails are not here: ../shared/data/bounces")
@pytest.mark.parametrize("half", ["a", "b"])
def test_labelled_mails_are_read_as_labelled(half):
    found = score(LABELLED / "labels.csv", LABELLED / "eml", half)

    assert found.right / found.total >= 0.95
    assert found.confusion["hard", "none"] == found.confusion["complaint", "none"] == found.nameless == 0


@pytest.mark.parametrize(
    "noise", ["a" * 300_000, "-" * 300_000, "mailbox a@b.cc " * 20_000, "<style " * 40_000, "\n" * 300_000]
)
def test_a_hostile_mail_costs_no_more_than_a_second(noise):
    started = perf_counter()

    for kind in ("plain", "html"):
        raw = mail(noise, "failure").replace(b"Subject:", f"Content-Type: text/{kind}\r\nSubject:".encode())
        read_mail(raw)

    assert perf_counter() - started < 3
