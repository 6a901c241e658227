"""The ledger: what it keeps, what it refuses, and who may write."""

import sqlite3
import threading

import pytest

from senders import Intent, Outcome, Policy, SenderBusy, StaleSender
from tests.senders.support import HOUR, MINUTE, NOW, decision, gate, plan, send, state


def test_recording_again_changes_nothing(ledger):
    plan(ledger, decision())

    assert ledger.record([decision(subject="another")], NOW + HOUR) == 0
    assert ledger.counts()["states"] == {"PLANNED": 1}


def test_a_refused_candidate_is_remembered_with_its_reasons(ledger):
    ledger.record([decision(should_send=False, reasons={"has_consent": False}, to_address=None)], NOW)

    (found,) = ledger.explain(person="visitor-ada")
    assert (found.state, found.reasons) == (None, {"has_consent": False})


def test_an_email_can_be_followed_by_address_person_and_id(ledger):
    plan(ledger, decision())
    send(ledger)

    views = [
        ledger.explain(**by)
        for by in ({"address": "Ada@mail.example"}, {"person": "customer-ada"}, {"decision_id": "d1"})
    ]
    assert views[0] == views[1] == views[2]
    assert [entry.event for entry in views[0][0].history] == ["PLANNED", "RESERVED", "DOT_SENT", "SENT"]


def test_a_receipt_carries_the_waterfall_and_the_cursor_moves_on(ledger):
    plan(ledger, decision(timings={"occurred": 1.0, "received": 2.0}))
    send(ledger)

    (receipt,) = ledger.receipts_after(ledger.export_cursor())
    ledger.set_export_cursor(receipt.seq, NOW)

    assert receipt.outcome == "SENT"
    assert set(receipt.timings) == {
        "occurred",
        "received",
        "recorded",
        "gated",
        "rendered",
        "dot",
        "accepted",
    }
    assert ledger.receipts_after(ledger.export_cursor()) == []


def test_counts_say_why_the_refused_were_refused(ledger):
    plan(ledger, *(decision(n, trigger_name=f"t{n}") for n in range(4)))
    send(ledger)

    counts = ledger.counts()
    assert (counts["considered"], counts["states"]) == (4, {"SENT": 3, "CAPPED": 1})
    assert counts["refused"] == {"CAPPED: cap": 1}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("accepted", "250 ok"), "SENT"),
        (Outcome("deferred", "451 later"), "PLANNED"),
        (Outcome("rejected", "550 no"), "FAILED"),
        (Outcome("lost", "timeout"), "IN_DOUBT"),
        (Outcome("undotted", "slow disk"), "PLANNED"),
    ],
)
def test_every_reply_to_the_dot_leads_to_its_state(ledger, outcome, expected):
    plan(ledger, decision())

    send(ledger, outcome=outcome)

    assert state(ledger)[0] == expected


def test_a_reply_without_an_intent_changes_nothing(ledger):
    plan(ledger, decision())
    (id,) = gate(ledger)

    ledger.settle(id, Outcome("accepted", "250 ok"), NOW)

    assert state(ledger)[0] == "RESERVED"


def test_a_refused_mailbox_is_suppressed_but_a_refused_sender_is_not(ledger):
    plan(ledger, decision(1, "ada"), decision(2, "bea"))
    ids = gate(ledger)
    ledger.settle(ids[0], Outcome("rejected", "RCPT: 550 5.1.1 no such user"), NOW)
    ledger.settle(ids[1], Outcome("rejected", "RCPT: 550 5.1.8 bad sender"), NOW)

    plan(ledger, decision(3, "ada", trigger_name="x"), decision(4, "bea", trigger_name="x"))
    gate(ledger)

    assert [state(ledger, "d3"), state(ledger, "d4")[0]] == [("SUPPRESSED", "hard_bounce"), "RESERVED"]


def test_retries_back_off_and_end_at_the_expiry(ledger):
    plan(ledger, decision())
    instants = []
    while (due := ledger.next_due()) is not None:
        instants.append((due - NOW).total_seconds())
        send(ledger, due, Outcome("deferred", "451 later"))

    assert instants == [0, 5, 20, 65, 200, 300]
    assert state(ledger) == ("EXPIRED", "too_late")


def test_a_doubtful_email_rests_then_is_asked_about_then_counts_as_sent(ledger):
    plan(ledger, decision())
    send(ledger, outcome=Outcome("lost", "timeout"))
    asked = []

    def resolver(doubt):
        asked.append(doubt.decision_id)
        return "unknown"

    steps = [
        ledger.resolve_in_doubt(NOW + after, resolver) for after in (10 * MINUTE, 11 * MINUTE, 26 * HOUR)
    ]

    assert steps == [{}, {"IN_DOUBT": 1}, {"UNKNOWN": 1}]
    assert asked == ["d1", "d1"]


