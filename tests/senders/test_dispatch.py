"""The dispatcher, and by name the wounds of others that must not happen here."""

import shutil
import time
from datetime import timedelta

import pytest

from senders import (
    Exit,
    FileTransport,
    Ledger,
    Policy,
    SenderBusy,
    SmtpSettings,
    SmtpTransport,
    Suppression,
    Throttle,
)
from tests.senders.sink import accepted
from tests.senders.support import (
    CART,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECRET,
    at,
    decision,
    dispatcher,
    plan,
    running_sink,
    send,
    state,
)


@pytest.fixture
def outbox(tmp_path):
    return FileTransport(tmp_path / "outbox")


def mails(tmp_path):
    return sorted(path.stem for path in (tmp_path / "outbox").glob("*.eml"))


def test_what_is_due_is_sent_and_what_is_not_waits(ledger, outbox, tmp_path):
    plan(ledger, decision(1, "ada"), at(NOW + MINUTE, 2, "bea"))
    sender = dispatcher(ledger, outbox)

    assert [sender.drain(NOW), sender.drain(NOW), sender.drain(NOW + MINUTE)] == [1, 0, 1]
    assert mails(tmp_path) == ["d1", "d2"]


def test_two_overlapping_senders_send_once(ledger, outbox, open_ledger, tmp_path):
    """Mautic #3669, #2215: overlapping cron jobs mail everybody twice."""
    plan(ledger, decision())
    ours, theirs = dispatcher(ledger, outbox), open_ledger()

    with pytest.raises(SenderBusy):
        theirs.recover(NOW)
    ours.drain(NOW)
    ledger.close()
    theirs.recover(NOW)

    assert dispatcher(theirs, outbox).drain(NOW) == 0
    assert mails(tmp_path) == ["d1"]


def test_pause_and_resume_sends_the_rest_and_nothing_again(ledger, outbox):
    """listmonk #2070: resuming a campaign mailed everybody again."""
    plan(ledger, decision(1, "ada"))
    sender = dispatcher(ledger, outbox)
    sender.drain(NOW)
    ledger.pause("mia", "wrong prices", NOW)
    plan(ledger, decision(2, "bea"))

    paused = sender.drain(NOW)
    ledger.resume("mia", "corrected", NOW + MINUTE)

    assert [paused, sender.drain(NOW + MINUTE)] == [0, 1]


def test_a_restart_in_mid_batch_neither_repeats_nor_forgets(ledger, open_ledger, outbox, tmp_path):
    """listmonk #2313, #3022: a restart began from the beginning, or behind what was fetched."""
    plan(ledger, *(decision(n, f"p{n}") for n in range(6)))
    first = ledger.gate([due.id for due in ledger.claim_due(NOW, 3)], NOW).reserved
    assert len(first) == 3
    ledger.close()
    restarted = open_ledger()

    recovery = restarted.recover(NOW)

    assert (recovery.replanned, recovery.in_doubt) == (3, 0)
    assert dispatcher(restarted, outbox).drain(NOW) == 6
    assert len(mails(tmp_path)) == 6


def test_one_5xx_in_a_batch_harms_nobody_else(ledger, tmp_path):
    """Mautic #7226: one 554 resent the others endlessly."""
    log = tmp_path / "accepted.log"
    plan(ledger, *(decision(n, f"p{n}") for n in range(20)))
    with running_sink(log, "--permanent=0.2", "--seed=3") as port:
        sender = dispatcher(ledger, SmtpTransport(SmtpSettings("127.0.0.1", port, security="none")))
        for minute in range(3):
            sender.drain(NOW + minute * MINUTE)
        sender.stop()

    states = ledger.counts()["states"]
    assert states["FAILED"] > 0
    assert sorted(accepted(log)) == sorted({*accepted(log)})
    assert states["SENT"] == len(accepted(log)) == 20 - states["FAILED"]


def test_a_template_error_holds_that_one_email_and_says_where(ledger, outbox, tmp_path):
    broken = CART | {
        "items": [{"product_id": "1", "name": "Coat", "price": 1.0, "quantity": 1, "image_url": None}]
    }
    plan(ledger, decision(1, "ada"), decision(2, "bea", content=broken), decision(3, "cleo"))

    dispatcher(ledger, outbox).drain(NOW)

    assert mails(tmp_path) == ["d1", "d3"]
    held, reason = state(ledger, "d2")
    assert held == "HELD"
    assert "_shared/items.html.j2 line 5" in reason and "no attribute 'url'" in reason


