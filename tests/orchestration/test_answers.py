"""From a link that names a decision to what the ledger and the models know of the person."""

import json
from datetime import timedelta

import pytest

from collector.events import own_event
from collector.log import FileLog
from orchestration.live import clicks
from orchestration.live.facts import FactsFeed
from orchestration.settings import load_settings
from senders import Ledger
from tests.senders.support import DAY, HOUR, NOW, SECRET, at, decision, gate, plan, send, state


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path, clock) -> FileLog:
    return FileLog(tmp_path / "landing", clock=clock)


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    ledger = Ledger.open(tmp_path / "ledger.sqlite", SECRET)
    ledger.recover(NOW)
    plan(ledger, decision(1))
    send(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def feed(log, ledger) -> FactsFeed:
    return FactsFeed(log, ledger, {"Order Completed", "Email Clicked"})


def tell(log: FileLog, name: str, id: str, decision_id: str = "d1", **properties) -> None:
    """As the collector writes it."""
    about = {"decision_id": decision_id, **properties}
    log.append([own_event(name, id, NOW, about, anonymous_id=decision_id)])


def click(log: FileLog, id: str, link: int = 1, reason: str | None = None) -> None:
    tell(
        log,
        "Email Clicked",
        id,
        link=link,
        is_machine=reason is not None,
        machine_reason=reason,
        user_agent="x",
    )


def told(log: FileLog) -> list[dict]:
    """What was written for the models."""
    frames = [json.loads(frame.payload) for frame in log.read_after(0).frames]
    return [event for event in frames if event["dialect"] == "kairos"]


def next_email(ledger: Ledger, hours: int = 12, **changes) -> tuple:
    """What becomes of a second touch about the same cart."""
    second = at(
        NOW + hours * HOUR, 2, touch=2, entity_id="cart-1", exit_events=("Order Completed", "Email Clicked"),
        position=0, **changes,
    )  # fmt: skip
    plan(ledger, second, now=second.qualifies_at)
    gate(ledger, second.qualifies_at)
    return state(ledger, "d2")


def test_a_person_s_click_is_told_with_the_person_and_ends_the_sequence(log, feed, ledger, clock):
    clock.now += timedelta(minutes=3)
    click(log, "c1", link=2)
    feed.catch_up()

    (event,) = told(log)
    assert (event["event"], event["anonymous_id"], event["user_id"]) == (
        "Email Clicked",
        "visitor-ada",
        "customer-ada",
    )
    about = event["properties"]
    assert (about["decision_id"], about["link"], about["hit_id"], about["touch"]) == ("d1", 2, "c1", 1)
    assert about["hit_at"] == clock.now.timestamp() and not about["is_machine"]
    assert next_email(ledger) == ("CANCELLED", "exit: Email Clicked")


@pytest.mark.parametrize(
    ("seconds", "followed", "reason"),
    [
        (60, [(1, "scanner")], "scanner"),
        (1, [(1, None)], "too_soon"),
    ],
)
def test_a_machine_s_click_ends_nothing(log, feed, ledger, clock, seconds, followed, reason):
    clock.now += timedelta(seconds=seconds)
    for link, given in followed:
        click(log, f"c{link}", link, given)
    feed.catch_up()

    assert {event["properties"]["machine_reason"] for event in told(log)} == {reason}
    assert next_email(ledger)[0] == "RESERVED"


@pytest.mark.parametrize(
    ("followed", "reason"),
    [
        ([(1, 0.0), (2, 0.4), (3, 0.8)], "all_at_once"),
        ([(1, 0.0), (2, 20.0), (0, 25.0)], "hidden_link"),
        ([(0, 0.0), (1, 30.0)], "with_hidden_link"),
    ],
)
def test_what_looked_like_a_person_s_click_is_taken_back(log, feed, ledger, clock, followed, reason):
    """Each is read alone, as live: the first ones counted until their neighbours told."""
    start = NOW + timedelta(minutes=30)
    for link, seconds in followed:
        clock.now = start + timedelta(seconds=seconds)
        click(log, f"c{link}", link, "hidden_link" if link == 0 else None)
        feed.catch_up()

    assert told(log)[-1]["properties"]["machine_reason"] == reason
    assert next_email(ledger)[0] == "RESERVED"


@pytest.mark.parametrize(
    "followed", [[(1, 0.0), (2, 5.0), (3, 10.0)], [(0, 0.0), (1, 90.0)], [(1, 0.0), (1, 0.1), (2, 0.2)]]
)
def test_a_person_who_looks_around_is_none_of_these(log, feed, ledger, clock, followed):
    start = NOW + timedelta(minutes=30)
    for number, (link, seconds) in enumerate(followed):
        clock.now = start + timedelta(seconds=seconds)
        click(log, f"c{number}", link, "hidden_link" if link == 0 else None)
        feed.catch_up()

    assert next_email(ledger) == ("CANCELLED", "exit: Email Clicked")


def test_reading_the_log_again_tells_the_same_and_never_answers_itself(log, feed, ledger, clock):
    clock.now += timedelta(minutes=3)
    click(log, "c1")
    tell(log, "Email Opened", "o1", is_machine=False, machine_reason=None, user_agent="x")
    feed.catch_up()
    assert feed.catch_up() == FactsFeed(log, ledger, {"Email Clicked"}, feed.position).catch_up()

    ids = [event["message_id"] for event in told(log)]
    FactsFeed(log, ledger, {"Email Clicked"}).catch_up()

    assert ids == ["c1.person", "o1.person"]
    assert {event["message_id"] for event in told(log)} == set(ids)


@pytest.mark.parametrize(
    ("name", "more", "gate_says", "models_hear"),
    [
        ("Email Unsubscribed", {}, "unsubscribe", {"reason": "unsubscribe"}),
        ("Email Topic Unsubscribed", {}, "topic_opt_out", {"reason": "topic_opt_out", "trigger_name": "cart_abandonment"}),
        ("Email Paused", {"days": 30}, "pause", {"reason": "pause", "until": (NOW + 30 * DAY).timestamp()}),
    ],
)  # fmt: skip
def test_gate_and_models_hear_the_same_wish(log, feed, ledger, name, more, gate_says, models_hear):
    tell(log, name, "w1", **more)
    feed.catch_up()

    (event,) = told(log)
    assert (event["event"], event["user_id"]) == ("Suppression Added", "customer-ada")
    assert models_hear.items() <= event["properties"].items()
    assert next_email(ledger) == ("SUPPRESSED", gate_says)


def test_a_link_of_a_decision_that_nobody_made_says_nothing(log, feed, caplog):
    click(log, "c1")
    tell(log, "Email Clicked", "c2", decision_id="d9", link=1)
    tell(log, "Email Paused", "c3", decision_id="d9", days="many")
    feed.catch_up()

    assert [event["properties"]["decision_id"] for event in told(log)] == ["d1"]
    assert "d9" in caplog.text


def test_gate_and_models_use_the_same_figures():
    limits = load_settings().project_vars()

    assert (limits["machine_seconds"], limits["machine_links"], limits["machine_visit_seconds"]) == (
        clicks.MOMENT.total_seconds(), clicks.SEVERAL_LINKS, clicks.VISIT.total_seconds(),
    )  # fmt: skip
