"""Examples and shortcuts for the sender's tests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from senders import (
    Composer,
    Consent,
    Decision,
    Dispatcher,
    Identity,
    Intent,
    Ledger,
    Outcome,
    Renderer,
    Transport,
)

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
SECRET = b"test secret"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

IDENTITY = Identity(
    "Linnet & Co.",
    "hello@shop.example",
    "shop.example",
    secret=SECRET,
    unsubscribe_url=lambda decision_id: f"https://shop.example/u/{decision_id}",
)
SHOP = {"name": "Linnet & Co.", "url": "https://shop.example/", "address": "12 Mill Lane, Portland"}
CART = {
    "first_name": "Ada",
    "items": [
        {"product_id": "1", "name": "Coat", "price": 189.0, "quantity": 1, "image_url": None, "url": None},
        {"product_id": "2", "name": "Boots", "price": 59.5, "quantity": 2, "image_url": None, "url": None},
    ],
    "cart_value": 308.0,
    "currency": "USD",
    "cart_url": "https://shop.example/cart",
}
RENDERER = Renderer()


def decision(number: int = 1, person: str = "ada", **changes: Any) -> Decision:
    """A cart that should be mailed about, qualifying now and good for five minutes."""
    values: dict[str, Any] = {
        "decision_id": f"d{number}",
        "trigger_name": "cart_abandonment",
        "touch": 1,
        "entity_id": f"cart-{number}",
        "visitor_id": f"visitor-{person}",
        "customer_id": f"customer-{person}",
        "qualifies_at": NOW,
        "expires_at": NOW + 5 * MINUTE,
        "should_send": True,
        "reasons": {"has_consent": True},
        "evidence": {"item_count": 2},
        "to_address": f"{person}@mail.example",
        "route": "mid_value",
        "template": "cart_abandonment/touch_1",
        "subject": "{{ first_name }}, your cart is waiting",
        "content": CART,
        "exit_events": ("Order Completed",),
        "position": 100,
    }
    return Decision(**(values | changes))


def at(instant: datetime, number: int = 1, person: str = "ada", **changes: Any) -> Decision:
    """The same, qualifying at another instant."""
    return decision(number, person, qualifies_at=instant, expires_at=instant + 5 * MINUTE, **changes)


def consent(ledger: Ledger, *people: str, when: datetime = NOW - DAY) -> None:
    """These people agreed to be mailed."""
    ledger.learn([Consent(True, when, address=f"{person}@mail.example") for person in people])


def plan(ledger: Ledger, *decisions: Decision, now: datetime = NOW) -> None:
    """Record decisions about people who agreed."""
    consent(ledger, *{(each.to_address or "").partition("@")[0] for each in decisions})
    ledger.record(decisions, now)


def gate(ledger: Ledger, now: datetime = NOW) -> list[int]:
    """Everything that is due goes through the gate; returns the reserved ids."""
    return list(ledger.gate([due.id for due in ledger.claim_due(now)], now).reserved)


def send(ledger: Ledger, now: datetime = NOW, outcome: Outcome | None = None) -> int:
    """Gate, dot and settle everything that is due, without any transport; returns how many dots."""
    ids = gate(ledger, now)
    dots = ledger.commit_dots({id: Intent("sha", now) for id in ids}, now)
    ledger.settle_all({id: outcome or Outcome("accepted", "250 ok") for id in dots}, now).result()
    return len(dots)


def state(ledger: Ledger, decision_id: str = "d1") -> tuple[str | None, str | None]:
    """Where an email stands, and why."""
    (found,) = ledger.explain(decision_id=decision_id)
    return found.state, found.reason


def dispatcher(ledger: Ledger, transport: Transport, **options: Any) -> Dispatcher:
    """A dispatcher with the shipped templates."""
    return Dispatcher(ledger, transport, Composer(RENDERER, IDENTITY, SHOP), **options)


@contextmanager
def running_sink(log: Path, *options: str) -> Iterator[int]:
    """The sink in a process of its own; yields its port."""
    sink = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("sink.py")), "--log", str(log), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sink.stdout is not None
        yield int(sink.stdout.readline())
    finally:
        sink.terminate()
        sink.wait()
