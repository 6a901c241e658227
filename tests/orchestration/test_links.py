"""Settings decide whether links are followed, and sender and collector agree on where they lead."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from collector.destinations import DestinationReader
from orchestration.links import followed_hosts, links, tracking
from orchestration.settings import Settings, load_settings

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def settings(tmp_path, secret: str = "first", old: tuple[str, ...] = (), **mail) -> Settings:
    found = load_settings(data=tmp_path, secret=SecretStr(secret), old_secrets=tuple(map(SecretStr, old)))
    return found.model_copy(update={"mail": found.mail.model_copy(update=mail)})


def test_what_the_sender_prints_the_collector_finds(tmp_path):
    ours = settings(tmp_path)
    follow = tracking(ours)

    url = follow.click_url("d1", 3, "https://shop.example/cart", NOW)
    follow.make_durable()

    token = links(ours).read_click(url.rpartition("/")[2])
    assert (token.decision_id, token.number) == ("d1", 3)
    assert DestinationReader(ours.destinations).find(token.destination) == "https://shop.example/cart"


def test_a_link_outlives_the_rotation_of_its_secret(tmp_path):
    token = tracking(settings(tmp_path)).click_url("d1", 3, "https://shop.example/", NOW).rpartition("/")[2]

    rotated = settings(tmp_path, secret="second", old=("first",))

    assert links(rotated).read_click(token).decision_id == "d1"


@pytest.mark.parametrize(("clicks", "opens"), [(True, True), (True, False), (False, True)])
def test_each_can_be_turned_off(tmp_path, clicks, opens):
    follow = tracking(settings(tmp_path, track_clicks=clicks, track_opens=opens))

    assert (follow.click_url is not None, follow.open_url is not None) == (clicks, opens)


def test_with_both_off_nothing_is_followed(tmp_path):
    off = settings(tmp_path, track_clicks=False, track_opens=False)

    assert tracking(off) is None
    assert not off.destinations.exists()


def test_the_shop_s_hosts_and_those_of_the_settings(tmp_path):
    ours = settings(tmp_path, shop_url="https://WWW.Shop.Example/en", link_hosts=("Help.example",))

    assert followed_hosts(ours) == {"shop.example", "help.example"}
