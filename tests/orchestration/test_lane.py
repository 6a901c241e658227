"""The live lane, step by step on a simulated clock."""

from tests.orchestration.traffic import Bench


def test_a_timer_fires_when_the_silence_is_long_enough_and_not_before(shop: Bench):
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    assert shop.decided() == []

    shop.after(90)
    assert shop.decided() == []
    assert (shop.lane.next_timer() - shop.clock()).total_seconds() == 0

    shop.after(0.001)
    [decision] = shop.decided()
    assert decision.should_send
    assert decision.evidence["item_count"] == 2
    assert shop.lane.next_timer() is None


def test_an_event_in_the_meantime_starts_the_silence_anew(shop: Bench):
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(60)
    shop.happens("ann", "Home", "page")
    shop.after(60)
    assert shop.decided() == []

    shop.after(31)
    assert len(shop.decided()) == 1


def test_a_cart_fires_once_and_the_next_cart_again(shop: Bench):
    """Peers key their triggers to the person; ours belong to this cart."""
    shop.signs_in("ann")
    for _ in range(2):
        shop.adds("ann", "lamp")
        shop.adds("ann", "shade")
        shop.after(100)
        first = shop.decided()
        shop.happens("ann", "Cart Viewed")
        shop.after(100)
        assert len(first) == 1 and shop.decided() == []
        shop.happens("ann", "Order Completed")
        shop.after(3600)
    assert shop.ledger.counts()["considered"] == 2


def test_an_order_on_another_device_counts(shop: Bench):
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(30)
    shop.happens("till", "Order Completed", anonymous_id=None, user_id="customer-ann")
    shop.after(100)

    [decision] = shop.decided()

    assert not decision.should_send and not decision.reasons["has_not_purchased"]


def test_the_fourth_email_of_a_week_is_refused_and_a_week_later_there_is_room(shop: Bench):
    shop.signs_in("ann")
    sent = []
    for _ in range(4):
        shop.adds("ann", "lamp")
        shop.adds("ann", "shade")
        shop.after(100)
        sent += [
            (decision.should_send, decision.reasons["is_within_weekly_cap"]) for decision in shop.decided()
        ]
        shop.happens("ann", "Cart Cleared")
        shop.after(25 * 3600)
    assert sent == [(True, True)] * 3 + [(False, False)]

    shop.after(7 * 86_400)
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    assert [decision.should_send for decision in shop.decided()] == [True]


def test_a_repeated_message_counts_once(shop: Bench):
    shop.signs_in("ann")
    for _ in range(3):
        shop.happens(
            "ann", "Product Added", message_id="same", properties={"product_id": "lamp", "name": "lamp"}
        )
    shop.after(100)

    assert shop.decided() == []


def test_a_suppressed_person_is_refused_by_the_models_too(shop: Bench):
    shop.signs_in("ann")
    shop.suppressed("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)

    [decision] = shop.decided()

    assert not decision.reasons["is_not_suppressed"]


def test_an_event_that_was_hours_on_its_way_starts_no_email(shop: Bench):
    shop.signs_in("ann")
    happened = shop.clock()
    shop.after(3 * 3600)
    for product in ("lamp", "shade"):
        shop.happens("ann", "Product Added", properties={"product_id": product}, occurred_at=happened)
    shop.after(100)

    [decision] = shop.decided()

    assert not decision.reasons["is_timely"]


def test_a_purchase_just_before_the_gate_wins(shop: Bench):
    """The exit is known to the ledger before the gate opens, however far behind the models are."""
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    [decision] = shop.decided()
    shop.happens("ann", "Order Completed")

    shop.lane.facts.catch_up()
    due = shop.ledger.claim_due(shop.clock())
    gated = shop.ledger.gate([one.id for one in due], shop.clock())

    assert decision.should_send and len(due) == 1
    assert gated.reserved == ()
    [explained] = shop.ledger.explain(decision_id=decision.decision_id)
    assert explained.state == "CANCELLED"


def test_a_purchase_of_the_same_batch_wins_too(shop: Bench):
    """The lane had stopped for a while: the moment and the purchase after it are read at once."""
    shop.signs_in("ann")
    shop.adds("ann", "lamp", 40)
    shop.adds("ann", "shade", 30)
    shop.after(150)
    shop.happens("ann", "Order Completed")
    shop.after(1)

    [decision] = shop.decided()
    due = shop.ledger.claim_due(shop.clock())

    assert decision.should_send, "the cart had been left before the purchase"
    assert shop.ledger.gate([one.id for one in due], shop.clock()).reserved == ()


def test_without_the_event_after_it_the_same_email_passes_the_gate(shop: Bench):
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    shop.decided()

    shop.lane.facts.catch_up()
    due = shop.ledger.claim_due(shop.clock())

    assert len(shop.ledger.gate([one.id for one in due], shop.clock()).reserved) == 1


def test_judging_again_after_a_crash_gives_the_same_decisions_once(shop: Bench):
    """The process died after the ledger had heard and before the warm database had committed."""
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    batch = shop.log.read_after(shop.lane.position)
    shop.decided()
    before = shop.ledger.counts()
    with shop.store.transaction():
        shop.store.execute("delete from live.decided; delete from live.cursor; delete from landing.events;")

    again = shop.decided()

    assert len(batch.frames) == 3 and len(again) == 1
    assert shop.ledger.counts() == before
