"""Who waits for a person: from a row of review_rules.csv to the list, the answer and the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.defs.delivery.checks import answered
from orchestration.live.events import own_event
from orchestration.live.receipts import ReceiptExport
from orchestration.overview import Waiting, waiting_reviews
from senders import Intent, Outcome
from tests.orchestration.traffic import Bench

OFF = {}
VIP = {("review_rules", "vip_customer", "is_enabled"): "true"}
CART = {
    ("review_rules", "cart_value", "is_enabled"): "true",
    ("review_rules", "cart_value", "min_value"): "100",
}
TANGLED = {("review_rules", "tangled_intent", "is_enabled"): "true"}
NEW = {
    ("review_rules", "new_template", "is_enabled"): "true",
    ("review_rules", "new_template", "min_value"): "1",
}


def carts(folder: Path, overrides: dict, start: datetime | None = None) -> Bench:
    """Ann, a VIP, left a cart of 100 after reading; Bob a cart of 99.98."""
    shop = Bench(folder, *([start] if start else []), overrides=overrides)
    for name, tier, price in (("ann", "VIP", 50), ("bob", "gold", 49.99)):
        traits = {"email": f"{name}@example.com", "consent": True, "tier": tier}
        shop.happens(name, None, "identify", traits=traits)
        shop.adds(name, "lamp", price)
        shop.adds(name, "shade", price)
    for feature in ("video", "table", "faq"):
        shop.happens("ann", "Feature Used", properties={"feature": feature})
    shop.after(200)
    return shop


def reasons(shop: Bench) -> dict[tuple[str, str], str | None]:
    """By customer and trigger, of those that are to be sent."""
    found = shop.decided()
    return {
        (each.customer_id.removeprefix("customer-"), each.trigger_name): each.review_reason
        for each in found
        if each.should_send
    }


@pytest.mark.parametrize(
    ("overrides", "ann", "bob"),
    [
        (OFF, None, None),
        (VIP, "vip_customer", None),
        (CART, "cart_value", None),
        (TANGLED, "tangled_intent", None),
        (NEW, "new_template", "new_template"),
        (VIP | CART | TANGLED, "cart_value, tangled_intent, vip_customer", None),
    ],
)
def test_a_rule_holds_whom_it_is_about(tmp_path: Path, overrides: dict, ann: str | None, bob: str | None):
    shop = carts(tmp_path, overrides)

    told = reasons(shop)
    waiting = {email.customer_id: email.reason for email in shop.ledger.review_list()}
    shop.close()

    assert told[("bob", "cart_abandonment")] == bob
    assert told.get(("ann", "cart_abandonment")) == ann
    assert waiting == {
        f"customer-{name}": reason for name, reason in (("ann", ann), ("bob", bob)) if reason is not None
    }


def test_a_template_that_has_left_is_not_new(tmp_path: Path):
    shop = Bench(tmp_path, overrides=NEW)
    sent = own_event(
        "Email Sent", message_id="d0.sent", at=shop.clock(), anonymous_id="v", user_id="customer-v",
        properties={"decision_id": "d0", "template": "cart_abandonment/touch_1", "outcome": "SENT"},
    )  # fmt: skip
    shop.log.append([sent])
    shop.signs_in("ann")
    shop.adds("ann", "lamp", 60)
    shop.adds("ann", "shade", 60)
    shop.after(200)

    assert reasons(shop) == {("ann", "cart_abandonment"): None}
    shop.close()


def test_rules_that_are_all_off_are_not_even_asked(tmp_path: Path):
    shop = carts(tmp_path, OFF)
    for model in ("int_template_sends", "int_tangled_candidates", "int_candidate_reviews"):
        shop.store.execute(f"deallocate fill_{model}")  # asking would fail now

    assert {name for name, _ in reasons(shop)} == {"ann", "bob"}
    shop.close()


def test_approvals_and_rejections_come_back_as_events(tmp_path: Path):
    shop = carts(tmp_path, NEW)
    shop.decided()
    first, second = shop.ledger.review_list()
    shop.ledger.approve(first.decision_id, first.content_sha256, "mia", "Ann is a friend", shop.clock())
    shop.ledger.reject(second.decision_id, "mia", "Bob is not", shop.clock())
    before = shop.log.read_after(0).next

    ReceiptExport(shop.log, shop.ledger).run(shop.clock())

    frames = [msgspec.json.decode(frame.payload) for frame in shop.log.read_after(before).frames]
    shop.close()
    assert [(frame["event"], frame["properties"]["decision_id"]) for frame in frames] == [
        ("Email Approved", first.decision_id),
        ("Email Rejected", second.decision_id),
        ("Email Cancelled", second.decision_id),
    ]
    text = msgspec.json.encode(frames).decode()
    assert [word for word in ("mia", "friend", "Bob", "example.com") if word in text] == []


def test_a_mail_servers_refusal_is_told_without_the_address_it_repeats(tmp_path: Path):
    shop = carts(tmp_path, VIP)
    shop.decided()
    now = shop.clock()
    (id,) = shop.ledger.gate([due.id for due in shop.ledger.claim_due(now)], now).reserved
    shop.ledger.commit_dot(id, Intent("sha", now), now)
    shop.ledger.settle(id, Outcome("rejected", "550 5.1.1 <bob@example.com>: no such user"), now)
    before = shop.log.read_after(0).next

    ReceiptExport(shop.log, shop.ledger).run(now)

    (frame,) = [msgspec.json.decode(frame.payload) for frame in shop.log.read_after(before).frames]
    shop.close()
    assert (frame["event"], frame["properties"]["reason"]) == (
        "Email Failed", "550 5.1.1 <address>: no such user",
    )  # fmt: skip


# -- the command line


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an email that waits because of its cart."""
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    monkeypatch.setattr("orchestration.cli.people.console", Console(width=200))
    (tmp_path / "secret").write_bytes(b"secret")
    shop = carts(tmp_path, CART, datetime.now(UTC) - timedelta(minutes=10))
    shop.decided()
    (email,) = shop.ledger.review_list()
    shop.close()
    return email.decision_id


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_says_why_it_waits_and_the_email_also_what_was_noted(waiting: str):
    listed = run("review", "list")
    assert waiting in listed and "cart_value" in listed

    run("review", "edit-note", waiting, "--note", "ask [Tom] first")

    shown = run("review", "show", waiting)
    assert "waits    cart_value, since" in shown and "note     ask [Tom] first" in shown


def test_why_tells_who_decided_and_why(waiting: str):
    run("review", "reject", waiting, "--why", "too pushy")

    told = run("why", waiting)
    assert "CANCELLED (rejected)" in told and ": too pushy" in told


# -- the check


def test_the_check_counts_who_waits_and_how_long(tmp_path: Path):
    shop = carts(tmp_path, NEW)
    shop.decided()
    now = shop.clock() + timedelta(minutes=61)
    shop.close()

    found = waiting_reviews(tmp_path / "ledger.sqlite", now)

    assert (found.count, found.longest, found.by_reason) == (2, timedelta(minutes=61), {"new_template": 2})
    assert waiting_reviews(tmp_path / "absent.sqlite", now) == Waiting()


@pytest.mark.parametrize(("minutes", "passed"), [(0, True), (60, True), (61, False)])
def test_the_check_warns_above_the_setting(minutes: int, passed: bool):
    result = answered(Waiting(3, timedelta(minutes=minutes), {"cart_value": 3}), 60)

    assert result.passed is passed
    assert result.metadata["waiting"].value == 3
    assert result.metadata["by_reason"].value == "3 cart_value"
