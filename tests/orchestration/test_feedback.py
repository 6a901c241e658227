"""From a provider's report to the gate: what was acknowledged counts for the very next email."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from collector.config import CollectorConfig, WriteKey
from orchestration.live.receipts import ReceiptExport
from senders.outcome import Outcome
from tests.collector.asking import Asked
from tests.orchestration.traffic import Bench

CONFIG = CollectorConfig(
    write_keys=(WriteKey("server-key", "shop-server", "server"),),
    link_secrets=("secret",),
    webhook_keys={"postmark": ("ann:secret",)},
)
LOGIN = {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}


def reported(shop: Bench, **record: object) -> None:
    """Postmark reports, and the collector acknowledges."""
    asked = Asked(shop.log, shop.clock, replace(CONFIG))
    body = json.dumps({"RecordType": "Bounce", "Email": "ann@example.com", "ID": 1, **record})
    answer = asked.request("POST", "/webhooks/postmark", content=body.encode(), headers=LOGIN)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def leaves_a_cart(shop: Bench, visitor: str = "ann"):
    """A cart that ripens; the decision about it."""
    shop.signs_in(visitor)
    shop.adds(visitor, "lamp")
    shop.adds(visitor, "shade")
    shop.after(91)
    [decision] = shop.decided()
    return decision


def at_the_gate(shop: Bench) -> list[int]:
    """What the gate lets through, right after reading the log as it always does."""
    shop.lane.facts.catch_up()
    due = [one.id for one in shop.ledger.claim_due(shop.clock())]
    return list(shop.ledger.gate(due, shop.clock()).reserved)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"Type": "HardBounce"}, "hard_bounce"),
        ({"Type": "SpamComplaint"}, "complaint"),
        ({"Type": "Unsubscribe"}, "unsubscribe"),
    ],
)
def test_a_report_between_plan_and_gate_wins(shop: Bench, record, reason):
    decision = leaves_a_cart(shop)
    assert decision.should_send

    reported(shop, **record)

    assert at_the_gate(shop) == []
    [found] = shop.ledger.explain(decision_id=decision.decision_id)
    assert (found.state, found.reason) == ("SUPPRESSED", reason)


def test_without_a_report_it_goes_out(shop: Bench):
    leaves_a_cart(shop)

    assert len(at_the_gate(shop)) == 1


@pytest.mark.parametrize(
    "record",
    [
        {"Type": "SoftBounce"},
        {"Type": "Transient"},
        {"Type": "AutoResponder"},
        {"Type": "Blocked"},
        {"RecordType": "Delivery", "Recipient": "ann@example.com"},
        {"RecordType": "Open", "Recipient": "ann@example.com"},
        {"Type": "HardBounce", "Description": "550 5.2.2 mailbox full"},
        {"Type": "HardBounce", "Email": "bob@example.com"},
    ],
)
def test_what_says_nothing_against_the_mailbox_stops_nothing(shop: Bench, record):
    leaves_a_cart(shop)

    reported(shop, **record)

    assert len(at_the_gate(shop)) == 1


def test_three_soft_bounces_in_a_week_do(shop: Bench):
    leaves_a_cart(shop)
    for number in range(3):
        reported(shop, Type="SoftBounce", ID=number)

    assert at_the_gate(shop) == []


def test_a_server_that_blocks_us_says_nothing_about_the_mailbox(shop: Bench):
    leaves_a_cart(shop)
    for number in range(5):
        reported(shop, Type="SoftBounce", ID=number, Details="554 5.7.1 blocked using zen.spamhaus.org")

    assert len(at_the_gate(shop)) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 User unknown", "hard_bounce"),
        ("550 5.1.1 no such user", "hard_bounce"),
        ("552 5.2.2 over quota", None),
        ("554 5.7.1 blocked by spamhaus", None),
    ],
)
def test_a_refusal_during_smtp_means_what_it_means_in_a_bounce(shop: Bench, reply, reason):
    """The receipt goes back into the log, and is read like what a provider reports."""
    leaves_a_cart(shop)
    [id] = at_the_gate(shop)
    now = shop.clock()
    shop.ledger.settle(id, Outcome("rejected", reply), now)
    ReceiptExport(shop.log, shop.ledger).run(now)
    shop.lane.facts.catch_up()

    found = [one.reason for one in shop.ledger.suppressions(now, address="ann@example.com")]
    assert found == ([reason] if reason else [])


def test_a_complaint_reaches_the_models_and_a_bounce_stays_with_the_mailbox(shop: Bench):
    decision = leaves_a_cart(shop)
    assert len(at_the_gate(shop)) == 1

    reported(shop, Type="SpamComplaint", Metadata={"decision_id": decision.decision_id})
    shop.lane.facts.catch_up()
    shop.decided()

    rows = shop.store.execute(
        "select event, user_id, properties from landing.events where source = 'kairos' order by position"
    ).fetchall()
    told = [(event, user) for event, user, _ in rows if user]
    assert told == [("Email Complained", "customer-ann"), ("Suppression Added", "customer-ann")]
    assert all("ann@example.com" not in properties for _, user, properties in rows if user)


def test_whoever_complained_is_not_decided_for_again(shop: Bench):
    leaves_a_cart(shop)
    at_the_gate(shop)
    reported(shop, Type="SpamComplaint")
    shop.lane.facts.catch_up()
    shop.decided()

    shop.happens("ann", "Order Completed")
    shop.clock.advance(shop.clock() + timedelta(days=3))
    again = leaves_a_cart(shop)

    assert not again.should_send
    assert again.reasons["is_not_suppressed"] is False


def test_a_repeated_reading_of_the_log_changes_nothing(shop: Bench):
    leaves_a_cart(shop)
    for number in range(3):
        reported(shop, Type="SoftBounce", ID=number)
    shop.lane.facts.catch_up()
    before = shop.ledger.suppressions(shop.clock())

    frames = shop.log.read_after(0).frames
    shop.lane.facts.learn(frames)

    assert shop.ledger.suppressions(shop.clock()) == before


def test_a_report_that_names_nobody_is_no_trouble(shop: Bench):
    leaves_a_cart(shop)
    asked = Asked(shop.log, shop.clock, CONFIG)
    body = b'{"RecordType": "Bounce", "Type": "HardBounce", "ID": 9}'
    assert asked.request("POST", "/webhooks/postmark", content=body, headers=LOGIN).status_code == 200

    assert len(at_the_gate(shop)) == 1