@pytest.mark.parametrize(
    "content", [["not", "a", "mapping"], CART | {"items": 7}, CART | {"cart_value": float("nan")}]
)
def test_whatever_one_rows_content_is_its_neighbour_is_mailed(ledger, outbox, tmp_path, content):
    plan(ledger, decision(1, "ada", content=content), decision(2, "bea"))

    dispatcher(ledger, outbox).drain(NOW)

    assert "d2" in mails(tmp_path)


def test_a_restored_snapshot_starts_paused_and_sends_nothing_again(ledger, open_ledger, outbox, tmp_path):
    """listmonk #1801: a restored snapshot sent a campaign twice."""
    plan(ledger, decision(1, "ada"), decision(2, "bea"))
    copy = tmp_path / "snapshot.sqlite"
    ledger._writer.run(lambda transaction: None)
    _snapshot(tmp_path / "ledger.sqlite", copy)
    dispatcher(ledger, outbox).drain(NOW)
    ledger.close()
    _restore(copy, tmp_path / "ledger.sqlite")

    restored = open_ledger()
    recovery = restored.recover(NOW + MINUTE)
    plan(restored, decision(3, "cleo"), now=NOW + MINUTE)  # derived again from events before the loss

    assert "its mark says" in recovery.restored
    assert recovery.in_doubt == 2
    assert (restored.sending(NOW).state, restored.sending(NOW).who) == ("paused", "snapshot guard")
    assert [state(restored, name)[0] for name in ("d1", "d2", "d3")] == ["IN_DOUBT"] * 3
    assert dispatcher(restored, outbox).drain(NOW + MINUTE) == 0


def test_after_a_restore_the_provider_is_asked_before_anything_goes_out_again(
    ledger, open_ledger, outbox, tmp_path
):
    plan(ledger, decision(1, "ada", expires_at=NOW + DAY))
    copy = tmp_path / "snapshot.sqlite"
    _snapshot(tmp_path / "ledger.sqlite", copy)
    dispatcher(ledger, outbox).drain(NOW)
    ledger.close()
    _restore(copy, tmp_path / "ledger.sqlite")
    restored = open_ledger()
    restored.recover(NOW + MINUTE)
    restored.resume("mia", "checked", NOW + MINUTE)

    assert dispatcher(restored, outbox).drain(NOW + HOUR) == 0
    assert state(restored)[0] == "SENT"


def test_a_missing_mark_after_sending_starts_paused(ledger, open_ledger, outbox, tmp_path):
    plan(ledger, decision())
    dispatcher(ledger, outbox).drain(NOW)
    ledger.close()
    (tmp_path / "ledger.sqlite.mark").unlink()

    assert "the mark file is missing" in open_ledger().recover(NOW).restored


def test_an_ordinary_restart_is_no_restore(ledger, open_ledger, outbox):
    plan(ledger, decision())
    dispatcher(ledger, outbox).drain(NOW)
    ledger.close()

    assert open_ledger().recover(NOW).restored is None


def test_a_purchase_just_before_the_send_wins(ledger, outbox, tmp_path):
    """Klaviyo's own advice is to wait four hours; reading the log to its head is enough."""
    plan(ledger, decision(position=100))
    log_head = [Exit("visitor-ada", "Order Completed", 100, NOW)]

    dispatcher(ledger, outbox, before_gate=lambda: ledger.learn(log_head)).drain(NOW)

    assert mails(tmp_path) == []
    assert state(ledger) == ("CANCELLED", "exit: Order Completed")


def test_if_the_log_cannot_be_read_nothing_passes_the_gate(ledger, outbox, tmp_path):
    def unreadable():
        raise OSError("the log is gone")

    plan(ledger, decision())

    with pytest.raises(OSError, match="the log is gone"):
        dispatcher(ledger, outbox, before_gate=unreadable).drain(NOW)
    assert mails(tmp_path) == []


def test_two_carts_of_one_person_are_two_moments(ledger, outbox, tmp_path):
    """Dittofeed #1463: triggers keyed to the person miss the second cart."""
    plan(ledger, decision(1, entity_id="cart-a"), at(NOW + 2 * DAY, 2, entity_id="cart-b"))
    sender = dispatcher(ledger, outbox)

    assert [sender.drain(NOW), sender.drain(NOW + 2 * DAY)] == [1, 1]


def test_two_carts_of_one_person_at_the_same_moment_are_one_email(ledger, outbox):
    plan(ledger, decision(1, entity_id="cart-a"), decision(2, entity_id="cart-b"))

    assert dispatcher(ledger, outbox).drain(NOW) == 1
    assert state(ledger, "d2") == ("CANCELLED", "one_email_per_mailbox")


