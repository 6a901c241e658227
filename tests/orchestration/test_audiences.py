"""Whom an email is for: what the visit shows counts at once, a segment as of the last batch."""

from __future__ import annotations

import email
import email.policy
import json
from datetime import timedelta
from pathlib import Path

import polars as pl

from orchestration.arrivals import read_calls
from orchestration.replay import Replay
from orchestration.settings import load_settings
from senders.context import Context
from senders.decision import Decision
from tests.orchestration.traffic import START

SIGN_IN = {"type": "identify", "traits": {"email": "ann@example.com", "consent": True}}
Call = dict[str, object]


def track(event: str, **properties: object) -> Call:
    return {"type": "track", "event": event, "properties": properties}


def look(page: str, **properties: object) -> list[Call]:
    """A page and its heartbeat."""
    seen = {"path": f"/{page}", "page_view_id": page, "url": f"https://shop.example/{page}", **properties}
    return [{"type": "page", "properties": seen}, track("Page Engaged", **seen)]


def cart(price: float) -> list[Call]:
    return [track("Product Added", product_id=str(n), name=f"Thing {n}", price=price) for n in (1, 2)]


def first_email(folder: Path, calls: list[Call], premium: bool = False) -> tuple[Decision, str]:
    """What ann's visit led to first: the decision, and the email's text."""
    settings = load_settings(data=folder / "data")
    if premium:
        settings.published.mkdir(parents=True)
        member = {"segment_name": ["premium_buyers"], "customer_id": ["ann"]}
        pl.DataFrame(member).write_parquet(settings.published / "fct_segment_members.parquet")
    lines = []
    for second, call in enumerate([SIGN_IN, *calls]):
        at = (START + timedelta(seconds=second)).isoformat()
        who = {
            "messageId": f"m{second}",
            "anonymousId": "v",
            "userId": "ann",
            "timestamp": at,
            "receivedAt": at,
        }
        lines.append(json.dumps(who | call | {"context": {"sessionId": "s"}}))
    (folder / "calls.jsonl").write_text("\n".join(lines))
    run = Replay(settings, folder)
    decisions = run.run(read_calls([folder / "calls.jsonl"], identify=False)).decisions
    run.close()
    files = (folder / "emails").rglob("*.eml")
    mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    first = min(mails, key=lambda mail: mail["Date"].datetime)
    Context.model_validate({**decisions[0].content, "unsubscribe_url": "https://shop.example/u"})
    return decisions[0], first.get_body(("plain",)).get_content()


def test_three_minutes_on_prices_shift_the_email_to_proof(tmp_path: Path):
    decision, text = first_email(tmp_path, look("plans", engaged_seconds=181, clicks=1))

    assert (decision.trigger_name, decision.route) == ("time_on_page", "weighing")
    assert (decision.evidence["focus"], decision.evidence["pricing_seconds"]) == ("proof", 181)
    assert "what others made of it" in text


def test_as_long_on_another_page_is_about_the_page(tmp_path: Path):
    decision, text = first_email(tmp_path, look("story", engaged_seconds=181, clicks=1))

    assert (decision.route, decision.evidence["focus"]) == ("reader", "features")
    assert "what others made of it" not in text


def test_a_cart_of_somebody_who_looks_around_gets_help_and_no_discount(tmp_path: Path):
    """Many pages read to the end, compared and asked, and a cart above the value of every other branch."""
    pages = [call for n in range(8) for call in look(f"p{n}", page_type="product", scroll_percent=70)]
    study = [track("Feature Used", feature=name) for name in ("comparison_table", "faq")]

    decision, _ = first_email(tmp_path, [*pages, *study, *cart(price=80)])

    assert decision.evidence["exploration_score"] > decision.evidence["abandonment_score"] == 0.4
    assert (decision.route, decision.evidence["offer"]) == ("comparing", None)


def test_a_premium_buyer_of_the_last_batch_gets_early_access_above_the_cart_value(tmp_path: Path):
    dear, cheap = tmp_path / "dear", tmp_path / "cheap"
    dear.mkdir()
    cheap.mkdir()

    assert first_email(dear, cart(price=60), premium=True)[0].route == "premium"
    assert first_email(cheap, cart(price=40), premium=True)[0].route == "mid_value"


def test_without_a_batch_nobody_is_premium(tmp_path: Path):
    assert first_email(tmp_path, cart(price=60))[0].route == "high_value"
