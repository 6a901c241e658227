"""What mail servers and people answer changes who is mailed next: at once, with the right weight, and as long as it should."""

import pytest

from senders import Ledger, Policy, Suppression
from senders.ledger.facts import Consent, Feedback
from senders.ledger.suppressions import SuppressionError
from tests.senders.support import DAY, HOUR, NOW, SECRET, at, decision, gate, plan, state

ADA = "ada@mail.example"


def answer(kind: str, when=NOW, event_id: str = "e1", **changes) -> Feedback:
    values = {"address": ADA} | changes
    return Feedback(kind=kind, at=when, event_id=event_id, source="postmark", **values)


def refused(ledger: Ledger, number: int, when, person: str = "ada", **changes) -> str | None:
    """Plan one more email and let the gate judge it; the reason, None if it may go."""
    plan(ledger, at(when, number, person, **changes))
    gate(ledger, when)
    return state(ledger, f"d{number}")[1]


def sent(ledger: Ledger, number: int = 1) -> None:
    """One email on its way."""
    from senders import Intent, Outcome

    plan(ledger, decision(number))
    (id,) = gate(ledger, NOW)
    ledger.commit_dot(id, Intent("sha", NOW), NOW)
    ledger.settle(id, Outcome("accepted", "250 ok"), NOW)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("hard_bounce", "hard_bounce"), ("complaint", "complaint"), ("unsubscribe", "unsubscribe")],
)
def test_the_next_email_to_that_mailbox_is_refused(ledger, kind, reason):
    ledger.learn([answer(kind)])

    assert refused(ledger, 1, NOW + HOUR) == reason


def test_a_bounce_is_about_the_mailbox_and_a_complaint_about_the_person(ledger):
    sent(ledger)
    ledger.set_consent(Consent(True, NOW, person="customer-ada"))
    ledger.learn([answer("hard_bounce", decision_id="d1", address=None)])
    assert refused(ledger, 2, NOW + HOUR, to_address="ada@new.example") is None

    ledger.learn([answer("complaint", decision_id="d1", address=None)])
    assert refused(ledger, 3, NOW + 2 * HOUR, to_address="ada@third.example") == "complaint"


def test_who_complains_by_address_alone_is_found_by_what_we_sent_there(ledger):
    sent(ledger)

    ledger.learn([answer("complaint")])

    assert refused(ledger, 2, NOW + HOUR, to_address="ada@new.example") == "complaint"


def test_the_persons_word_weighs_more_than_the_mailboxs(ledger):
    for number in range(3):
        ledger.learn([answer("soft_bounce", event_id=f"s{number}")])
    assert refused(ledger, 1, NOW + HOUR) == "soft_bounces"

    for number, kind in enumerate(("hard_bounce", "unsubscribe", "complaint"), 2):
        ledger.learn([answer(kind)])
        assert refused(ledger, number, NOW + number * HOUR) == kind


def test_suppression_weighs_more_than_missing_consent(ledger):
    ledger.set_consent(Consent(False, NOW, address=ADA))
    ledger.learn([answer("hard_bounce")])

    assert refused(ledger, 1, NOW + HOUR) == "hard_bounce"


def test_the_third_soft_bounce_within_a_week_rests_a_mailbox_for_a_month(ledger):
    for day in (0, 3):
        ledger.learn([answer("soft_bounce", NOW + day * DAY, f"s{day}")])
    assert refused(ledger, 1, NOW + 3 * DAY) is None

    ledger.learn([answer("soft_bounce", NOW + 6 * DAY, "s6")])

    assert refused(ledger, 2, NOW + 6 * DAY) == "soft_bounces"
    assert refused(ledger, 3, NOW + 35 * DAY) == "soft_bounces"
    assert refused(ledger, 4, NOW + 37 * DAY) is None


def test_soft_bounces_further_apart_or_reported_twice_do_not_count(ledger):
    for day in (0, 6, 12):
        ledger.learn(
            [
                answer("soft_bounce", NOW + day * DAY, f"s{day}"),
                answer("soft_bounce", NOW + day * DAY, f"s{day}"),
            ]
        )

    assert refused(ledger, 1, NOW + 12 * DAY) is None


def test_one_email_bounces_once_however_many_tell_of_it(ledger):
    sent(ledger)
    for teller in range(5):
        ledger.learn([answer("soft_bounce", event_id=f"teller-{teller}", decision_id="d1")])

    assert ledger.suppressions(NOW) == []


