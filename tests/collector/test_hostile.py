"""Every hostile event between two good neighbours: they always arrive, and it harms nobody."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.contract import Event, Quarantined
from collector.json_event import encode, read_events, read_exactly
from collector.json_split import split_array, split_object
from collector.limits import Limits
from collector.refusal import BadRequest, Refused
from tests.collector.asking import batch_of
from tests.collector.hostile_corpus import CORPUS, KEPT

LIMITS = Limits()
BEFORE = {"type": "track", "event": "Before", "userId": "u1", "messageId": "before"}
AFTER = {**BEFORE, "event": "After", "messageId": "after"}


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 120


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_event_harms_nobody(asked, name):
    poison, expected = CORPUS[name]

    answer = asked.post("/v1/batch", batch_of(BEFORE, poison, AFTER))

    assert answer.status_code == 200
    before, found, after = asked.events()
    assert (before["message_id"], after["message_id"]) == ("before", "after")
    assert (found["event"] if found["type"] == "quarantine" else KEPT) == expected


@pytest.mark.parametrize("name", CORPUS)
def test_its_frame_obeys_the_contract(asked, name):
    asked.post("/v1/batch", batch_of(BEFORE, CORPUS[name][0]))

    payload = asked.log.read_after(0).frames[-1].payload

    kind = Quarantined if b'"type":"quarantine"' in payload else Event
    msgspec.json.decode(payload, type=kind)
    assert json.loads(payload)
    assert b"\\u0000" not in payload.replace(b"\\\\", b"")
    assert b"\n" not in payload


@pytest.mark.parametrize("name", CORPUS)
def test_alone_it_is_quarantined_or_refused_but_never_an_error_of_ours(asked, name):
    status = asked.post("/v1/track", CORPUS[name][0]).status_code

    assert status in (200, 400, 413)
    assert len(asked.events()) == (status == 200)


def test_what_was_refused_is_kept_as_it_came(asked):
    asked.post("/v1/batch", batch_of(b'{"a":1,"a":2}', b'{"a":"\xff"}', b'{"b":NaN,"messageId":"m"}'))

    raws = [event["raw"] for event in asked.events()]

    assert raws == ['{"a":1,"a":2}', "base64:eyJhIjoi/yJ9", '{"b":NaN,"messageId":"m"}']


def test_what_was_refused_is_cut_at_32_kilobytes_even_inside_a_character(asked):
    asked.post("/v1/batch", batch_of(b'{"a":"' + "\u20ac".encode() * 20_000 + b'"}'))

    raw = asked.events()[0]["raw"]

    assert 32_760 <= len(raw.encode()) <= 32_768


@pytest.mark.parametrize("name", ["arrays 1000 deep", "NaN", "invalid UTF-8", "duplicate user"])
def test_a_hundred_neighbours_arrive_too(asked, name):
    poison, _ = CORPUS[name]
    good = [{**BEFORE, "messageId": f"m{n}"} for n in range(50)]

    asked.post("/v1/batch", batch_of(*good, poison, *good))

    assert sum(event["type"] == "track" for event in asked.events()) == 100


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a:b", "\u0000", ":", "{[", "\\u003a", "\ud800", '"', "\\"])
)
KEYS = st.sampled_from(["a", "b", "userId", ":", ""]) | st.text(max_size=4)


@st.composite
def texts(draw, depth: int = 0) -> str:
    """JSON text, often hostile: duplicate keys, odd escapes, huge numbers, odd spaces."""
    kind = draw(st.integers(0, 5 if depth < 6 else 2))
    if kind <= 2:
        return json.dumps(draw(SCALARS), ensure_ascii=draw(st.booleans()))
    space = draw(st.sampled_from(["", " ", "\n", "\t "]))
    if kind == 3:
        return "[" + f",{space}".join(draw(st.lists(texts(depth + 1), max_size=4))) + "]"
    members = draw(st.lists(st.tuples(KEYS, texts(depth + 1)), max_size=5))
    return "{" + f",{space}".join(f"{json.dumps(key)}{space}:{text}" for key, text in members) + "}"


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def outcome(event: dict | Refused) -> object:
    return event.code if isinstance(event, Refused) else encode(event)


@settings(max_examples=600, deadline=None)
@given(st.lists(texts().map(as_bytes), min_size=1, max_size=4))
def test_the_fast_reader_and_the_exact_reader_agree(events):
    fast = [outcome(event) for event in read_events(events, LIMITS)]
    exact = [outcome(read_exactly(event, LIMITS)) for event in events]

    assert fast == exact


@settings(max_examples=300, deadline=None)
@given(st.lists(texts().map(as_bytes), max_size=5))
def test_the_splitter_finds_every_element_of_any_array(events):
    body = b'{"x":1, "batch" : [' + b" , ".join(events) + b"] }"

    assert split_array(split_object(body)["batch"]) == [event.strip() for event in events]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]",:\\ab1', max_size=40).map(str.encode))
def test_no_bytes_make_the_splitter_do_anything_but_split_or_refuse(body):
    for split in (split_object, split_array):
        try:
            split(body)
        except BadRequest as refusal:
            assert refusal.code in ("invalid_json", "duplicate_key")
