"""Emails that wait for a person: what the person sees and notes, and what the log hears of it."""

import sqlite3

import pytest

from senders import Outcome, ReviewError
from senders.ledger.views import _RECEIPT
from tests.senders.support import HOUR, MINUTE, NOW, decision, gate, plan, send, state


def held(number=1, person="ada", **changes):
    return decision(
        number, person, needs_review=True, review_reason="cart_value, vip_customer",
        hold_until=NOW + 12 * HOUR, **changes,
    )  # fmt: skip


def test_an_email_waits_for_the_reason_the_models_gave(ledger):
    plan(ledger, held(), decision(2, "bea", needs_review=True))

    assert [(each.decision_id, each.reason) for each in ledger.review_list()] == [
        ("d1", "cart_value, vip_customer"),
        ("d2", "needs_review"),
    ]


def test_a_reason_of_an_email_that_is_not_held_holds_nothing(ledger):
    plan(ledger, decision(review_reason="cart_value"))

    assert ledger.review_list() == [] and gate(ledger) == [1]


def test_a_wait_counts_from_when_it_was_last_held(ledger):
    plan(ledger, held(), decision(2, "bea", hold_until=NOW + 12 * HOUR))
    assert gate(ledger, NOW + MINUTE) == [2]
    ledger.settle_all({2: Outcome("unrenderable", "a typo")}, NOW + MINUTE).result()

    assert [each.held_since for each in ledger.review_list()] == [NOW, NOW + MINUTE]


def test_a_note_stands_beside_the_email_and_changes_nothing_in_it(ledger):
    plan(ledger, held())
    before = ledger.review_show("d1")

    ledger.edit_note("d1", "ask Tom about the price", "mia", NOW)
    ledger.edit_note("d1", "price is right", "tom", NOW + MINUTE)

    after = ledger.review_show("d1")
    assert (before.note, after.note) == (None, "price is right")
    assert after.content_sha256 == before.content_sha256
    ledger.approve("d1", before.content_sha256, "tom", "fine", NOW + MINUTE)
    assert gate(ledger, NOW + MINUTE) == [1]


def test_the_audit_remembers_every_note(ledger):
    plan(ledger, held())
    ledger.edit_note("d1", "first", "mia", NOW)
    ledger.edit_note("d1", "second", "tom", NOW)

    (found,) = ledger.explain(decision_id="d1")
    noted = [entry.detail for entry in found.history if entry.event == "note"]
    assert noted == [{"who": "mia", "why": "first"}, {"who": "tom", "why": "second"}]
    assert ledger.verify_chain() is None


@pytest.mark.parametrize("decision_id", ["d1", "nobody"])
def test_only_a_waiting_email_can_be_noted(ledger, decision_id):
    plan(ledger, decision())

    with pytest.raises(ReviewError, match="no held email"):
        ledger.edit_note(decision_id, "too late", "mia", NOW)


def test_what_a_person_decided_is_told_without_their_name_and_words(ledger):
    plan(ledger, held(1), held(2, "bea"))
    seen = ledger.review_show("d1")
    ledger.approve("d1", seen.content_sha256, "mia", "Ada asked for it", NOW)
    ledger.reject("d2", "mia", "Bea is angry", NOW)
    send(ledger)

    told = ledger.receipts_after(0)

    assert [(each.decision_id, each.outcome, each.reason) for each in told] == [
        ("d1", "APPROVED", None),
        ("d2", "REJECTED", None),
        ("d2", "CANCELLED", "rejected"),
        ("d1", "SENT", None),
    ]
    assert {each.template for each in told} == {"cart_abandonment/touch_1"}
    (found,) = ledger.explain(decision_id="d2")
    assert {"who": "mia", "why": "Bea is angry"} in [entry.detail for entry in found.history]
    assert state(ledger, "d2") == ("CANCELLED", "rejected")


def test_receipts_are_found_without_reading_the_whole_audit(ledger):
    raw = sqlite3.connect(ledger.path)
    steps = raw.execute(f"explain query plan {_RECEIPT}", (0, 1)).fetchall()
    raw.close()

    assert any("audit_exports" in step[3] for step in steps), steps
