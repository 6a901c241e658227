"""The gate: what may leave, what never will, and what waits."""

import sqlite3
from datetime import time

import pytest

from senders import Alias, Consent, Exit, Intent, Outcome, Policy, QuietHours, Suppression
from tests.senders.support import DAY, HOUR, MINUTE, NOW, at, consent, decision, gate, plan, send, state


def test_a_due_email_passes_once(ledger):
    plan(ledger, decision())

    assert [len(gate(ledger)), len(gate(ledger))] == [1, 0]
    assert state(ledger) == ("RESERVED", None)


def test_an_email_whose_time_has_not_come_waits(ledger):
    plan(ledger, at(NOW + MINUTE), now=NOW)

    assert gate(ledger, NOW) == []
    assert ledger.next_due() == NOW + MINUTE
    assert len(gate(ledger, NOW + MINUTE)) == 1


def test_a_late_email_expires_instead_of_surprising_someone(ledger):
    plan(ledger, decision())

    assert gate(ledger, NOW + 5 * MINUTE) == []
    assert state(ledger) == ("EXPIRED", "too_late")


def test_nobody_is_mailed_without_consent(ledger):
    ledger.record([decision()], NOW)

    assert gate(ledger) == []
    assert state(ledger) == ("SUPPRESSED", "consent_missing")


def test_a_withdrawal_outweighs_a_consent_under_another_key(ledger):
    plan(ledger, decision())
    ledger.set_consent(Consent(False, NOW - 2 * DAY, person="customer-ada"))

    assert gate(ledger) == []
    assert state(ledger) == ("SUPPRESSED", "consent_withdrawn")


def test_of_consent_and_withdrawal_at_one_instant_the_withdrawal_counts(ledger):
    for granted in (False, True):
        ledger.set_consent(Consent(granted, NOW, address="ada@mail.example"))
    ledger.record([decision()], NOW)

    assert gate(ledger) == []


def test_an_old_consent_that_arrives_late_changes_nothing(ledger):
    consent(ledger, "ada", when=NOW)
    ledger.set_consent(Consent(False, NOW - HOUR, address="ada@mail.example"))
    ledger.record([decision()], NOW)

    assert len(gate(ledger)) == 1


@pytest.mark.parametrize("by", ["address", "person", "decision_id"])
def test_an_unsubscribe_is_effective_before_the_next_gate(ledger, by):
    plan(ledger, decision())
    who = {"address": "ADA@Mail.example ", "person": "customer-ada", "decision_id": "d1"}[by]

    ledger.suppress(Suppression("unsubscribe", NOW, **{by: who}))

    assert gate(ledger) == []
    assert state(ledger) == ("SUPPRESSED", "unsubscribe")


def test_the_weightiest_suppression_is_the_reason(ledger):
    plan(ledger, decision())
    for reason in ("hard_bounce", "complaint", "unsubscribe"):
        ledger.suppress(Suppression(reason, NOW, address="ada@mail.example"))
    gate(ledger)

    assert state(ledger) == ("SUPPRESSED", "complaint")


@pytest.mark.parametrize(("reason", "passes"), [("unsubscribe", 1), ("complaint", 0), ("objection", 0)])
def test_a_fresh_double_opt_in_lifts_an_unsubscribe_but_never_a_complaint(ledger, reason, passes):
    ledger.suppress(Suppression(reason, NOW - HOUR, address="ada@mail.example"))
    ledger.set_consent(Consent(True, NOW, address="ada@mail.example", double_opt_in=True))
    ledger.record([decision()], NOW)

    assert len(gate(ledger)) == passes


def test_a_plain_consent_lifts_nothing(ledger):
    ledger.suppress(Suppression("unsubscribe", NOW - HOUR, address="ada@mail.example"))
    plan(ledger, decision())

    assert gate(ledger) == []


def test_an_exit_after_the_decision_cancels_it(ledger):
    plan(ledger, decision(position=100))
    ledger.add_exits([Exit("visitor-ada", "Order Completed", 100, NOW)])

    assert gate(ledger) == []
    assert state(ledger) == ("CANCELLED", "exit: Order Completed")


def test_an_exit_the_decision_knew_of_does_not_cancel_it(ledger):
    ledger.add_exits([Exit("visitor-ada", "Order Completed", 99, NOW)])
    plan(ledger, decision(position=100))

    assert len(gate(ledger)) == 1


def test_another_event_is_no_exit(ledger):
    plan(ledger, decision())
    ledger.add_exits([Exit("customer-ada", "Product Viewed", 500, NOW)])

    assert len(gate(ledger)) == 1


def test_an_exit_under_an_identity_merged_meanwhile_cancels_too(ledger):
    plan(ledger, decision())
    ledger.learn([Alias("customer-ada", "phone-ada", NOW), Exit("phone-ada", "Order Completed", 200, NOW)])

    assert gate(ledger) == []


