"""Both lanes run the same models over the same events, and a check says whether they agree."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.archive import archive, prepare
from orchestration.dbt import run_dbt
from orchestration.lanes import compare_lanes
from orchestration.learning.policy import POLICY
from orchestration.live.content import import_content
from orchestration.publishing import publish_catalogue
from orchestration.settings import Settings, load_settings
from tests.orchestration.traffic import Bench

HELD_OUT = "liv"  # by the shipped salt
BOUNDARY = 700  # seconds from the start: ann, bob and cho left their carts before


def write_policy(settings: Settings) -> None:
    """Subjects of carts of medium value: b nearly always, for the first three people, and then a."""
    begin = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    since = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=3) + timedelta(seconds=BOUNDARY)
    rows = [
        (version, at, "cart_abandonment/mid_value", "*", arm, low, high, high - low)
        for version, at, split in (("early", begin, 0.02), ("late", since, 0.98))
        for arm, low, high in (("a", 0.0, split), ("b", split, 1.0))
    ]
    pl.DataFrame(rows, POLICY, orient="row").write_parquet(settings.published / "bandit_policy.parquet")


@pytest.fixture
def built(tmp_path: Path) -> Settings:
    """Traffic of several people, judged live, and the same traffic built in the warehouse."""
    settings = load_settings(data=tmp_path)
    settings.catalogue.mkdir()
    (settings.catalogue / "products.csv").write_text(
        "product_id,name,price,stock\nlamp,Lamp,40,3\nrug,Rug,90,0\n"
    )
    prepare(settings.archive, settings.profiles)
    publish_catalogue(settings)
    write_policy(settings)
    shop = Bench(tmp_path, datetime.now(UTC) - timedelta(hours=3))
    import_content(shop.store, settings.published)
    shop.signs_in("fay")
    rug = {"path": "/products/rug", "page_view_id": "w-fay", "product_id": "rug", "scroll_percent": 95}
    shop.happens("fay", "Page Engaged", properties=rug)
    for number, name in enumerate(("ann", "bob", "cho", "dan", HELD_OUT)):
        shop.signs_in(name, consent=name != "bob")
        shop.happens(
            name, "Product", "page", properties={"path": "/products/lamp", "page_view_id": f"w-{name}"}
        )
        shop.happens(
            name,
            "Page Engaged",
            properties={"page_view_id": f"w-{name}", "scroll_percent": min(70 + 10 * number, 100)},
        )
        shop.adds(name, "lamp", 40)
        shop.adds(name, "shade", 30)
        shop.after(30 + 40 * number)
        shop.decided()
        shop.happens(
            name, "Order Completed" if name == "dan" else "Home", "track" if name == "dan" else "page"
        )
        shop.after(200)
        shop.decided()
    shop.happens("eve", "Home", "page")
    shop.decided()
    archive(shop.log, settings.archive, 0)
    shop.close()
    run_dbt(
        settings.dbt_project, "warehouse", tmp_path / "target",
        ["build", "--exclude-resource-type", "unit_test"], data=tmp_path,
    )  # fmt: skip
    return settings


def test_the_lanes_agree_and_the_check_notices_when_they_do_not(built: Settings):
    found = compare_lanes(built)
    assert found.agree, found.as_metadata()
    assert found.compared >= 5 and found.left_out == 0
    with duckdb.connect(str(built.warehouse), read_only=True) as warehouse:
        carts = warehouse.execute(
            "select policy_version, variant, round(propensity, 2), is_ghost from fct_send_decisions "
            "where trigger_name = 'cart_abandonment' order by qualifies_at"
        ).fetchall()
    assert {(version, variant, p) for version, variant, p, _ in carts} >= {
        ("early", "b", 0.98),
        ("late", "a", 0.98),
    }
    assert [ghost for *_, ghost in carts].count(True) == 1

    with sqlite3.connect(built.ledger) as ledger:
        ledger.execute("update decisions set variant = 'z' where variant = 'b'")
        ledger.commit()
        assert not compare_lanes(built).agree, "another draw is a disagreement"
        ledger.execute("update decisions set variant = 'b' where variant = 'z'")
        ledger.commit()
        assert compare_lanes(built).agree
        ledger.execute(
            "update decisions set reasons = replace(reasons, '\"has_consent\": true', '\"has_consent\": false')"
        )
        ledger.execute(
            "update decisions set reasons = replace(reasons, '\"has_consent\":true', '\"has_consent\":false')"
        )
    assert not compare_lanes(built).agree


def test_a_catalogue_that_changed_since_is_no_disagreement(built: Settings):
    """The rug was sold out when it was decided; since then it would have been offered."""
    with sqlite3.connect(built.ledger) as ledger:
        ledger.execute(
            "update decisions set reasons = json_set(reasons, '$.has_something_to_offer', json('true'))"
        )

    found = compare_lanes(built)

    assert found.agree and found.left_out == 1, found.as_metadata()
