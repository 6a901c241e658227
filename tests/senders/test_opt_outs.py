"""Less mail, as a person chose: no more about one trigger, or none for a while."""

import sqlite3

import pytest

from senders import Consent, Ledger, OptOut, Policy, Suppression
from tests.senders.support import DAY, HOUR, MINUTE, NOW, SECRET, at, decision, gate, plan, state

CART, PAGE = "cart_abandonment", "page_depth"


def later(number: int, hours: int, **changes):
    return at(NOW + hours * HOUR, number, **changes)


@pytest.fixture
def mailed(ledger: Ledger) -> Ledger:
    """Ada got an email, whose link she follows."""
    ledger.recover(NOW)
    plan(ledger, decision(1))
    return ledger


def verdict(ledger: Ledger, *decisions) -> list:
    when = max(each.qualifies_at for each in decisions)
    plan(ledger, *decisions, now=when)
    gate(ledger, when)
    return [state(ledger, each.decision_id) for each in decisions]


def test_no_more_about_one_trigger_leaves_the_others(mailed):
    mailed.learn([OptOut("d1", NOW, trigger_name=CART)])

    assert verdict(mailed, later(2, 1), later(3, 1, trigger_name=PAGE)) == [
        ("SUPPRESSED", "topic_opt_out"),
        ("RESERVED", None),
    ]


def test_a_pause_ends_at_its_instant(mailed):
    mailed.learn([OptOut("d1", NOW, until=NOW + 30 * DAY)])

    assert verdict(mailed, later(2, 719)) == [("SUPPRESSED", "pause")]
    assert verdict(mailed, later(3, 720)) == [("RESERVED", None)]


def test_it_counts_under_the_mailbox_whoever_the_next_email_is_about(mailed):
    mailed.learn([OptOut("d1", NOW, until=NOW + DAY)])

    other = later(2, 1, visitor_id="phone", customer_id="somebody")

    assert verdict(mailed, other) == [("SUPPRESSED", "pause")]


def test_the_longer_of_two_pauses_counts_and_repeating_changes_nothing(mailed):
    facts = [OptOut("d1", NOW, until=NOW + 3 * DAY), OptOut("d1", NOW + MINUTE, until=NOW + DAY)]
    mailed.learn(facts)
    mailed.learn(facts)

    assert verdict(mailed, later(2, 71)) == [("SUPPRESSED", "pause")]
    assert [entry.event for entry in mailed.history_of(person="customer-ada")].count("opted_out") == 1


def test_unsubscribing_weighs_more_than_a_pause_and_outlasts_it(mailed):
    mailed.learn([Suppression("unsubscribe", NOW, decision_id="d1"), OptOut("d1", NOW, until=NOW + DAY)])

    assert verdict(mailed, later(2, 25)) == [("SUPPRESSED", "unsubscribe")]


def test_a_fresh_double_opt_in_takes_back_what_was_chosen_before(mailed):
    mailed.learn([OptOut("d1", NOW, trigger_name=CART), OptOut("d1", NOW, until=NOW + DAY)])
    mailed.learn([Consent(True, NOW + MINUTE, person="customer-ada", double_opt_in=True)])
    mailed.learn([Consent(True, NOW + MINUTE, address="ada@mail.example", double_opt_in=True)])

    assert verdict(mailed, later(2, 1)) == [("RESERVED", None)]


def test_it_stops_an_email_whose_body_is_already_written(mailed):
    from senders import Intent

    (id,) = gate(mailed, NOW)
    mailed.learn([OptOut("d1", NOW, until=NOW + DAY)])

    assert mailed.commit_dots({id: Intent("sha", NOW)}, NOW) == set()
    assert state(mailed, "d1") == ("SUPPRESSED", "pause")


def test_neither_about_something_nor_for_a_while_is_no_opt_out():
    with pytest.raises(ValueError, match="suppression"):
        OptOut("d1", NOW)


def test_a_ledger_without_the_table_gets_it_and_an_older_kairos_leaves_it_alone(ledger):
    ledger.close()
    raw = sqlite3.connect(ledger.path)
    raw.executescript("drop table opt_outs; pragma user_version = 1")

    reopened = Ledger.open(ledger.path, SECRET, Policy())

    assert raw.execute("select count(*) from opt_outs").fetchone() == (0,)
    assert raw.execute("pragma user_version").fetchone()[0] >= 2
    raw.close()
    reopened.close()
