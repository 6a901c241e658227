"""People held out of an experiment: nothing is mailed, and everything goes on as if it had been."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.live.evaluate import evaluate_everyone
from orchestration.live.receipts import ReceiptExport
from tests.orchestration.traffic import Bench

EVERYBODY = {("experiments", "everybody", "share"): "1"}
NOBODY = {
    ("experiments", "everybody", "share"): "0",
    ("experiments", "cart_abandonment_control", "share"): "0",
}


@pytest.fixture
def held_out(tmp_path: Path) -> Iterator[Bench]:
    """A shop that mails nobody, to see what would happen."""
    bench = Bench(tmp_path, overrides=EVERYBODY)
    yield bench
    bench.close()


def leaves_a_cart(shop: Bench) -> list:
    shop.adds("ann", "lamp", 40)
    shop.adds("ann", "shade", 30)
    shop.after(100)
    return shop.decided()


def told(shop: Bench) -> list[str]:
    """What the ledger reports back into the log, once a second in production."""
    return [receipt.outcome for receipt in ReceiptExport(shop.log, shop.ledger).run(shop.clock())]


def test_whoever_is_held_out_becomes_a_ghost_in_ledger_and_log(held_out: Bench):
    held_out.signs_in("ann")

    [decision] = leaves_a_cart(held_out)

    assert (decision.should_send, decision.is_ghost) == (False, True)
    assert [rule for rule, holds in decision.reasons.items() if not holds] == ["is_not_held_out"]
    assert decision.evidence["experiment"] == "everybody"
    assert held_out.ledger.claim_due(held_out.clock()) == []
    assert told(held_out) == ["WITHHELD"] and told(held_out) == []
    assert held_out.ledger.verify_chain() is None


def test_a_ghost_takes_the_place_of_an_email_under_the_caps(held_out: Bench):
    held_out.signs_in("ann")
    found = []
    for _ in range(4):
        found += leaves_a_cart(held_out)
        held_out.happens("ann", "Cart Cleared")
        held_out.after(25 * 3600)

    assert [decision.is_ghost for decision in found] == [True, True, True, False]
    assert not found[3].reasons["is_within_weekly_cap"]


def test_a_ghost_goes_on_to_the_next_email_of_its_sequence_and_leaves_like_anybody(held_out: Bench):
    held_out.signs_in("ann")
    leaves_a_cart(held_out)
    told(held_out)
    held_out.decided()

    held_out.after(12 * 3600 + 1)
    [second] = held_out.decided()
    told(held_out)
    held_out.decided()
    held_out.happens("ann", "Order Completed")
    held_out.after(13 * 3600)

    assert (second.touch, second.is_ghost) == (2, True)
    assert held_out.decided() == []


def test_a_refused_moment_makes_no_ghost(held_out: Bench):
    held_out.signs_in("ann", consent=False)

    [decision] = leaves_a_cart(held_out)

    assert not decision.is_ghost and told(held_out) == []


def test_without_a_policy_the_draw_is_even_and_says_so(tmp_path: Path):
    shop = Bench(tmp_path, overrides=NOBODY)
    shop.signs_in("ann")

    [decision] = leaves_a_cart(shop)
    shop.close()

    assert decision.variant in ("a", "b")
    assert (decision.evidence["propensity"], decision.evidence["policy_version"]) == (0.5, None)
    assert decision.evidence["segment"] == "none"


def test_a_policy_draws_from_when_it_begins(tmp_path: Path):
    """What was published before its time changes nothing; the propensity is that of the arm that was drawn."""
    shop = Bench(tmp_path, overrides=NOBODY)
    shop.store.execute(
        """insert into published.bandit_policy values
        ('p1', timestamp '2026-03-02 13:00:00', 'cart_abandonment/mid_value', '*', 'a', 0, 0.001, 0.001),
        ('p1', timestamp '2026-03-02 13:00:00', 'cart_abandonment/mid_value', '*', 'b', 0.001, 1, 0.999)"""
    )
    shop.store.notice_published()
    shop.signs_in("ann")
    [before] = leaves_a_cart(shop)
    shop.happens("ann", "Cart Cleared")
    shop.after(3600)

    [later] = leaves_a_cart(shop)
    shop.close()

    assert (before.evidence["propensity"], before.evidence["policy_version"]) == (0.5, None)
    assert (later.variant, later.evidence["policy_version"]) == ("b", "p1")
    assert later.evidence["propensity"] == pytest.approx(0.999)


def test_a_rebuilt_lane_knows_its_ghosts(held_out: Bench):
    held_out.signs_in("ann")
    leaves_a_cart(held_out)

    with held_out.store.transaction():
        again = evaluate_everyone(held_out.store, held_out.models, held_out.clock().replace(tzinfo=None))

    assert [row["is_ghost"] for row in again] == [True]
    assert held_out.store.rows("select is_counted from live.decided") == [{"is_counted": True}]