def test_the_cap_counts_a_rolling_week(ledger):
    weekly = [at(NOW + day * DAY, number=day) for day in range(8)]
    sent = []
    for each in weekly:
        plan(ledger, each, now=each.qualifies_at)
        sent.append(send(ledger, each.qualifies_at))

    assert sent == [1, 1, 1, 0, 0, 0, 0, 1]
    assert state(ledger, "d3") == ("CAPPED", "cap")


def test_a_cap_of_zero_sends_nothing_and_no_cap_sends_everything(open_ledger):
    none, unset = open_ledger(Policy(cap=0), "zero.sqlite"), open_ledger(Policy(cap=None), "unset.sqlite")
    for ledger in (none, unset):
        ledger.recover(NOW)
        plan(ledger, *(decision(n, trigger_name=f"t{n}") for n in range(9)))

    assert [send(none), send(unset)] == [0, 9]
    assert state(none) == ("CAPPED", "cap_is_zero")


def test_emails_of_one_batch_count_under_each_others_cap(ledger):
    plan(ledger, *(decision(n, trigger_name=f"t{n}") for n in range(5)))

    assert len(gate(ledger)) == 3


def test_merging_two_people_adds_up_their_caps(ledger):
    plan(ledger, *(decision(n, person="ada", trigger_name=f"t{n}") for n in range(2)))
    plan(ledger, *(decision(10 + n, person="bea", trigger_name=f"t{n}") for n in range(2)))
    assert send(ledger) == 4
    ledger.learn([Alias("customer-ada", "customer-bea", NOW)])

    for number, person in ((20, "ada"), (21, "bea")):
        plan(ledger, decision(number, person, trigger_name="later"))

    assert send(ledger) == 0


def test_people_who_share_a_mailbox_share_its_cap(ledger):
    def family(number: int):
        return decision(number, f"child{number}", to_address="family@mail.example", trigger_name=f"t{number}")

    plan(ledger, *(family(number) for number in range(5)))

    assert send(ledger) == 3


def test_one_mailbox_gets_one_email_for_the_same_moment(ledger):
    mother, son = (decision(n, f"p{n}", to_address="family@mail.example") for n in (1, 2))
    plan(ledger, mother, son)

    assert send(ledger) == 1
    assert state(ledger, "d2") == ("CANCELLED", "one_email_per_mailbox")


def test_the_least_gap_holds_between_any_two_emails(open_ledger):
    ledger = open_ledger(Policy(min_gap=DAY))
    ledger.recover(NOW)
    sent = []
    for number, after in enumerate((0 * HOUR, 23 * HOUR, 24 * HOUR)):
        plan(ledger, at(NOW + after, number), now=NOW + after)
        sent.append(send(ledger, NOW + after))

    assert sent == [1, 0, 1]


def test_a_refused_email_gives_its_place_back(ledger):
    plan(ledger, *(decision(n, trigger_name=f"t{n}") for n in range(3)))
    assert send(ledger, outcome=Outcome("rejected", "550 5.7.1 no")) == 3
    plan(ledger, *(decision(10 + n, trigger_name=f"t{n}", entity_id="x") for n in range(1)))

    plan(ledger, at(NOW + HOUR, 20))

    assert send(ledger, NOW + HOUR) == 1


def test_quiet_hours_wait_in_the_persons_own_zone(open_ledger):
    night = QuietHours(time(22), time(8))
    ledger = open_ledger(Policy(quiet_hours=night))
    ledger.recover(NOW)
    tokyo = decision(1, "ada", timezone="Asia/Tokyo")  # 20:00 there
    berlin = decision(2, "bea", timezone="America/Los_Angeles", hold_until=NOW + DAY)  # 03:00 there
    plan(ledger, tokyo, berlin)

    assert len(gate(ledger)) == 1
    assert state(ledger, "d2") == ("PLANNED", "quiet_hours")
    assert ledger.next_due() == NOW + 5 * HOUR
    assert len(gate(ledger, NOW + 5 * HOUR)) == 1


def test_whoever_was_held_has_five_minutes_again_when_the_hold_is_over(open_ledger):
    ledger = open_ledger(Policy(quiet_hours=QuietHours(time(22), time(12))))
    ledger.recover(NOW)
    plan(ledger, *(decision(n, f"p{n}", hold_until=NOW + DAY) for n in range(2)))

    assert gate(ledger) == []
    assert len(ledger.gate([1], NOW + HOUR + 4 * MINUTE).reserved) == 1
    assert ledger.gate([2], NOW + HOUR + 5 * MINUTE).refused == 1
    assert state(ledger, "d1") == ("EXPIRED", "too_late")


