"""From a row of offers.csv to a code that the command line knows."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.templates import with_coupon
from orchestration.live.evaluate import load_models
from orchestration.live.lane import trigger_rules
from orchestration.live.sending import composer_of, dispatcher, open_ledger
from orchestration.live.store import LiveStore
from orchestration.settings import load_settings
from senders.coupons import code_of
from senders.decision import Decision
from senders.transports.file import FileTransport
from tests.orchestration.traffic import Bench, models


def test_an_offer_with_a_coupon_is_part_of_what_the_email_says(tmp_path: Path):
    shop = Bench(tmp_path)
    shop.store.execute("update seeds.routes set offer = 'coupon_10' where route = 'high_value'")
    for name, price in (("ann", 60), ("bob", 30)):
        shop.signs_in(name)
        shop.adds(name, "lamp", price)
        shop.adds(name, "shade", price)
    shop.after(200)

    content = {decision.customer_id: decision.content for decision in shop.decided()}
    shop.close()

    assert content["customer-ann"]["coupon_offer"] == {"percent": 10, "valid_hours": 4.0}
    assert "coupon_offer" not in content["customer-bob"]


def test_the_limits_of_an_offer_can_be_tried_like_any_number(tmp_path: Path):
    store = LiveStore(tmp_path / "live.duckdb")
    load_models(store, models(), {("offers", "coupon_10", "valid_hours"): "6"})

    assert trigger_rules(store).coupons["coupon_10"] == {"percent": 10, "valid_hours": 6.0}
    store.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def sent(here: Path, ago: timedelta) -> str:
    """An email with a coupon went out that long ago; returns its code."""
    settings, now = load_settings(), datetime.now(UTC) - ago
    ledger = open_ledger(settings)
    ledger.recover(now)
    ledger.record([cart(now)], now)
    dispatcher(
        composer_of(settings), ledger, FileTransport(here / "outbox"), lambda: None, lambda: now
    ).drain(now)
    ledger.close()
    return code_of(1, "d" * 32, settings.key())


def cart(now: datetime) -> Decision:
    return Decision(
        decision_id="d" * 32, trigger_name="cart_abandonment", touch=2, entity_id="cart", visitor_id="v",
        customer_id="customer-ann", qualifies_at=now, expires_at=now + timedelta(minutes=5), should_send=True,
        to_address="ann@example.com", template="cart_abandonment/touch_2", subject="Hello", route="high_value",
        content={"cart_url": "https://shop.example/cart", "coupon_offer": {"percent": 10, "valid_hours": 4}},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ago", "exit_code", "says"),
    [(timedelta(hours=1), 0, "valid until"), (timedelta(hours=5), 1, "expired since")],
)
def test_the_command_line_says_whether_a_code_is_good(
    here: Path, monkeypatch: pytest.MonkeyPatch, ago: timedelta, exit_code: int, says: str
):
    monkeypatch.setenv("KAIROS_MAIL__CONSENT_REQUIRED", "false")
    code = sent(here, ago)

    result = CliRunner().invoke(app, ["coupons", "verify", code.lower()])

    assert result.exit_code == exit_code
    assert says in result.output and "10 %" in result.output
    assert f"decision {'d' * 32}, customer customer-ann" in result.output
    raw = (here / "outbox" / f"{'d' * 32}.eml").read_bytes()
    assert code in message_from_bytes(raw, policy=SMTP).get_body(("plain",)).get_content()


def test_a_code_of_an_email_that_was_refused_is_not_good(here: Path):
    code = sent(here, timedelta(hours=1))  # nobody asked for consent

    result = CliRunner().invoke(app, ["coupons", "verify", code])

    assert result.exit_code == 1
    assert "not sent: the email is SUPPRESSED" in result.output


def test_an_unknown_code_is_unknown(here: Path):
    result = CliRunner().invoke(app, ["coupons", "verify", "AAAA-BBBB-CCCC"])

    assert (result.exit_code, result.output.strip()) == (1, "unknown")


def test_a_preview_shows_a_coupon_that_is_none():
    shown = with_coupon({"first_name": "Ann", "coupon_offer": {"percent": 10, "valid_hours": 4}})

    assert (shown["coupon"]["code"], shown["coupon"]["percent"]) == ("PREVIEW", 10)
    assert "coupon_offer" not in shown