def test_a_delivery_between_forgives(ledger):
    for day in (0, 1):
        ledger.learn([answer("soft_bounce", NOW + day * DAY, f"s{day}")])
    ledger.learn([answer("delivered", NOW + 2 * DAY, "d")])
    ledger.learn([answer("soft_bounce", NOW + 3 * DAY, "s3")])
    assert refused(ledger, 1, NOW + 3 * DAY) is None

    for day in (4, 5):
        ledger.learn([answer("soft_bounce", NOW + day * DAY, f"s{day}")])
    assert refused(ledger, 2, NOW + 5 * DAY) == "soft_bounces"
    ledger.learn([answer("delivered", NOW + 6 * DAY, "d2")])
    assert refused(ledger, 3, NOW + 6 * DAY) is None


def test_a_repeated_log_changes_nothing(ledger):
    story = [answer("soft_bounce", NOW + day * DAY, f"s{day}") for day in range(3)]
    story.append(answer("delivered", NOW + 4 * DAY, "d"))
    ledger.learn(story)
    ledger.learn(story)

    assert ledger.suppressions(NOW + 5 * DAY) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("delivered", "DELIVERED"),
        ("hard_bounce", "BOUNCED"),
        ("soft_bounce", "BOUNCED"),
        ("complaint", "COMPLAINED"),
    ],
)
def test_the_email_itself_moves_on(ledger, kind, expected):
    sent(ledger)

    ledger.learn([answer(kind, decision_id="d1")] * 2)

    assert state(ledger, "d1")[0] == expected
    assert ledger.verify_chain() is None


def test_what_was_delivered_can_still_come_back_and_be_complained_about(ledger):
    sent(ledger)
    ledger.learn([answer("delivered", decision_id="d1"), answer("hard_bounce", decision_id="d1")])
    assert state(ledger, "d1")[0] == "BOUNCED"
    ledger.learn([answer("delivered", decision_id="d1")])
    assert state(ledger, "d1")[0] == "BOUNCED"


def test_an_email_in_doubt_is_proven_by_the_providers_word(ledger):
    from senders import Intent, Outcome

    plan(ledger, decision(1))
    (id,) = gate(ledger, NOW)
    ledger.commit_dot(id, Intent("sha", NOW), NOW)
    ledger.settle(id, Outcome("lost", "no reply"), NOW)

    ledger.learn([answer("delivered", NOW + HOUR, decision_id="d1")])

    assert state(ledger, "d1")[0] == "DELIVERED"


def test_an_answer_about_an_email_nobody_sent_harms_nothing(ledger):
    ledger.learn([answer("complaint", decision_id="stranger", address=None)])
    ledger.learn([answer("hard_bounce", decision_id="stranger", address="who@else.example")])

    assert [one.reason for one in ledger.suppressions(NOW)] == ["hard_bounce"]


# By hand.


def test_a_person_lifts_what_may_be_lifted(ledger):
    ledger.learn([answer("hard_bounce")])
    for number in range(3):
        ledger.learn([answer("soft_bounce", event_id=f"s{number}")])

    assert ledger.lift_suppression("ann", "typo fixed", NOW + HOUR, address=ADA) == 2

    assert refused(ledger, 1, NOW + HOUR) is None


def test_a_complaint_is_never_lifted_and_an_unsubscribe_only_by_a_new_opt_in(ledger):
    ledger.suppress(Suppression("unsubscribe", NOW, address=ADA))
    with pytest.raises(SuppressionError, match="double-opt-in"):
        ledger.lift_suppression("ann", "please", NOW + HOUR, address=ADA)
    assert ledger.lift_suppression("ann", "form", NOW + HOUR, address=ADA, has_opted_in=True) == 1

    ledger.learn([answer("complaint")])
    with pytest.raises(SuppressionError, match="never"):
        ledger.lift_suppression("ann", "please", NOW + HOUR, address=ADA, has_opted_in=True)


def test_the_list_says_who_why_and_until_when(ledger):
    sent(ledger)
    for number in range(3):
        ledger.learn([answer("soft_bounce", event_id=f"s{number}")])
    ledger.suppress_by_hand("objection", NOW, "ann: by phone", person="customer-bob")

    soft, by_hand = sorted(ledger.suppressions(NOW), key=lambda one: one.reason, reverse=True)

    assert (soft.address, soft.reason, soft.until) == (ADA, "soft_bounces", NOW + 30 * DAY)
    assert (by_hand.person, by_hand.reason, by_hand.until, by_hand.source) == (
        *("customer-bob", "objection", None, "ann: by phone"),
    )


def test_a_ledger_from_before_learns_too(ledger):
    import sqlite3

    ledger.close()
    raw = sqlite3.connect(ledger.path)
    raw.executescript("drop table soft_bounces; drop table bounce_holds; pragma user_version = 1;")
    raw.close()

    reopened = Ledger.open(ledger.path, SECRET, Policy())
    reopened.learn([answer("soft_bounce")])
    reopened.close()
