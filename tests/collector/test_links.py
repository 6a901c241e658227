"""Unsubscribing: GET never acts, POST always does, and nobody else's link can be made up."""

import httpx
import pytest

from collector.links import UNSUBSCRIBE, Links
from collector.log import LogFull
from tests.collector.asking import Asked

LINKS = Links("http://collector.test", ["only for tests"])
PATH = httpx.URL(LINKS.unsubscribe_url("d1")).path


def test_looking_at_the_page_changes_nothing(asked):
    for method in ("GET", "HEAD", "GET"):
        assert asked.request(method, PATH).status_code == 200

    assert asked.events() == []


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
)
def test_a_post_is_durable_before_its_200_and_never_redirects(asked, form):
    answer = asked.request("POST", PATH, **form)

    assert answer.status_code == 200
    (event,) = asked.events()
    assert (event["event"], event["properties"]) == ("Email Unsubscribed", {"decision_id": "d1"})
    assert (event["source"], event["trust"]) == ("kairos", "server")


@pytest.mark.parametrize(
    ("choice", "name", "properties"),
    [
        ("all", "Email Unsubscribed", {}),
        ("topic", "Email Topic Unsubscribed", {}),
        ("pause", "Email Paused", {"days": 30}),
        ("something else", "Email Unsubscribed", {}),
    ],
)
def test_the_page_offers_less_than_everything(asked, choice, name, properties):
    assert f'value="{choice}"' in asked.get(PATH).text or choice == "something else"

    answer = asked.request("POST", PATH, data={"choice": choice})

    assert answer.status_code == 200
    (event,) = asked.events()
    assert (event["event"], event["properties"]) == (name, {"decision_id": "d1", **properties})


def test_another_pause_on_another_day_is_another(asked, clock):
    for _ in range(2):
        asked.request("POST", PATH, data={"choice": "pause"})
    clock.pass_seconds(31 * 24 * 3600)
    asked.request("POST", PATH, data={"choice": "pause"})

    assert len(asked.events()) == 2


def test_a_second_click_is_answered_alike_and_adds_nothing(asked):
    answers = [asked.request("POST", PATH) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(asked.events()) == 1


@pytest.mark.parametrize(
    "token",
    [
        "",
        "d1",
        "d1.unsubscribe",
        "d1.unsubscribe.",
        "d1.unsubscribe.AAAA",
        "d2" + PATH[5:],
        PATH[3:-1],
        "\u00e4.b.c",
    ],
)
def test_a_token_that_was_not_signed_does_nothing(asked, token):
    answer = asked.request("POST", f"/u/{token}")

    assert answer.status_code == 404
    assert asked.events() == []


def test_a_token_for_one_purpose_is_no_token_for_another():
    click = LINKS.sign("d1", "click-1")

    assert LINKS.verify(click, UNSUBSCRIBE) is None
    assert LINKS.verify(click.replace("click-1", UNSUBSCRIBE), UNSUBSCRIBE) is None
    assert LINKS.verify(click, "click-1") == "d1"


def test_old_links_live_on_after_a_new_secret_is_put_in_front():
    rotated = Links("http://collector.test", ["new", "only for tests"])

    assert rotated.verify(LINKS.sign("d1", UNSUBSCRIBE), UNSUBSCRIBE) == "d1"
    assert LINKS.verify(rotated.sign("d1", UNSUBSCRIBE), UNSUBSCRIBE) is None


def test_links_without_a_secret_are_refused_at_start():
    with pytest.raises(ValueError, match="link_secrets"):
        Links("http://collector.test", [])


def test_a_wish_that_could_not_be_recorded_is_not_acknowledged(clock):

    class Full:
        def append(self, payloads):
            raise LogFull(28, "no room")

    answer = Asked(Full(), clock).request("POST", PATH)

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