def test_a_bulk_change_that_would_mail_everyone_meets_the_limit(ledger, outbox):
    """Mautic #3340, HubSpot: 50,000 emails in 90 minutes after a republish."""
    ledger.set_hourly_limit(10, "mia", "normal is 3", NOW)
    plan(ledger, *(decision(n, f"p{n}") for n in range(300)))
    sender = dispatcher(ledger, outbox)

    assert sender.drain(NOW) == 10
    assert ledger.sending(NOW).state == "limited"
    assert sender.drain(NOW + 6 * MINUTE) == 0  # too late for everybody else, and nobody was surprised
    assert ledger.counts()["states"] == {"SENT": 10, "EXPIRED": 290}


def test_an_unsubscribe_while_the_email_waits_in_the_queue_wins(ledger, tmp_path):
    class Hesitant(FileTransport):
        def deliver(self, messages, commit):
            ledger.suppress(Suppression("unsubscribe", NOW, decision_id="d1"))
            return super().deliver(messages, commit)

    plan(ledger, decision())
    dispatcher(ledger, Hesitant(tmp_path / "outbox")).drain(NOW)

    assert mails(tmp_path) == []
    assert state(ledger) == ("SUPPRESSED", "unsubscribe")


def test_a_domain_gets_no_more_than_its_rate(ledger, outbox):
    plan(ledger, *(decision(n, f"p{n}") for n in range(5)))
    sender = dispatcher(ledger, outbox, throttle=Throttle({"mail.example": 2.0}))

    seconds = [sender.drain(NOW + timedelta(seconds=second / 2)) for second in range(6)]

    assert sum(seconds) == 5 and max(seconds) == 1


def test_live_sending_delivers_each_once_and_rests_when_idle(ledger, tmp_path):
    log = tmp_path / "accepted.log"
    with running_sink(log) as port:
        sender = dispatcher(
            ledger, SmtpTransport(SmtpSettings("127.0.0.1", port, security="none")), clock=lambda: NOW
        )
        sender.start()
        for start in (0, 100):
            plan(ledger, *(decision(n, f"p{n}") for n in range(start, start + 100)))
            sender.wake()
        _wait_for(lambda: ledger.counts()["states"].get("SENT") == 200)
        used = time.process_time()
        time.sleep(1)
        used = time.process_time() - used
        sender.stop()

    assert sorted(accepted(log)) == sorted(f"d{n}" for n in range(200))
    assert used < 0.05, "idle must cost next to nothing (Dittofeed #995)"


def test_a_live_sender_that_is_overtaken_stops_and_says_so(ledger, open_ledger, tmp_path, outbox):
    sender = dispatcher(ledger, outbox, clock=lambda: NOW)
    sender.start()
    (tmp_path / "ledger.sqlite.lock").unlink()
    open_ledger().recover(NOW)
    plan(ledger, decision())
    sender.wake()
    _wait_for(lambda: sender.failure is not None)

    with pytest.raises(RuntimeError, match="took over"):
        sender.stop()
    assert mails(tmp_path) == []


def test_a_mail_server_that_is_down_costs_attempts_not_emails(ledger):
    plan(ledger, decision())
    nowhere = SmtpTransport(SmtpSettings("127.0.0.1", 1, security="none"))

    dispatcher(ledger, nowhere).drain(NOW)

    planned, reason = state(ledger)
    assert planned == "PLANNED" and "cannot use 127.0.0.1:1" in reason


def test_replaying_the_same_plan_gives_identical_files(tmp_path):
    contents = []
    for run in ("a", "b"):
        ledger = Ledger.open(tmp_path / run / "ledger.sqlite", SECRET, Policy())
        ledger.recover(NOW)
        plan(ledger, *(decision(n, f"p{n}") for n in range(3)))
        dispatcher(ledger, FileTransport(tmp_path / run / "out", durable=False)).drain(NOW)
        ledger.close()
        contents.append([path.read_bytes() for path in sorted((tmp_path / run / "out").iterdir())])

    assert contents[0] == contents[1] and len(contents[0]) == 3


def test_sending_twice_by_hand_is_impossible(ledger):
    plan(ledger, decision())

    assert [send(ledger), send(ledger)] == [1, 0]


def _snapshot(database, copy):
    """A backup taken while the ledger lives, write-ahead log included."""
    import sqlite3

    source, target = sqlite3.connect(database), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()


def _restore(copy, database):
    for leftover in database.parent.glob(database.name + "-*"):
        leftover.unlink()
    shutil.copy(copy, database)


def _wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
