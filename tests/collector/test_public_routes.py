"""Every route of the OpenAPI document, asked anything: no failure of ours, no way out but the stored ones, nothing by GET."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import collector
from collector.destinations import DestinationWriter
from collector.links import UNSUBSCRIBE, Links
from collector.log import FileLog
from tests.collector.asking import Asked
from tests.collector.conftest import Clock
from tests.collector.live import BROWSER_KEY, CONFIG, SERVER_KEY

DOCUMENT = json.loads((Path(collector.__file__).parent / "static/openapi.json").read_text())
OPERATIONS = [(method.upper(), route) for route, methods in DOCUMENT["paths"].items() for method in methods]
LINKS = Links("http://collector.test", ["only for tests"])
STORED = "https://shop.example/cart"
CHANGES_NOTHING = {"Email Unsubscribed", "Email Topic Unsubscribed", "Email Paused"}

TEXT = st.text(max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        name: JSON for name in ("type", "event", "userId", "messageId", "properties", "timestamp", "batch")
    },
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    EVENTS.map(lambda event: json.dumps(event).encode()),
    st.lists(EVENTS, max_size=3).map(lambda events: json.dumps({"batch": events}).encode()),
    st.sampled_from(
        [b"List-Unsubscribe=One-Click", b"choice=topic", b"choice=%ff", b"choice=" + b"x" * 20_000]
    ),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "authorization": st.sampled_from([SERVER_KEY, BROWSER_KEY, "other"]).map(lambda key: "Basic " + b64encode(f"{key}:".encode()).decode()),
        "user-agent": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
        "content-type": st.sampled_from(["application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]),
        "host": st.sampled_from(["evil.example", "collector.test"]),
        "x-forwarded-host": st.just("evil.example"),
        "origin": st.just("https://evil.example"),
    },
)  # fmt: skip
QUERIES = st.sampled_from(
    ["", "?url=https://evil.example", "?next=//evil.example&writeKey=server-key", "?writeKey=%00"]
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("public")
    writer = DestinationWriter(folder / "links.sqlite")
    assert writer.remember(STORED, date(2026, 11, 23)) == DESTINATION
    writer.make_durable()
    clock = Clock()
    log = FileLog(folder / "landing", clock=clock, durable=False)
    yield Asked(log, clock, replace(CONFIG, destinations=folder / "links.sqlite"))
    log.close()


DESTINATION = "N7VIlOoaLOuoOOz6"
CLICK = LINKS.click_url("d1", 1, DESTINATION).rpartition("/")[2]
OPENED = LINKS.open_url("d1").rpartition("/")[2].removesuffix(".gif")
LEAVING = LINKS.sign("d1", UNSUBSCRIBE)


def mutilated(token: str) -> st.SearchStrategy[str]:
    """Cut anywhere, with another character somewhere, or with something added."""
    index = st.integers(0, len(token) - 1)
    return st.one_of(
        index.map(lambda at: token[:at]),
        index.map(lambda at: token[at:]),
        st.tuples(index, st.sampled_from("Aa0._-é")).map(lambda t: token[: t[0]] + t[1] + token[t[0] + 1 :]),
        TEXT.map(lambda more: token + more),
        TEXT,
    )


TOKENS = st.one_of(st.sampled_from([CLICK, OPENED, LEAVING]), *map(mutilated, (CLICK, OPENED, LEAVING)))


def ask(
    asked: Asked, method: str, route: str, token: str, query: str, headers: dict, body: bytes
) -> httpx.Response:
    path = route.replace("{token}", quote(token, safe="")).replace("{key}", quote(token, safe=""))
    return asked.request(method, path + query, headers=headers, content=body)


def test_the_document_names_every_route_and_no_other(asked: Asked):
    served = {
        (method, route.path)
        for route in asked.app.routes
        for method in (route.methods or ())
        if method != "HEAD"
    }
    calls = {
        (method, route)
        for method, route in OPERATIONS
        if route.startswith(("/v1/", "/beacon/")) and method == "POST"
    }

    assert set(OPERATIONS) - calls == served
    assert all(asked.post(route, b"{}").status_code != 404 for _, route in calls)
    assert asked.get("/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize(("method", "route"), sorted(OPERATIONS))  # first those that only look
def test_whatever_is_asked(asked: Asked, method: str, route: str):
    allowed = {int(status) for status in DOCUMENT["paths"][route][method.lower()]["responses"]}

    if method == "GET":
        for verb, token in product(("GET", "HEAD"), (CLICK, OPENED, LEAVING)):
            ask(asked, verb, route, token, "", {}, b"")
        assert wishes(asked) == [], "looking must change nothing"

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        TOKENS, QUERIES, HEADERS, BODIES, st.sampled_from([method, "HEAD"] if method == "GET" else [method])
    )
    def holds(token: str, query: str, headers: dict, body: bytes, verb: str) -> None:
        before = wishes(asked)
        answer = ask(asked, verb, route, token, query, headers, body)

        assert answer.status_code < 500
        assert answer.status_code in allowed | {404}
        assert answer.headers.get("location") in (None, STORED)
        if verb in ("GET", "HEAD"):
            assert wishes(asked) == before, "looking must change nothing"

    holds()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_only_the_whole_token_in_its_own_place_is_accepted(asked: Asked, data: st.DataObject):
    (prefix, suffix, own), verb = data.draw(
        st.sampled_from(
            [(("/c/", "", CLICK), "GET"), (("/o/", ".gif", OPENED), "GET"), (("/u/", "", LEAVING), "GET"), (("/u/", "", LEAVING), "POST")]
        )
    )  # fmt: skip
    token = data.draw(TOKENS)
    before = len(asked.events())

    answer = asked.request(verb, prefix + quote(token, safe="") + suffix)

    if token == own:
        assert answer.status_code in (200, 302)
    else:
        assert answer.status_code == 404
        assert len(asked.events()) == before


def wishes(asked: Asked) -> list[str]:
    return [event["event"] for event in asked.events() if event.get("event") in CHANGES_NOTHING]
