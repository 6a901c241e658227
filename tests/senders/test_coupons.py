"""Coupons: nobody guesses a code, and nobody gets a shorter deadline than was promised."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from senders import Composer, FileTransport, Outcome, Policy, QuietHours
from senders.coupons import code_of, deadline, deadline_text, id_of
from tests.senders.support import (
    CART,
    HOUR,
    IDENTITY,
    MINUTE,
    NOW,
    RENDERER,
    SECRET,
    SHOP,
    at,
    decision,
    dispatcher,
    gate,
    plan,
    send,
)

OFFER = {"percent": 10, "valid_hours": 4}
CODE = re.compile(r"Your code: (\S+)\s+Valid until (.+)\. Enter")


def with_coupon(number=1, person="ada", **changes):
    """The second email about a cart, with a coupon."""
    return decision(
        number,
        person,
        template="cart_abandonment/touch_2",
        content={**CART, "coupon_offer": OFFER},
        **changes,
    )


def printed(ledger, id=1):
    """(code, deadline) as the email says them."""
    (job,) = ledger.jobs([id])
    message = Composer(RENDERER, IDENTITY, SHOP).compose(job)
    parsed = email.message_from_bytes(message.raw, policy=email.policy.SMTP)
    return CODE.search(parsed.get_body(("plain",)).get_content()).groups()


# -- codes


def test_every_email_has_a_code_of_its_own_that_leads_back_to_it():
    codes = [code_of(id, f"d{id}", SECRET) for id in (1, 2, 30**5 - 1, 30**5, 2**40)]

    assert [id_of(code, SECRET) for code in codes] == [1, 2, 30**5 - 1, 30**5, 2**40]
    assert re.fullmatch(r"([2-9A-HJKMNP-TV-Z]{4}-){2}[2-9A-HJKMNP-TV-Z]{4}", codes[0])
    assert len({code[:7] for code in codes}) == 5  # neighbours do not look alike


def test_without_the_secret_there_is_no_code():
    assert code_of(1, "d1", b"another secret") != code_of(1, "d1", SECRET)
    assert id_of(code_of(1, "d1", b"another secret"), SECRET) != 1


@pytest.mark.parametrize(
    "typed", ["", "SHORT", "not a code at all", "0OIL-UUUU-0000", "é" * 12, "2" * 99, "\ud800"]
)
def test_what_cannot_be_a_code_is_unknown(ledger, typed):
    assert id_of(typed, SECRET) == -1
    assert ledger.verify_coupon(typed, NOW) is None


# -- the deadline


def test_the_deadline_is_a_whole_minute_and_never_earlier_than_promised():
    assert deadline(NOW, 4) == NOW + 4 * HOUR
    assert deadline(NOW + timedelta(microseconds=1), 4) == NOW + 4 * HOUR + MINUTE
    assert deadline(NOW + timedelta(seconds=59), 0.5) == NOW + 31 * MINUTE


@pytest.mark.parametrize(
    ("from_", "hours", "zone", "default", "says"),
    [
        ("2026-11-23T13:40", 4, "Europe/Berlin", "UTC", "today at 18:40"),
        ("2026-11-23T20:10", 12, "Europe/Berlin", "UTC", "tomorrow at 09:10"),
        ("2026-11-23T20:10", 72, "Europe/Berlin", "UTC", "Thursday, 26 November at 21:10"),
        ("2026-11-23T21:00", 4, "America/New_York", "UTC", "today at 20:00"),
        ("2026-11-23T13:40", 4, None, "UTC", "today at 17:40 UTC"),
        ("2026-11-23T13:40", 4, "No/Such_Zone", "Europe/Berlin", "today at 18:40 CET"),
        ("2026-11-23T13:40", 4, None, "America/Sao_Paulo", "today at 14:40 UTC-03"),
        # 02:30 comes twice that night, and the person must know which one
        ("2026-10-24T21:30", 4, "Europe/Berlin", "UTC", "tomorrow at 02:30 CET"),
        ("2026-10-24T20:30", 4, "Europe/Berlin", "UTC", "tomorrow at 02:30 CEST"),
    ],
)
def test_the_deadline_is_told_by_the_persons_own_clock(from_, hours, zone, default, says):
    sent = datetime.fromisoformat(from_).replace(tzinfo=UTC)

    assert deadline_text(deadline(sent, hours), sent, zone, default) == says


def test_an_email_prints_code_and_deadline(ledger):
    plan(ledger, with_coupon(timezone="Europe/Berlin"))

    gate(ledger, NOW + MINUTE)

    assert printed(ledger) == (code_of(1, "d1", SECRET), "today at 16:01")


def test_an_email_without_a_coupon_prints_none(ledger):
    plan(ledger, decision(template="cart_abandonment/touch_2"))
    gate(ledger)

    (job,) = ledger.jobs([1])
    assert b"coupon-code" not in Composer(RENDERER, IDENTITY, SHOP).compose(job).raw
    assert ledger.verify_coupon(code_of(1, "d1", SECRET), NOW) is None


def test_who_waits_for_quiet_hours_loses_none_of_the_time(open_ledger):
    night = QuietHours(time(9), time(15))
    ledger = open_ledger(Policy(quiet_hours=night))
    ledger.recover(NOW)
    plan(ledger, with_coupon(hold_until=NOW + 12 * HOUR))

    assert (gate(ledger), gate(ledger, NOW + 4 * HOUR)) == ([], [1])

    assert printed(ledger)[1] == "today at 19:00 UTC"


def test_an_email_that_could_not_be_built_and_is_approved_hours_later_counts_from_then(ledger):
    plan(ledger, with_coupon(hold_until=NOW + 12 * HOUR))
    ids = gate(ledger)
    ledger.settle_all({id: Outcome("unrenderable", "a typo") for id in ids}, NOW).result()

    held = ledger.review_show("d1")
    ledger.approve("d1", held.content_sha256, "mia", "mended", NOW + 5 * HOUR)

    assert gate(ledger, NOW + 5 * HOUR) == [1]
    assert printed(ledger)[1] == "today at 20:00 UTC"


@pytest.mark.parametrize(("minutes_later", "says"), [(15, "today at 15:00 UTC"), (16, "today at 15:16 UTC")])
def test_a_quick_retry_keeps_its_deadline_and_a_slow_one_gets_a_new_one(ledger, minutes_later, says):
    plan(ledger, with_coupon(expires_at=NOW + 2 * HOUR))
    send(ledger, outcome=Outcome("deferred", "451 later"))

    assert gate(ledger, NOW + minutes_later * MINUTE) == [1]

    assert printed(ledger)[1] == says


@pytest.mark.parametrize("delay", range(0, 90, 7))
def test_however_late_a_retry_is_the_full_time_is_honoured(ledger, delay):
    """The code works from the dot for at least as long as was promised."""
    plan(ledger, with_coupon(expires_at=NOW + 2 * HOUR))
    send(ledger, outcome=Outcome("deferred", "451 later"))
    later = NOW + max(delay * MINUTE, timedelta(seconds=10))

    assert send(ledger, later) == 1

    last = later + 4 * HOUR - timedelta(seconds=1)
    assert ledger.verify_coupon(code_of(1, "d1", SECRET), last).standing == "valid"


# -- is it good?


def test_a_code_is_good_until_its_deadline_and_the_grace(ledger, tmp_path):
    plan(ledger, with_coupon())
    dispatcher(ledger, FileTransport(tmp_path / "outbox")).drain(NOW)
    code = code_of(1, "d1", SECRET)

    found = ledger.verify_coupon(code, NOW + 4 * HOUR)
    assert (found.standing, found.percent, found.expires_at) == ("valid", 10, NOW + 4 * HOUR)
    assert (found.decision_id, found.customer_id) == ("d1", "customer-ada")

    late = ledger.verify_coupon(code, NOW + 4 * HOUR + Policy().redate_after)
    assert (late.standing, late.expires_at) == ("expired", NOW + 4 * HOUR)


def test_a_code_may_be_typed_as_people_type(ledger):
    plan(ledger, with_coupon())
    send(ledger)
    code = code_of(1, "d1", SECRET)

    assert ledger.verify_coupon(f" {code.lower().replace('-', ' ')}", NOW).standing == "valid"


def test_a_code_with_one_wrong_character_is_unknown(ledger):
    plan(ledger, with_coupon())
    send(ledger)
    code = code_of(1, "d1", SECRET)

    for place, char in enumerate(code):
        other = "3" if char == "2" else "2"
        assert char == "-" or ledger.verify_coupon(code[:place] + other + code[place + 1 :], NOW) is None


def test_a_code_that_was_never_sent_is_not_good(ledger):
    plan(ledger, with_coupon(), with_coupon(2, "bea"))
    code = code_of(1, "d1", SECRET)

    assert ledger.verify_coupon(code, NOW).standing == "not_sent"
    send(ledger, NOW + HOUR)  # too late for it
    assert (ledger.verify_coupon(code, NOW).standing, ledger.verify_coupon(code, NOW).state) == (
        "not_sent", "EXPIRED",
    )  # fmt: skip


def test_an_email_nobody_knows_the_fate_of_counts_as_sent(ledger):
    plan(ledger, with_coupon())
    send(ledger, outcome=Outcome("lost", "timeout"))

    assert ledger.verify_coupon(code_of(1, "d1", SECRET), NOW).standing == "valid"


def test_a_restored_ledger_gives_nobody_the_coupon_of_somebody_else(open_ledger):
    """The same row number, another decision: the code of the lost one stays unknown."""
    before, after = open_ledger(name="lost.sqlite"), open_ledger(name="restored.sqlite")
    for ledger, one in ((before, with_coupon()), (after, replace(with_coupon(), decision_id="d9"))):
        ledger.recover(NOW)
        plan(ledger, one)
        send(ledger)

    assert after.verify_coupon(printed(before)[0], NOW) is None


def test_what_a_reviewer_approves_contains_the_offer(ledger):
    plan(ledger, replace(with_coupon(), needs_review=True), at(NOW, 2, "bea", needs_review=True))

    assert ledger.review_show("d1").content["coupon_offer"] == OFFER
    assert ledger.review_show("d1").content_sha256 != ledger.review_show("d2").content_sha256
