"""Messages: built fast, parsed back by the standard library, and impossible to inject into."""

import email
import re
from email import policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from senders.mime import Body, Builder, Identity, Refused
from tests.senders.support import IDENTITY, NOW, SECRET

BUILDER = Builder(IDENTITY)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Feedback-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Auto-Submitted", "MIME-Version", "Content-Type",
]  # fmt: skip

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
hostile = st.one_of(
    text,
    st.sampled_from(
        [
            "a\r\nBcc: victim@v.example",
            "a\nb",
            "a\rb",
            "a\x0bb",
            "a\x85Bcc: x",
            "a\u2028Bcc: x",
            "a\x00b",
            "=?utf-8?q?a=0D=0ABcc:_x?=",
            "kairos-HTML-placeholder",
            "x" * 1_000_000,
            "\r\n.\r\nMAIL FROM:<x@y.z>",
            "ü" * 150,
            "\u202egnp.exe",
        ]
    ),
)


def build(subject="Your cart", html="<p>hi</p>", text="hi", to="ada@mail.example", decision_id="d1"):
    return BUILDER.build(
        decision_id, to, Body(subject, html, text), NOW, "mid_value:cart_abandonment:none:kairos"
    )


def parse(message):
    parsed = email.message_from_bytes(message.raw, policy=policy.default)
    assert not parsed.defects and not any(part.defects for part in parsed.walk())
    assert parsed.keys() == HEADERS
    return parsed


def bodies(parsed):
    return [part.get_content() for part in parsed.iter_parts()]


def test_a_message_carries_what_mailbox_providers_ask_for():
    parsed = parse(build(subject="Dein Warenkorb — wartet"))

    assert parsed["Subject"] == "Dein Warenkorb — wartet"
    assert parsed["Date"].datetime == NOW
    assert parsed["List-Unsubscribe"] == "<https://shop.example/u/d1>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<d1\.[0-9a-f]{16}@shop\.example>", parsed["Message-ID"])
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_a_long_unsubscribe_link_stays_plain_in_the_raw_bytes():
    """Encoded as an RFC 2047 word, as the library would from 78 characters on, it breaks one-click."""
    link = "https://shop.example/u/" + "a" * 400
    identity = Identity("Shop", "a@shop.example", "shop.example", SECRET, lambda decision_id: link)

    message = Builder(identity).build("d1", "ada@mail.example", Body("s", "h", "t"), NOW, "x")

    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in message.raw


def test_the_same_email_gives_the_same_bytes():
    assert build() == build()


@given(subject=hostile, html=text, plain=text)
@example("a\r\nBcc: victim@v.example", ".", "\r\n.\r\n")
@example("kairos-TEXT-placeholder", "kairos-SUBJECT-placeholder", "kairos-HTML-placeholder")
def test_no_value_can_add_a_header_or_change_a_body(subject, html, plain):
    try:
        message = build(subject, html, plain)
    except Refused as refused:
        assert subject[:50] not in str(refused) or len(subject) < 3, "a refusal must not repeat the value"
        return

    parsed = parse(message)
    assert parsed["Subject"].split() == subject.split()
    assert [body.replace("\r\n", "\n") for body in bodies(parsed)] == [_lines(plain), _lines(html)]
    assert all(len(line) <= 998 for line in message.raw.split(b"\r\n"))
    assert b"\n" not in message.raw.replace(b"\r\n", b"") and b"\r" not in message.raw.replace(b"\r\n", b"")


def _lines(value):
    return value.replace("\r\n", "\n").replace("\r", "\n")


@given(st.one_of(hostile, st.from_regex(r"[^@]{1,20}@[^@]{1,20}\.[a-z]{2,3}", fullmatch=True)))
@example('"a\nb"@c.d.example')
@example("a@b.example, victim@v.example")
@example("a@b.example\r\nRCPT TO:<x@y.example>")
@example("ü@x.example")
@example("<script>@x.example")
def test_no_address_can_reach_a_second_recipient(address):
    try:
        message = build(to=address)
    except Refused:
        return

    (found,) = parse(message)["To"].addresses
    assert found.addr_spec == message.to_address == address
    assert re.fullmatch(r"[\x21-\x7e]+", address) and not re.search(r'[\s,;:<>()\[\]"\\]', address)


@pytest.mark.parametrize(
    "link",
    [
        "http://shop.example/u",
        "javascript:alert(1)",
        "https://a b",
        "https://x/>\r\nBcc: y",
        "https://",
        "x" * 2000,
    ],
)
def test_a_link_that_one_click_cannot_use_is_refused(link):
    identity = Identity("Shop", "a@shop.example", "shop.example", SECRET, lambda decision_id: link)

    with pytest.raises(Refused, match="unsubscribe_url"):
        Builder(identity).build("d1", "ada@mail.example", Body("s", "h", "t"), NOW, "x")


@pytest.mark.parametrize("decision_id", ["../../etc/passwd", "a b", "a@b", "a\r\nb", "", "x" * 200])
def test_a_decision_id_that_is_no_token_is_refused(decision_id):
    with pytest.raises(Refused, match="decision_id"):
        build(decision_id=decision_id)