@pytest.mark.parametrize(("verdict", "expected"), [("accepted", "SENT"), ("absent", "PLANNED")])
def test_proof_from_the_provider_ends_the_doubt(ledger, verdict, expected):
    plan(ledger, decision())
    send(ledger, outcome=Outcome("lost", "timeout"))

    ledger.resolve_in_doubt(NOW + HOUR, lambda doubt: verdict)

    assert state(ledger)[0] == expected


def test_a_kept_place_under_the_cap_is_not_taken_twice_by_a_retry(ledger):
    plan(ledger, *(decision(n, trigger_name=f"t{n}", expires_at=NOW + HOUR) for n in range(3)))
    send(ledger, outcome=Outcome("deferred", "451 later"))
    plan(ledger, decision(9, trigger_name="other", expires_at=NOW + HOUR))

    assert send(ledger, NOW + MINUTE) == 3
    assert state(ledger, "d9") == ("CAPPED", "cap")


def test_no_state_can_be_reached_off_the_edges(ledger, tmp_path):
    plan(ledger, decision())
    raw = sqlite3.connect(tmp_path / "ledger.sqlite")

    for statement, problem in (
        ("update outbox set state = 'SENT'", "no such edge"),
        ("update outbox set state = 'LOST'", "CHECK|no such edge"),
        ("delete from outbox", "forgets nothing"),
        ("update audit set event = 'SENT'", "append-only"),
        ("delete from audit", "append-only"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=problem):
            raw.execute(statement)
    raw.close()


@pytest.mark.parametrize(
    "tampering",
    [
        "update audit set detail = '{}' where seq = 2",
        "update audit set at_us = at_us + 1 where seq = 3",
        "delete from audit where seq = 4",
        "update audit set seq = seq + 100 where seq = 5",
        "delete from audit where seq = (select max(seq) from audit)",
        "update audit set event = 'SENT' where event = 'RESERVED'",
    ],
)
def test_tampering_with_the_audit_is_found(ledger, tmp_path, tampering):
    plan(ledger, decision(1), decision(2, "bea"))
    send(ledger)
    assert ledger.verify_chain() is None

    raw = sqlite3.connect(tmp_path / "ledger.sqlite")
    raw.executescript("drop trigger audit_is_append_only; drop trigger audit_keeps_everything")
    raw.execute(tampering)
    raw.commit()
    raw.close()

    assert ledger.verify_chain() is not None


def test_a_state_changed_behind_the_audits_back_is_found(ledger, tmp_path):
    plan(ledger, decision())
    raw = sqlite3.connect(tmp_path / "ledger.sqlite")
    raw.execute("update outbox set state = 'CANCELLED'")
    raw.commit()
    raw.close()

    assert "the audit says PLANNED" in ledger.verify_chain().problem


def test_only_one_process_can_be_the_sender(ledger, open_ledger):
    second = open_ledger()

    with pytest.raises(SenderBusy, match="is already sending from this ledger"):
        second.recover(NOW)
    ledger.close()
    assert second.recover(NOW).epoch == 2


def test_a_sender_that_was_overtaken_loses_all_its_writes(ledger, open_ledger, tmp_path):
    plan(ledger, decision(1), decision(2, "bea"))
    (id, *_) = gate(ledger)
    (tmp_path / "ledger.sqlite.lock").unlink()  # somebody "cleaned up": the epoch has to hold alone
    open_ledger().recover(NOW)

    for attempt in (
        lambda: ledger.commit_dot(id, Intent("sha", NOW), NOW),
        lambda: ledger.settle(id, Outcome("accepted"), NOW),
        lambda: ledger.gate([id], NOW),
    ):
        with pytest.raises(StaleSender, match="took over"):
            attempt()


def test_who_never_took_the_fence_cannot_gate(open_ledger):
    with pytest.raises(StaleSender, match="call recover"):
        open_ledger().gate([1], NOW)


def test_one_bad_decision_does_not_take_its_neighbours_along(ledger):
    with pytest.raises(ValueError, match="decision d2 should be sent but has no address"):
        ledger.record([decision(1), decision(2, to_address=None)], NOW)

    threads = [
        threading.Thread(target=ledger.record, args=([decision(n, f"p{n}")], NOW)) for n in range(10, 40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.counts()["states"] == {"PLANNED": 30}


def test_pausing_in_another_process_stops_the_dot(ledger, open_ledger):
    plan(ledger, decision())
    (id,) = gate(ledger)

    open_ledger().pause("mia", "wrong prices", NOW)

    assert ledger.commit_dot(id, Intent("sha", NOW), NOW) is False
    assert ledger.claim_due(NOW) == []
    status = ledger.sending(NOW)
    assert (status.state, status.who, status.why) == ("paused", "mia", "wrong prices")


def test_the_policy_is_what_the_gate_enforces_even_for_old_plans(open_ledger):
    first = open_ledger()
    plan(first, decision())
    first.close()
    second = open_ledger(Policy(cap=0))
    second.recover(NOW)

    assert gate(second) == []
    assert state(second) == ("CAPPED", "cap_is_zero")
