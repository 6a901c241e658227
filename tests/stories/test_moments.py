"""Events in, emails out: through the real collector, a Dagster run and a mail server."""

import re
import time

import httpx
import pytest

from orchestration.live.lease import utc_now
from orchestration.live.sending import open_ledger
from orchestration.settings import load_settings
from senders.ledger.ledger import Ledger
from tests.stories.people import Person
from tests.system import BROWSER_KEY, System


def receive(shop: System, person: Person, count: int = 1, seconds: float = 25) -> list:
    """The mails of a person, once there are so many."""
    shop.wait(
        lambda: len(shop.mails().get(person.address, [])) >= count,
        f"{count} mail(s) to {person.name}",
        seconds,
    )
    return shop.mails()[person.address]


def html(mail) -> str:
    """The HTML part as text."""
    return mail.get_body(("html",)).get_content()


def settle(seconds: float = 6) -> None:
    """Longer than the slowest cart of these stories takes to ripen: what was not sent by now never is."""
    time.sleep(seconds)


@pytest.mark.parametrize(
    ("name", "prices", "said"),
    [
        ("high", [80, 60], "live"),
        ("middle", [40, 30], "hipping"),
        ("small", [10, 12], ""),
    ],
)
def test_a_left_cart_is_answered_by_its_branch_of_the_tree(shop: System, name: str, prices: list, said: str):
    person = Person(f"cart{name}")

    shop.post(
        [person.signs_in(), person.opens(), *(person.adds(f"thing{i}", p) for i, p in enumerate(prices))]
    )
    mail = receive(shop, person)[0]

    assert "Thing0" in html(mail) and "Thing1" in html(mail)
    assert said in html(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_page_read_to_four_fifths_is_answered_at_once(shop: System):
    person = Person("scroller")

    shop.post([person.signs_in(), person.opens(), person.engages(scroll_percent=79)])
    settle(2)
    assert person.address not in shop.mails()

    shop.post([person.engages(scroll_percent=80)])

    assert len(receive(shop, person)) == 1


def test_long_reading_without_clicks_is_answered_and_clicking_is_not(shop: System):
    reader, clicker = Person("reader"), Person("clicker")

    for person, clicks in ((reader, 4), (clicker, 5)):
        shop.post(
            [
                person.signs_in(),
                person.opens("/guide"),
                person.engages(engaged_seconds=181, click_count=clicks),
            ]
        )

    assert len(receive(shop, reader)) == 1
    assert clicker.address not in shop.mails()


def test_three_features_within_minutes_are_answered(shop: System):
    person = Person("explorer")

    shop.post(
        [
            person.signs_in(),
            person.opens("/tour"),
            person.tries("video_demo"),
            person.tries("comparison_table"),
        ]
    )
    settle(1.5)
    assert person.address not in shop.mails()
    shop.post([person.tries("faq")])

    assert "video" in html(receive(shop, person)[0]).lower()


def test_a_buyer_is_never_mailed_about_the_cart(shop: System):
    person = Person("buyer")

    shop.post([person.signs_in(), person.adds("lamp", 60), person.adds("shade", 70)])
    time.sleep(1)
    shop.post([person.buys()])
    settle()

    assert person.address not in shop.mails()


def test_without_consent_nothing_is_sent_and_a_browser_cannot_give_it(shop: System):
    person = Person("noconsent", consent=False)

    shop.post([person.signs_in(), person.opens()])
    shop.post([person.signs_in() | {"traits": {"email": person.address, "consent": True}}], key=BROWSER_KEY)
    shop.post([person.engages(scroll_percent=95)])
    settle(3)

    assert person.address not in shop.mails()


def test_an_unsubscribe_wins_before_the_next_gate(shop: System):
    person = Person("leaver")
    shop.post(
        [person.signs_in(), person.opens("/tour"), *(person.tries(f) for f in ("video_demo", "faq", "table"))]
    )
    link = re.search(r"<(http[^>]+)>", receive(shop, person)[0]["List-Unsubscribe"])[1]

    assert httpx.get(link).status_code == 200  # a scanner looks, and nothing happens
    with_ledger(shop, lambda ledger: not ledger.history_of(person=person.customer_id) or True)
    answer = httpx.post(link, data={"List-Unsubscribe": "One-Click"}, follow_redirects=False)
    shop.post([person.adds("lamp", 60), person.adds("shade", 70)])
    settle()

    assert answer.status_code == 200
    assert len(shop.mails()[person.address]) == 1


def test_the_more_telling_moment_goes_first(shop: System):
    person = Person("both")

    shop.post([person.signs_in(), person.opens(), person.adds("lamp", 60), person.adds("shade", 70)])
    shop.post(
        [
            person.opens("/products/other", "view-other"),
            person.engages(page_view_id="view-other", scroll_percent=90),
        ]
    )
    mails = receive(shop, person)
    settle(2)

    assert len(mails) == len(shop.mails()[person.address]) == 1
    assert "Lamp" in html(mails[0])


def test_paused_means_that_nothing_leaves_and_resumed_that_everything_does(shop: System):
    person = Person("patient")

    with_ledger(shop, lambda ledger: ledger.pause("story", "looking at data", utc_now()))
    shop.post(
        [person.signs_in(), person.opens("/tour"), *(person.tries(f) for f in ("video_demo", "faq", "table"))]
    )
    settle(3)
    assert person.address not in shop.mails()
    with_ledger(shop, lambda ledger: ledger.resume("story", "all is well", utc_now()))

    assert len(receive(shop, person)) == 1


def test_a_hostile_event_harms_no_neighbour(shop: System):
    person = Person("neighbour")
    hostile = person.opens() | {"messageId": "hostile", "properties": "not an object"}

    shop.post([person.signs_in(), person.opens(), hostile, person.engages(scroll_percent=99)])

    assert len(receive(shop, person)) == 1


def test_a_quiet_restart_sends_nothing_twice(shop: System):
    before = {address: len(mails) for address, mails in shop.mails().items()}
    person = Person("latecomer")

    shop.stop("window")
    shop.post([person.signs_in(), person.opens(), person.engages(scroll_percent=85)])  # while nobody looks
    shop.start_dagster_window(600)

    assert len(receive(shop, person, seconds=60)) == 1
    settle(2)
    after = {address: len(mails) for address, mails in shop.mails().items() if address != person.address}
    assert after == before


def with_ledger(shop: System, act) -> None:
    """The ledger beside the running sender, as the command line opens it."""
    ledger: Ledger = open_ledger(load_settings(data=shop.data))
    try:
        act(ledger)
    finally:
        ledger.close()
