"""What a catalogue puts into emails: published by the batch lane, imported by the live lane, shown to people."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from orchestration.archive import prepare
from orchestration.arrivals import read_calls
from orchestration.defs.resources import Kairos
from orchestration.defs.warehouse.published import published_content
from orchestration.live.content import import_content
from orchestration.live.store import LiveStore
from orchestration.publishing import publish, publish_catalogue
from orchestration.replay import Replay
from orchestration.settings import Settings, load_settings
from senders.context import Context
from simulator.catalogue import Product, products
from simulator.catalogue_files import SOLD_OUT, write_catalogue
from tests.orchestration.traffic import START, Bench

GOODS = {product.name: product for product in products()}
GONE, TENT, PARKA = GOODS[SOLD_OUT[0]], GOODS["Two-Person Tent"], GOODS["Ridge Down Parka"]
COAT = GOODS["Harbour Rain Coat"]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A shop whose catalogue is published, before anybody came."""
    settings = load_settings(data=tmp_path_factory.mktemp("stocked"))
    prepare(settings.archive, settings.profiles)
    write_catalogue(settings.catalogue)
    publish_catalogue(settings)
    return settings


# -- from the visit to the email


class Visit:
    """Calls of one visitor, a second apart, for a replay."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def does(self, kind: str, name: str | None = None, **fields: object) -> Visit:
        at = (START + timedelta(seconds=len(self.calls))).isoformat()
        call = {"type": kind, "messageId": f"m{len(self.calls)}", "anonymousId": "ann", "userId": "c-ann",
                "timestamp": at, "receivedAt": at, "context": {"sessionId": "s"}, **fields}  # fmt: skip
        self.calls.append(call | ({"event": name} if kind == "track" else {"name": name} if name else {}))
        return self

    def signs_in(self) -> Visit:
        traits = {"email": "ann@example.com", "first_name": "Ann", "consent": True}
        return self.does("identify", traits=traits)

    def looks_at(self, product: Product) -> Visit:
        return self.does("track", "Product Viewed", properties=product.item())

    def adds(self, product: Product) -> Visit:
        return self.does("track", "Product Added", properties=product.item())

    def reads(self, product: Product) -> Visit:
        """The whole product page, of which the browser knows only the id."""
        page = {"product_id": product.product_id, "page_type": "product", "url": product.url}
        view = {"page_view_id": f"view-{product.product_id}"}
        self.does("page", "Product", properties=page | view)
        return self.does("track", "Page Engaged", properties=page | view | {"scroll_percent": 90})


def replayed(settings: Settings, visit: Visit, out: Path) -> tuple[list, list[str]]:
    """Decisions, and the emails as they look, both in the order of time; those after the first are later touches."""
    calls = out / "calls.jsonl"
    calls.write_text("\n".join(json.dumps(call) for call in visit.calls))
    run = Replay(settings, out)
    decisions = run.run(read_calls([calls], identify=False)).decisions
    run.close()
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in sorted((out / "emails").rglob("*.eml"))
    ]
    mails.sort(key=lambda mail: mail["Date"].datetime)
    return decisions, [mail.get_body(("html",)).get_content() for mail in mails]


def test_a_visit_becomes_an_email_with_similar_products_and_a_review(stocked: Settings, tmp_path: Path):
    visit = Visit().signs_in().looks_at(TENT).does("page", "Size Guide").reads(PARKA)

    [decision, *_], [html, *_] = replayed(stocked, visit, tmp_path)

    assert "The Ridge Down Parka has become the one I reach for." in html
    assert "Similar styles" in html and "Alpine Shell Jacket" in html and "$229.00" in html
    assert "Which size of the Ridge Down Parka?" in html and "Chest 95 to 101 cm." in html
    assert "See everything in jackets" in html
    Context.model_validate({**decision.content, "unsubscribe_url": "https://shop.example/u"})


def test_a_cart_s_email_shows_what_else_was_looked_at(stocked: Settings, tmp_path: Path):
    visit = Visit().signs_in().looks_at(TENT).looks_at(COAT).adds(COAT).adds(PARKA)

    _, [html, *_] = replayed(stocked, visit, tmp_path)

    assert "You also looked at" in html and "Two-Person Tent" in html
    assert html.count("Harbour Rain Coat</a>") == 1, "what lies in the cart is not recommended once more"
    assert "Which size" not in html, "nobody looked at a size guide"


def test_nobody_is_mailed_about_what_is_sold_out(stocked: Settings, tmp_path: Path):
    visit = Visit().signs_in().reads(GONE)

    [decision], mails = replayed(stocked, visit, tmp_path)

    assert [rule for rule, holds in decision.reasons.items() if not holds] == ["has_something_to_offer"]
    assert not decision.should_send and mails == []


def test_what_is_sold_out_is_missing_from_the_cart_and_from_its_sum(stocked: Settings, tmp_path: Path):
    visit = Visit().signs_in().adds(GONE).adds(COAT)

    _, [html, *_] = replayed(stocked, visit, tmp_path)

    assert GONE.name not in html and COAT.name in html
    assert "$203.00" not in html and "$149.00" in html


def test_a_shop_without_a_catalogue_mails_without_these_blocks(tmp_path: Path):
    visit = Visit().signs_in().looks_at(TENT).adds(COAT).adds(GONE)

    _, [html, *_] = replayed(load_settings(data=tmp_path / "data"), visit, tmp_path)

    assert GONE.name in html and COAT.name in html
    assert "You also looked at" not in html


def test_only_a_server_says_how_many_points_there_are(shop: Bench):
    shop.signs_in("ann")
    shop.happens("ann", None, "identify", traits={"loyalty_points": 640, "tier": "Gold"})
    shop.happens("ann", None, "identify", traits={"loyalty_points": 9}, trust="browser")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)

    [decision] = shop.decided()

    assert decision.content["loyalty"] == {"points": 640, "tier": "gold"}


# -- publishing and importing


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LiveStore]:
    opened = LiveStore(tmp_path / "live.duckdb")
    yield opened
    opened.close()


def write(folder: Path, **columns: list) -> Path:
    """A published file of these columns."""
    folder.mkdir(exist_ok=True)
    file = folder / "fct_product_blocks.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return file


def known(store: LiveStore) -> list[tuple]:
    return store.execute("select product_id, card from published.fct_product_blocks order by 1").fetchall()


def test_what_was_published_is_imported_once(store: LiveStore, stocked: Settings):
    assert store.published == set()

    assert import_content(store, stocked.published) == len(GOODS)
    assert import_content(store, stocked.published) == 0

    assert store.published == {"published.fct_product_blocks"}
    assert len(known(store)) == len(GOODS)


def test_a_newer_file_replaces_and_a_missing_one_empties_the_table(store: LiveStore, tmp_path: Path):
    file = write(tmp_path / "published", product_id=["hat", "cap"], card=['"a"', '"b"'])
    import_content(store, file.parent)
    write(file.parent, product_id=["hat"], card=['"new"'])
    import_content(store, file.parent)
    assert known(store) == [("hat", '"new"')]

    file.unlink()
    import_content(store, file.parent)
    assert known(store) == [] and store.published == set()


def test_a_file_of_another_version_is_taken_as_far_as_it_goes(store: LiveStore, tmp_path: Path):
    file = write(tmp_path / "published", product_id=["hat"], scent=["lavender"])

    import_content(store, file.parent)

    assert known(store) == [("hat", None)]


def test_a_file_nobody_can_read_leaves_the_last_one(store: LiveStore, tmp_path: Path):
    file = write(tmp_path / "published", product_id=["hat"], card=['"a"'])
    import_content(store, file.parent)
    file.write_bytes(b"torn")

    assert import_content(store, file.parent) == 0

    assert known(store) == [("hat", '"a"')]


def test_what_did_not_change_is_not_written_again(stocked: Settings):
    file = stocked.published / "fct_product_blocks.parquet"
    before = file.stat().st_mtime_ns

    assert publish(stocked, ["fct_product_blocks"]) == {"fct_product_blocks": len(GOODS)}

    assert file.stat().st_mtime_ns == before
    assert [path.name for path in stocked.published.iterdir()] == [file.name]


def test_the_asset_says_how_many_products_it_published(stocked: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAIROS_DATA", str(stocked.data))

    done = dg.materialize([published_content], resources={"kairos": Kairos()})

    [event] = done.asset_materializations_for_node("published__fct_product_blocks")
    assert event.metadata["rows"].value == len(GOODS)


def test_a_catalogue_from_a_spreadsheet_is_read(tmp_path: Path):
    """A few lines, one of them short, another separator, an empty column, and a price that is none."""
    settings = load_settings(data=tmp_path)
    prepare(settings.archive, settings.profiles)
    settings.catalogue.mkdir()
    (settings.catalogue / "products.csv").write_text("product_id,name,price,stock\n1,Hat,20\n2,Cap,ask,\n")
    (settings.catalogue / "products-2.csv").write_text("product_id;name;price\n3;Scarf;9.5\n")

    publish_catalogue(settings)

    published = pl.read_parquet(settings.published / "fct_product_blocks.parquet")
    withdrawn = dict(published.select("product_id", "is_withdrawn").iter_rows())
    assert withdrawn == {"1": False, "2": True, "3": False}