def test_nothing_is_held_longer_than_it_may(open_ledger):
    ledger = open_ledger(Policy(quiet_hours=QuietHours(time(22), time(12))))
    ledger.recover(NOW)
    plan(ledger, decision(hold_until=NOW + 30 * MINUTE))

    assert gate(ledger) == []
    assert ledger.next_due() == NOW + 30 * MINUTE
    assert gate(ledger, NOW + 30 * MINUTE) == []
    assert state(ledger) == ("EXPIRED", "too_late")


def test_the_hourly_limit_makes_the_rest_wait_and_loses_nothing(ledger):
    ledger.set_hourly_limit(2, "mia", "warm-up", NOW)
    plan(ledger, *(decision(n, f"p{n}", hold_until=NOW + DAY) for n in range(5)))

    assert [send(ledger, NOW + hour * HOUR) for hour in (0, 1, 2, 3)] == [2, 2, 1, 0]
    assert ledger.sending(NOW).hourly_limit == 2


def test_a_held_email_needs_an_approval_of_exactly_what_was_reviewed(ledger):
    plan(ledger, decision(needs_review=True))
    (held,) = ledger.review_list()
    assert gate(ledger) == []

    with pytest.raises(ValueError, match="is not what was reviewed"):
        ledger.approve("d1", "0" * 64, "mia", "looks fine", NOW)
    ledger.approve("d1", held.content_sha256, "mia", "looks fine", NOW)

    assert len(gate(ledger)) == 1


def test_an_approved_email_leaves_within_five_minutes_or_not_at_all(ledger):
    later = NOW + 2 * HOUR
    plan(ledger, *(decision(n, f"p{n}", needs_review=True, hold_until=NOW + DAY) for n in range(2)))
    for held in ledger.review_list():
        ledger.approve(held.decision_id, held.content_sha256, "mia", "looks fine", later)

    assert ledger.gate([1], later + 4 * MINUTE).reserved == (1,)
    assert ledger.gate([2], later + 5 * MINUTE).refused == 1


def test_a_held_email_that_slipped_past_the_review_is_held_again(ledger, tmp_path):
    plan(ledger, decision(needs_review=True))
    raw = sqlite3.connect(tmp_path / "ledger.sqlite")
    raw.execute("update outbox set state = 'PLANNED'")
    raw.commit()
    raw.close()

    assert gate(ledger) == []
    assert state(ledger) == ("HELD", "needs_review")


def test_a_rejected_email_is_cancelled(ledger):
    plan(ledger, decision(needs_review=True))
    ledger.reject("d1", "mia", "too pushy", NOW)

    assert state(ledger) == ("CANCELLED", "rejected")


def test_a_held_email_nobody_looks_at_expires(ledger):
    plan(ledger, decision(needs_review=True, hold_until=NOW + DAY))

    assert ledger.expire_held(NOW + DAY - MINUTE) == 0
    assert ledger.expire_held(NOW + DAY) == 1
    assert state(ledger) == ("EXPIRED", "not_reviewed_in_time")


def test_the_gate_waits_for_a_clock_that_went_back(ledger):
    plan(ledger, decision(1), decision(2, "bea", qualifies_at=NOW - DAY))
    gate(ledger)
    plan(ledger, decision(3, "cleo", qualifies_at=NOW - DAY))

    assert ledger.gate([3], NOW - MINUTE).brake == "clock_behind"
    assert ledger.gate([3], NOW).reserved == (3,)


@pytest.mark.parametrize(
    "address", ["a b@c.example", "a@b.example, c@d.example", "a@b.example\r\nRCPT TO:<x@y.z>", "@"]
)
def test_an_address_that_is_not_one_plain_mailbox_is_refused(ledger, address):
    ledger.set_consent(Consent(True, NOW, address=address))
    ledger.record([decision(to_address=address)], NOW)

    assert gate(ledger) == []
    assert state(ledger) == ("CANCELLED", "invalid_address")


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (Suppression("unsubscribe", NOW, person="customer-ada"), ("SUPPRESSED", "unsubscribe")),
        (Exit("visitor-ada", "Order Completed", 300, NOW), ("CANCELLED", "exit: Order Completed")),
    ],
)
def test_what_happens_between_gate_and_dot_still_wins(ledger, fact, expected):
    plan(ledger, decision())
    (id,) = gate(ledger)

    ledger.learn([fact])

    assert ledger.commit_dot(id, Intent("sha", NOW), NOW) is False
    assert state(ledger) == expected


def test_an_unsubscribe_at_the_very_instant_of_an_opt_in_counts(ledger):
    """Of two words at the same instant the withdrawal is believed, also when an older one had been lifted."""
    ledger.suppress(Suppression("unsubscribe", NOW - HOUR, address="ada@mail.example"))
    ledger.set_consent(Consent(True, NOW, address="ada@mail.example", double_opt_in=True))
    ledger.record([decision()], NOW)
    ledger.suppress(Suppression("unsubscribe", NOW, address="ada@mail.example"))

    assert gate(ledger) == []
