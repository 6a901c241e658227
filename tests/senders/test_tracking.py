"""Links of emails lead over our own address, only those that may, and only when that is durable."""

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from collector.destinations import DestinationReader, DestinationWriter
from collector.links import Links
from senders import Composer, Dispatcher, FileTransport, Tracking
from senders.mime import Body
from tests.senders.support import CART, IDENTITY, NOW, RENDERER, SHOP, decision, plan

LINKS = Links("https://mail.shop.example", ["only for tests"])
TOKEN = re.compile(r"https://mail\.shop\.example/c/([\w.-]*\w)")
KEPT = "https://shop.example/u/token"


@pytest.fixture
def writer(tmp_path):
    return DestinationWriter(tmp_path / "links.sqlite")


def tracking(writer: DestinationWriter, **changes) -> Tracking:
    values = {
        "hosts": frozenset({"shop.example"}),
        "click_url": lambda id, number, url, at: LINKS.click_url(id, number, writer.remember(url, at.date())),
        "open_url": LINKS.open_url,
        "make_durable": writer.make_durable,
    }
    return Tracking(**(values | changes))


def followed(
    writer: DestinationWriter, html: str = "", text: str = "", written=frozenset(), **changes
) -> Body:
    return tracking(writer, **changes).apply(
        Body("s", html, text), "d1", NOW, "https://shop.example", frozenset(written), frozenset((KEPT,))
    )


def leads_to(tmp_path, writer, text: str) -> list[tuple[int, str | None]]:
    """(number, destination) of each of our links, in order."""
    writer.make_durable()
    reader = DestinationReader(tmp_path / "links.sqlite")
    tokens = [LINKS.read_click(token) for token in TOKEN.findall(text)]
    return [(token.number, reader.find(token.destination)) for token in tokens]


def test_html_and_text_share_the_numbers_of_their_destinations(tmp_path, writer):
    body = followed(
        writer,
        '<body><a class="x" href="https://shop.example/a?x=1&amp;y=2">A</a> <a href="https://www.shop.example/b">B</a></body>',
        "See https://www.shop.example/b, or https://shop.example/a?x=1&y=2.\n",
    )

    a, b = (1, "https://shop.example/a?x=1&y=2"), (2, "https://www.shop.example/b")
    assert leads_to(tmp_path, writer, body.html) == [a, b, (0, "https://shop.example")]
    assert leads_to(tmp_path, writer, body.text) == [b, a]
    assert re.search(r"See \S+, or \S+\.\n$", body.text), "the sentence keeps its comma and full stop"


@pytest.mark.parametrize(
    "url",
    [
        KEPT, "https://evil.example/", "https://shop.example.evil.example/", "https://notshop.example/",
        "https://shop.example@evil.example/", "mailto:a@shop.example", "javascript:alert(1)", "#top", "//shop.example/x",
    ],
)  # fmt: skip
def test_other_links_stay_what_they_are(writer, url):
    html = f'<a href="{url}">x</a>'

    body = followed(writer, html, f"x {url} y", open_url=None, hosts=frozenset({"shop.example"}))

    assert body.html.startswith(html)
    assert body.text == f"x {url} y"


def test_a_link_that_the_template_spells_out_is_followed_wherever_it_leads(tmp_path, writer):
    link = "https://social.example/shop"

    body = followed(writer, f'<a href="{link}">us</a>', written={link}, open_url=None)

    assert leads_to(tmp_path, writer, body.html)[0] == (1, link)


def test_an_old_template_in_capitals_is_followed_too(tmp_path, writer):
    html = followed(writer, "<BODY><A CLASS=\"x\" HREF='https://shop.example/a'>A</A></BODY>").html

    assert leads_to(tmp_path, writer, html)[0] == (1, "https://shop.example/a")
    assert html.endswith("</BODY>")


def test_nobody_sees_hears_or_reaches_the_hidden_link_and_the_picture(writer):
    html = followed(writer, "<html><body><p>Hi</p></body></html>").html

    trap, pixel = re.search(r"<a [^>]+></a>", html)[0], re.search(r"<img [^>]+>", html)[0]
    assert 'aria-hidden="true"' in trap and 'tabindex="-1"' in trap and "display:none" in trap
    assert 'alt=""' in pixel and 'aria-hidden="true"' in pixel
    assert html.endswith("</body></html>")


def test_each_can_be_off(writer):
    html = '<body><a href="https://shop.example/a">A</a></body>'

    assert "/c/" not in followed(writer, html, click_url=None).html
    assert "/o/" not in followed(writer, html, open_url=None).html
    assert followed(writer, html, click_url=None, open_url=None).html == html


def test_a_real_email_is_followed_and_can_still_be_left(tmp_path, ledger):
    writer = DestinationWriter(tmp_path / "links.sqlite")
    composer = Composer(RENDERER, IDENTITY, SHOP, tracking=tracking(writer))
    plan(ledger, decision(1))
    ledger.recover(NOW)
    Dispatcher(ledger, FileTransport(tmp_path / "out"), composer).drain(NOW)

    (file,) = (tmp_path / "out").rglob("*.eml")
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))
    cart = next(number for number, url in leads_to(tmp_path, writer, html) if url == CART["cart_url"])
    assert (cart, CART["cart_url"]) in leads_to(tmp_path, writer, text)
    assert "https://shop.example/cart" not in html + text
    assert "https://shop.example/u/d1" in html and mail["List-Unsubscribe"] == "<https://shop.example/u/d1>"


def test_the_same_row_gives_the_same_bytes(tmp_path, writer, ledger):
    plan(ledger, decision(1))
    ledger.recover(NOW)
    (id,) = ledger.gate([1], NOW).reserved
    (job,) = ledger.jobs([id])

    first, second = (
        Composer(RENDERER, IDENTITY, SHOP, tracking=tracking(writer)).compose(job) for _ in range(2)
    )

    assert first.sha256 == second.sha256


def test_no_email_leaves_before_its_links_are_on_the_disk(tmp_path, ledger):
    def full() -> None:
        raise OSError(28, "no room")

    writer = DestinationWriter(tmp_path / "links.sqlite")
    composer = Composer(RENDERER, IDENTITY, SHOP, tracking=tracking(writer, make_durable=full))
    plan(ledger, decision(1))
    ledger.recover(NOW)

    with pytest.raises(OSError, match="no room"):
        Dispatcher(ledger, FileTransport(tmp_path / "out"), composer).drain(NOW + timedelta(seconds=1))

    assert list((tmp_path / "out").rglob("*.eml")) == []
