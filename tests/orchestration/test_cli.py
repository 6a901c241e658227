"""The command line, as a person meets it."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.demo import parse_duration
from orchestration.cli.errors import FriendlyError
from orchestration.cli.screenshots import browser
from orchestration.live.sending import open_ledger
from orchestration.settings import load_settings
from senders.decision import Decision
from tests.orchestration.traffic import Bench

COMMANDS = [
    "demo", "up", "replay", "simulate", "rebuild", "status", "send", "why", "review", "templates", "coupons",
]  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*arguments: str) -> str:
    """What a command prints; fails if it fails."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str):
    assert len(run(command, "--help")) > 200


@pytest.fixture
def told(here: Path) -> Bench:
    """Someone left a cart, and someone without consent did."""
    shop = Bench(here, datetime.now(UTC) - timedelta(minutes=10))
    for name, consent in (("ann", True), ("bob", False)):
        shop.signs_in(name, consent)
        shop.adds(name, "lamp", 60)
        shop.adds(name, "shade", 70)
    shop.after(200)
    shop.decided()
    shop.close()
    return shop


@pytest.mark.parametrize("who", ["customer-ann", "ann"])
def test_why_shows_the_rules_the_figures_and_the_history(told: Bench, who: str):
    said = run("why", who)

    assert "cart_abandonment" in said and "item_count = 2" in said
    assert "has_consent" in said and "high_value" in said


def test_why_answers_for_those_who_were_not_mailed(told: Bench):
    said = run("why", "customer-bob")

    assert "not meant to be sent" in said and "has_consent" in said


def test_why_about_a_stranger_says_so(here: Path):
    with pytest.raises(FriendlyError, match="nobody by that name"):
        run("why", "stranger")


def test_the_kill_switch_is_seen_by_status(told: Bench):
    run("send", "--pause", "--why", "data look wrong")
    assert "paused" in run("status") and "data look wrong" in run("status")

    run("send", "--resume")
    assert "data look wrong" not in run("status")


def test_send_wants_one_of_both(here: Path):
    with pytest.raises(FriendlyError, match="either --pause or --resume"):
        run("send")


def test_rebuild_says_what_it_found(told: Bench, here: Path):
    (here / "live.duckdb").unlink()

    assert "6 events, 2 decisions, 0 timers" in run("rebuild")


@pytest.fixture
def held(told: Bench, here: Path) -> str:
    """An email that waits for a person."""
    now = datetime.now(UTC)
    decision = Decision(
        decision_id="d" * 32, trigger_name="cart_abandonment", touch=1, entity_id="cart", visitor_id="v",
        customer_id="customer-ann", qualifies_at=now, expires_at=now + timedelta(hours=4), should_send=True,
        to_address="ann@example.com", template="cart_abandonment/touch_1", subject="Hello", route="high_value",
        content={"first_name": "Annabel", "cart_url": "https://shop.example/cart"},
    )  # fmt: skip
    ledger = open_ledger(load_settings())
    ledger.record([replace(decision, needs_review=True)], now)
    ledger.close()
    return decision.decision_id


def test_a_held_email_is_listed_shown_and_approved(held: str):
    assert held in run("review", "list")
    assert "Hello" in run("review", "show", held)
    assert "approved" in run("review", "approve", held)
    assert "nothing waits" in run("review", "list")


def test_a_rejected_email_is_gone_and_why_says_so(held: str):
    run("review", "reject", held)

    assert "CANCELLED" in run("why", held)


def test_templates_are_listed_with_their_branches(here: Path):
    assert re.search(r"cart_abandonment/touch_1 .*high_value, mid_value", run("templates", "list"))


def test_the_shipped_templates_and_subjects_pass_their_check(here: Path):
    assert "are fine" in run("templates", "check")


def test_a_subject_with_a_typo_fails_the_check(here: Path, monkeypatch: pytest.MonkeyPatch):
    project = shutil.copytree(load_settings().dbt_project / "seeds", here / "project/seeds").parent
    variants = project / "seeds/variants.csv"
    variants.write_text(variants.read_text().replace("{{ product.name }}", "{{ product.nmae }}"))
    monkeypatch.setenv("KAIROS_DBT_PROJECT", str(project))

    result = CliRunner().invoke(app, ["templates", "check"])

    assert result.exit_code == 1
    assert "seeds/variants.csv line 17: nothing is called 'nmae' there: did you mean 'name'?" in result.output


def test_a_preview_writes_html_text_and_says_where(here: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(here))  # without a browser
    said = run("templates", "preview", "cart_abandonment", "--route", "mid_value")

    assert "subject: Don't lose your cart" in said and "no pictures: install chromium" in said
    written = here / "previews/cart_abandonment_touch_1_mid_value"
    assert "Merino wrap coat" in written.with_suffix(".html").read_text()
    assert "87 % of the 240 people" in written.with_suffix(".txt").read_text()


@pytest.mark.needs_chromium
@pytest.mark.skipif(browser() is None, reason="needs chromium: apt-get install chromium")
def test_a_preview_has_pictures_for_phone_and_desk_by_day_and_night(here: Path):
    run("templates", "preview", "winback")

    pictures = sorted((here / "previews").glob("*.png"))
    assert [picture.stem.removeprefix("winback_touch_1_winback_") for picture in pictures] == [
        "1200_dark", "1200_light", "390_dark", "390_light",
    ]  # fmt: skip
    assert len({picture.read_bytes() for picture in pictures}) == 4


@pytest.mark.parametrize(("who", "says"), [("ann@example.com", "Hi Annabel"), ("ann", "lamp")])
def test_a_preview_shows_what_somebody_was_last_to_be_sent(held: str, here: Path, who: str, says: str):
    run("templates", "preview", "cart_abandonment", "--as", who, "--out", str(here))

    assert says in (here / "cart_abandonment_touch_1_high_value.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nothing"], "no template 'nothing/touch_1'"),
        (["winback", "--as", "stranger@example.com"], "was never to be sent winback/touch_1"),
    ],
)
def test_a_preview_of_nothing_says_so(here: Path, arguments: list[str], problem: str):
    with pytest.raises(FriendlyError, match=problem):
        run("templates", "preview", *arguments)


def test_replay_refuses_an_override_that_means_nothing(here: Path, tmp_path: Path):
    file = tmp_path / "calls.jsonl"
    file.write_text("{}\n")

    with pytest.raises(FriendlyError, match="rows are cart_abandonment"):
        run("replay", str(file), "--out", str(tmp_path / "out"), "--set", "thresholds.nobody.min_seconds=3")


def test_simulate_writes_calls_and_their_truth(here: Path, tmp_path: Path):
    said = run("simulate", "--out", str(tmp_path / "calls.jsonl"), "--events", "2000")

    assert "2000 events" in said
    assert len((tmp_path / "calls.jsonl").read_text().splitlines()) == 2000
    assert (tmp_path / "calls.truth.csv").exists()


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("90", 90), ("5m", 300), ("1h", 3600), (None, None)]
)
def test_durations(text: str | None, seconds: float | None):
    assert parse_duration(text) == seconds
