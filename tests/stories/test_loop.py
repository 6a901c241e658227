"""The whole loop: an email arrives, is answered in a browser, by a purchase, by leaving; and the answer changes what follows.

Everybody leaves a cart. Ada follows the link in a browser and buys; Ben does nothing; Dora presses her mail program's
button, Finn takes a break; Eve's company scans her mail.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import segment.analytics.client as segment

from collector.log.file import FileLog
from orchestration.archive import archive
from orchestration.cli.screenshots import browser
from orchestration.dbt import run_dbt
from orchestration.live.sending import open_ledger
from orchestration.settings import load_settings
from tests.system import QUICK, QUICK_ROUTES, SERVER_KEY, System, copy_project, free_port

pytestmark = [pytest.mark.slow, pytest.mark.needs_chromium]

PERSON = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)
NEXT_EMAIL_SECONDS = 16
EVERYBODY = ("ada", "ben", "dora", "eve", "finn")
OUR_LINK = re.compile(r'href="([^"]*/c/[^"]+)"')


class ShopPage(BaseHTTPRequestHandler):
    """A shop with one page, which says where the visitor is."""

    def do_GET(self) -> None:
        body = f"<title>shop</title><h1>you are at {self.path}</h1>".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), ShopPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/shop"
    server.shutdown()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, shop_url: str) -> Iterator[System]:
    """Carts ripen in seconds, and so do the emails after the first."""
    if browser() is None:
        pytest.skip("Chromium is not installed: install it to click links in a real browser")
    folder = tmp_path_factory.mktemp("loop")
    soon = {"cart_abandonment": {"after_hours": str(NEXT_EMAIL_SECONDS / 3600)}}
    project = copy_project(folder, {"thresholds": QUICK, "routes": QUICK_ROUTES, "sequences": soon})
    env = {"KAIROS_DBT_PROJECT": str(project), "KAIROS_MAIL__SHOP_URL": shop_url}
    system = System(folder, env)
    try:
        system.start_inbox()
        system.start_collector()
        system.start_window(600)
        system.wait_for_window(120)
        live_through(system)
        yield system
    finally:
        system.close()


def live_through(system: System) -> None:
    """A minute of everybody's life."""
    sdk = segment.Client(SERVER_KEY, host=system.url, max_retries=2)
    for name in EVERYBODY:
        sdk.identify(
            f"customer-{name}", {"email": f"{name}@example.com", "first_name": name, "consent": True}
        )
        for product, price in (("lamp", 40), ("shade", 30)):
            item = {
                "product_id": product,
                "name": product.title(),
                "price": price,
                "quantity": 1,
                "currency": "USD",
            }
            sdk.track(f"customer-{name}", "Product Added", item)
    sdk.flush()
    system.wait(lambda: all(mails(system, name) for name in EVERYBODY), "everybody's first email")
    scan(first(system, "eve"))
    press_the_button(raw(system, "dora"))
    httpx.post(
        unsubscribe_link(raw(system, "finn")), data={"choice": "pause"}, trust_env=False
    ).raise_for_status()
    time.sleep(2.5)  # nobody reads faster
    system.landed = follow_in_browser(first(system, "ada"))  # type: ignore[attr-defined]
    sdk.track("customer-ada", "Order Completed", {"order_id": "o1", "total": 70})
    sdk.flush()
    sdk.join()
    for name in ("ben", "eve"):
        system.wait(lambda name=name: len(mails(system, name)) > 1, f"{name}'s second email", 45)
    time.sleep(3)  # whatever was to come to the others has come with theirs


def mails(system: System, name: str) -> list:
    return system.mails().get(f"{name}@example.com", [])


def first(system: System, name: str):
    return mails(system, name)[0]


def raw(system: System, name: str) -> bytes:
    """The first email of somebody as it came over the wire."""
    files = sorted((system.folder / "inbox").glob("**/*.eml"))
    return next(mail for mail in (file.read_bytes() for file in files) if f"To: {name}@".encode() in mail)


def our_links(mail) -> list[str]:
    return [unescape(link) for link in OUR_LINK.findall(mail.get_body(("html",)).get_content())]


def follow_in_browser(mail) -> str:
    """Open the cart's link in Chromium; returns the page that shows."""
    text = mail.get_body(("plain",)).get_content()
    link = re.search(r"Complete your order:\s+(\S+)", text)[1]
    assert link in our_links(mail), "HTML and text lead the same way"
    command = [browser(), "--headless=new", "--disable-gpu", f"--user-agent={PERSON}", "--dump-dom", link]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def scan(mail) -> None:
    """What a security product does with an email: all its links, the hidden one too, and heads first."""
    for link in our_links(mail):
        for method in ("HEAD", "GET"):
            httpx.request(method, link, headers={"user-agent": PERSON}, trust_env=False)


def unsubscribe_link(mail: bytes) -> str:
    return re.search(rb"^List-Unsubscribe: <([^>\r\n]+)>", mail, re.MULTILINE)[1].decode()


def press_the_button(mail: bytes) -> None:
    """RFC 8058, from the raw header: one POST, no redirect."""
    assert b"\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail
    answer = httpx.post(unsubscribe_link(mail), data={"List-Unsubscribe": "One-Click"}, trust_env=False)
    assert answer.status_code == 200


def test_the_link_leads_the_browser_to_the_cart(system: System):
    assert "you are at /shop/cart" in system.landed  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "count"), [("ada", 1), ("ben", 2), ("dora", 1), ("eve", 2), ("finn", 1)])
def test_the_answer_decides_what_follows(system: System, name: str, count: int):
    """Ben, who did nothing, is why silence about the others means something; Eve's scanner is no answer."""
    assert len(mails(system, name)) >= count if count > 1 else len(mails(system, name)) == 1


@pytest.mark.parametrize("name", ["dora", "finn"])
def test_a_wish_is_heard_by_models_or_gate(system: System, name: str):
    ledger = open_ledger(load_settings(data=system.data))
    later = [found for found in ledger.explain(person=f"customer-{name}") if found.touch == 2]
    ledger.close()

    assert later and all(
        not found.reasons["is_not_suppressed"] or found.state == "SUPPRESSED" for found in later
    )


def test_the_outcome_tells_people_from_machines(system: System, tmp_path: Path):
    touches = {(row["customer_id"], row["touch"]): row for row in built(system, tmp_path)}

    ada, ben, eve = (touches[f"customer-{name}", 1] for name in ("ada", "ben", "eve"))
    assert {row["outcome"] for row in (ada, ben, eve)} == {"sent"}
    assert (ada["click_count"], ada["human_click_count"]) == (1, 1)
    assert ada["clicked_at"] is not None
    assert (ben["click_count"], ben["human_click_count"]) == (0, 0)
    assert eve["click_count"] >= 4 and eve["human_click_count"] == 0


def built(system: System, folder: Path) -> list[dict[str, Any]]:
    """fct_touches over everything that happened."""
    system.stop("window")
    log = FileLog(system.data / "landing")
    archive(log, system.data / "archive", 0)
    log.close()
    project = Path(system.env["KAIROS_DBT_PROJECT"])
    run_dbt(project, "warehouse", folder, ["build", "--select", "+fct_touches", "--exclude-resource-type", "unit_test", "test"], system.data)  # fmt: skip
    with duckdb.connect(str(system.data / "warehouse.duckdb"), read_only=True) as db:
        result = db.execute("select * from fct_touches")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
