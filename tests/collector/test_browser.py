"""Segment's browser SDK and our engagement plugin, in a real browser on a page of another origin."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.collector.live import BROWSER_KEY, CONFIG, LiveCollector
from tests.collector.node_tools import HOME, SOURCES, require_chromium, run_node

pytestmark = pytest.mark.needs_chromium
SDK = HOME / "node_modules/@segment/analytics-next/dist/umd/standalone.js"


@pytest.fixture
def shop_collector(tmp_path) -> Iterator[LiveCollector]:
    """A collector that also serves the SDK's script."""
    require_chromium()
    live = LiveCollector(tmp_path / "landing", replace(CONFIG, analytics_js=str(SDK))).start()
    yield live
    live.stop()


@pytest.fixture
def shop(tmp_path, shop_collector) -> Iterator[str]:
    """The address of a shop's page that points its SDK at the collector."""
    folder = tmp_path / "shop"
    folder.mkdir()
    page = (SOURCES / "shop.html").read_text()
    page = page.replace("COLLECTOR", shop_collector.url).replace("KEY", BROWSER_KEY)
    (folder / "shoe.html").write_text(page)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/shoe.html"
    server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """A web server without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_what_a_visitor_does_arrives_as_engagement(shop, shop_collector):
    visit = run_node("browser.cjs", shop)

    events = shop_collector.wait_for(6)
    assert visit["errors"] == []
    by_name = {event["event"] or event["type"]: event for event in events}
    engaged = [event["properties"] for event in events if event["event"] == "Page Engaged"]
    last = next(properties for properties in engaged if properties["is_final"])
    page = by_name["page"] if "page" in by_name else next(e for e in events if e["type"] == "page")

    assert page["properties"]["page_view_id"] == visit["pageViewId"]
    assert {properties["page_view_id"] for properties in engaged} == {visit["pageViewId"]}
    assert last["scroll_percent"] == 100
    assert last["click_count"] == 2
    assert last["spec_count"] == 2
    assert 1.5 < last["engaged_seconds"] < 60
    assert (last["page_type"], last["product_id"]) == ("product", "p1")
    assert (last["path"], last["title"]) == ("/shoe.html", "Trail shoe")
    assert by_name["Feature Used"]["properties"]["feature"] == "video_demo"
    assert by_name["Feature Used"]["properties"]["page_view_id"] == visit["pageViewId"]
    scrolls = sorted(properties["scroll_percent"] for properties in engaged)
    assert any(50 <= percent < 80 for percent in scrolls), "passing a mark reports at once"
    seconds = [properties["engaged_seconds"] for properties in engaged]
    assert max(seconds) == last["engaged_seconds"]


def test_a_browser_s_events_belong_together_and_are_trusted_less(shop, shop_collector):
    run_node("browser.cjs", shop)

    events = shop_collector.wait_for(6)
    identify = next(event for event in events if event["type"] == "identify")
    assert identify["traits"] == {"tier": "vip"}
    assert identify["flags"] == ["consent_dropped"]
    assert {event["trust"] for event in events} == {"browser"}
    assert {event["user_id"] for event in events if event["type"] != "page"} == {"u1"}
    assert len({event["anonymous_id"] for event in events}) == 1


def test_the_plugin_stays_small():
    plugin = Path(__file__).parents[2] / "collector/static/kairos-engagement.js"

    assert plugin.stat().st_size < 10_000
