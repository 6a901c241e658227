"""Clicks and opens: written down before the answer, led on to nowhere but where the email said."""

from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from collector.destinations import DestinationReader, DestinationWriter, prune
from collector.hits import PIXEL
from collector.links import TRAP, Forged, Links
from collector.log import LogFull
from collector.machines import machine_reason
from tests.collector.asking import Asked
from tests.collector.live import CONFIG

TODAY = date(2026, 11, 23)
LINKS = Links("http://collector.test", ["only for tests"])
SHOP = "https://shop.example/cart?step=1&from=mail"
PERSON = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"
}


@pytest.fixture
def store(tmp_path):
    return tmp_path / "links.sqlite"


@pytest.fixture
def asked(log, clock, store) -> Asked:
    return Asked(log, clock, replace(CONFIG, destinations=store, home_url="https://shop.example"))


def kept(store, url: str = SHOP, day: date = TODAY) -> str:
    """A destination as the sender would have stored it."""
    writer = DestinationWriter(store)
    id = writer.remember(url, day)
    writer.make_durable()
    writer.close()
    return id


def path(url: str) -> str:
    return httpx.URL(url).raw_path.decode()


def test_a_click_is_in_the_log_and_leads_on(asked, store):
    answer = asked.get(path(LINKS.click_url("d1", 2, kept(store))), headers=PERSON)

    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    assert "no-store" in answer.headers["cache-control"]
    (event,) = asked.events()
    assert (event["event"], event["source"]) == ("Email Clicked", "kairos")
    assert event["properties"] == {
        "decision_id": "d1", "link": 2, "is_machine": False, "machine_reason": None,
        "user_agent": PERSON["user-agent"],
    }  # fmt: skip


def test_the_picture_is_small_not_kept_and_tells_of_an_open(asked):
    answer = asked.get(path(LINKS.open_url("d1")), headers=PERSON)

    assert (answer.status_code, answer.content, len(PIXEL)) == (200, PIXEL, 43)
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    (event,) = asked.events()
    assert (event["event"], event["properties"]["decision_id"]) == ("Email Opened", "d1")


def test_asking_only_for_the_head_is_a_machine(asked, store):
    answer = asked.request("HEAD", path(LINKS.click_url("d1", 1, kept(store))), headers=PERSON)

    assert (answer.status_code, answer.content) == (302, b"")
    (event,) = asked.events()
    assert event["properties"]["machine_reason"] == "head_request"


@pytest.mark.parametrize(
    ("headers", "number", "reason"),
    [
        (PERSON, 1, None),
        (PERSON, TRAP, "hidden_link"),
        ({**PERSON, "sec-purpose": "prefetch;prerender"}, 1, "prefetch"),
        ({}, 1, "no_agent"),
        ({"user-agent": "Mozilla/5.0"}, None, "image_proxy"),
        ({"user-agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"}, None, "image_proxy"),
        ({"user-agent": "Barracuda Sentinel (EE)"}, 1, "scanner"),
        ({"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, 1, "robot"),
        ({"user-agent": "Mozilla/5.0 (Linux; Android 12; CUBOT KINGKONG) AppleWebKit/537.36 Chrome/110.0 Mobile"}, 1, None),
        ({"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"}, None, None),
        ({"user-agent": "python-requests/2.32"}, 1, "program"),
    ],
)  # fmt: skip
def test_what_a_single_request_gives_away(headers, number, reason):
    assert machine_reason("GET", headers, number) == reason


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t[3:], lambda t: "d2" + t[2:], lambda t: t.replace(".2.", ".3."), lambda t: t + "A", lambda t: "d1", lambda t: "ä" + t])  # fmt: skip
def test_a_forged_or_cut_link_leads_nowhere_and_says_why(asked, store, change):
    token = LINKS.click_url("d1", 2, kept(store)).rpartition("/")[2]

    answer = asked.get("/c/" + change(token), headers=PERSON)

    assert answer.status_code == 404
    assert "cannot be used: " in answer.text
    assert asked.events() == []


def test_a_token_for_one_purpose_opens_no_other_door(asked, store):
    click = LINKS.click_url("d1", 1, kept(store)).rpartition("/")[2]
    opened = path(LINKS.open_url("d1")).removeprefix("/o/").removesuffix(".gif")
    leaving = LINKS.unsubscribe_url("d1").rpartition("/")[2]

    for prefix, suffix, tokens in (("/c/", "", (opened, leaving)), ("/o/", ".gif", (click, leaving)), ("/u/", "", (click, opened))):  # fmt: skip
        assert {asked.get(prefix + token + suffix).status_code for token in tokens} == {404}
    assert asked.events() == []


def test_links_outlive_a_new_secret_and_end_with_theirs(store):
    rotated = Links("http://collector.test", ["new", "newer than that", "only for tests"])
    token = LINKS.click_url("d1", 7, "abc").rpartition("/")[2]

    assert rotated.read_click(token) == ("d1", 7, "abc")
    with pytest.raises(Forged, match="a key that is not known here"):
        Links("http://collector.test", ["new"]).read_click(token)


def test_an_old_link_gets_a_friendly_page_and_is_counted_all_the_same(asked, store):
    link = path(LINKS.click_url("d1", 1, kept(store)))
    assert prune(store, TODAY + timedelta(days=731), 730) == 1

    answer = asked.get(link, headers=PERSON)

    assert answer.status_code == 410
    assert "had its day" in answer.text and 'href="https://shop.example"' in answer.text
    assert len(asked.events()) == 1


def test_what_is_still_used_is_not_pruned(store):
    kept(store, day=TODAY)
    id = kept(store, day=TODAY + timedelta(days=700))

    assert prune(store, TODAY + timedelta(days=800), 730) == 0
    assert DestinationReader(store).find(id) == SHOP


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "https://ok@evil.example", "ftp://x.example", "https://x.example/\r\nset-cookie: a", "data:text/html,x", "http://[::1", "https:///x"])  # fmt: skip
def test_no_link_can_lead_to_what_is_no_plain_address(store, url):
    with pytest.raises(ValueError):
        DestinationWriter(store).remember(url, TODAY)


def test_a_person_goes_on_when_the_log_cannot_take_it_and_the_loss_is_counted(clock, store):

    class Full:
        def append(self, payloads):
            raise LogFull(28, "no room")

    asked = Asked(Full(), clock, replace(CONFIG, destinations=store))

    answer = asked.get(path(LINKS.click_url("d1", 1, kept(store))), headers=PERSON)

    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    assert 'email_hits_total{kind="click",outcome="lost"} 1.0' in asked.get("/metrics").text


def test_one_token_cannot_fill_the_log(asked, store):
    link = path(LINKS.click_url("d1", 1, kept(store)))

    answers = {asked.get(link, headers=PERSON).status_code for _ in range(30)}

    assert answers == {302}
    assert len(asked.events()) == 20


def test_a_destination_is_written_once_however_many_emails_lead_there(store):
    writer = DestinationWriter(store)
    for _ in range(3):
        writer.remember(SHOP, TODAY)
        writer.make_durable()
    before = writer._db.total_changes

    writer.remember(SHOP, TODAY)
    writer.make_durable()

    assert writer._db.total_changes == before == 1


def test_what_could_not_be_written_is_tried_again(store, monkeypatch):
    writer = DestinationWriter(store)
    id = writer.remember(SHOP, TODAY)
    writer._db.execute("alter table destinations rename to away")
    with pytest.raises(Exception, match="no such table"):
        writer.make_durable()

    writer._db.execute("alter table away rename to destinations")
    writer.make_durable()

    assert DestinationReader(store).find(id) == SHOP
