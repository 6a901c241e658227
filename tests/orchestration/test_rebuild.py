"""The warm database is a cache: lost or damaged, it comes back the same."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.archive import archive, prepare
from orchestration.live.lane import LiveLane
from orchestration.live.lease import Lease, write_lease
from orchestration.live.opening import open_store
from orchestration.live.rebuild import keep_house
from orchestration.live.store import LiveStore
from orchestration.settings import Settings, SettingsError, load_settings
from tests.orchestration.traffic import SHOP, Bench

TABLES = ("live.decided", "live.timers", "landing.events", "live.cursor")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path)


def content(store: LiveStore) -> dict[str, list]:
    """All rows, in one order."""
    return {table: sorted(map(repr, store.rows(f"select * from {table}"))) for table in TABLES}


def busy(shop: Bench) -> None:
    """Traffic that leaves decisions, refused ones, open carts with timers, and people who are over."""
    shop.signs_in("gone")
    shop.adds("gone", "lamp")
    shop.after(3 * 86_400)
    for visitor in ("ann", "bob", "cho"):
        shop.signs_in(visitor, consent=visitor != "bob")
        shop.adds(visitor, "lamp", 60)
        shop.adds(visitor, "shade", 70)
        shop.decided()
    shop.after(200)
    shop.decided()
    shop.adds("dee", "lamp")
    shop.adds("dee", "lamp")
    shop.decided()


def rebuilt(shop: Bench, settings: Settings) -> LiveStore:
    prepare(settings.archive, settings.profiles)
    store, _ = open_store(settings, shop.log, shop.models)
    return store


@pytest.mark.parametrize("damage", ["deleted", "garbage", "torn"])
def test_a_lost_or_damaged_database_comes_back_the_same(shop: Bench, settings: Settings, damage: str):
    busy(shop)
    keep_house(shop.store, shop.models, shop.store.cursor()[1], timedelta(hours=48))
    before = content(shop.store)
    shop.store.close()
    if damage == "deleted":
        settings.live_db.unlink()
    else:
        settings.live_db.write_bytes(
            b"x" * 50_000 if damage == "garbage" else settings.live_db.read_bytes()[:5000]
        )
        settings.live_db.with_name("live.duckdb.wal").unlink(missing_ok=True)

    shop.store = rebuilt(shop, settings)

    assert before["live.decided"] and before["live.timers"]
    after = content(shop.store)
    assert {table: after[table] for table in TABLES[:3]} == {table: before[table] for table in TABLES[:3]}


def test_rebuilding_reads_the_archive_for_what_left_the_log(shop: Bench, settings: Settings):
    busy(shop)
    keep_house(shop.store, shop.models, shop.store.cursor()[1], timedelta(hours=48))
    before = content(shop.store)
    prepare(settings.archive, settings.profiles)
    shop.log.seal()
    done = archive(shop.log, settings.archive, shop.lane.position)
    shop.store.close()
    settings.live_db.unlink()

    shop.store = rebuilt(shop, settings)

    assert done.segments == done.removed >= 1
    after = content(shop.store)
    assert {table: after[table] for table in TABLES[:3]} == {table: before[table] for table in TABLES[:3]}


def test_the_rebuilt_lane_goes_on_where_the_other_stood(shop: Bench, settings: Settings):
    busy(shop)
    shop.store.close()
    settings.live_db.unlink()
    considered = shop.ledger.counts()["considered"]

    shop.store = rebuilt(shop, settings)
    shop.lane = LiveLane(shop.log, shop.store, shop.models, shop.ledger, SHOP, shop.clock)
    shop.after(200)
    again = shop.decided()

    assert [decision.visitor_id for decision in again] == ["dee"]
    assert shop.ledger.counts()["considered"] == considered + 1


def test_a_database_in_use_is_not_taken_for_a_damaged_one(shop: Bench, settings: Settings):
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(settings.live_db))


def test_moments_that_nobody_judged_are_found_by_the_first_window(shop: Bench, settings: Settings):
    """Events that came before the first window, or while the database was lost."""
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    shop.store.close()
    settings.live_db.unlink()
    prepare(settings.archive, settings.profiles)

    shop.store, missed = open_store(settings, shop.log, shop.models)

    assert [row["visitor_id"] for row in missed] == ["ann"]


def test_changed_models_do_not_mail_the_people_of_yesterday(shop: Bench, settings: Settings):
    """Peers mail everyone when somebody saves an edit: what ripened under other models stays as it was."""
    shop.signs_in("ann")
    shop.adds("ann", "lamp")  # one item is no abandonment under the shipped threshold
    shop.after(3600)
    assert shop.decided() == []

    edited = dataclasses.replace(shop.models, version="edited")
    one_item = {("thresholds", "cart_abandonment", "min_items"): "1"}
    shop.lane = LiveLane(shop.log, shop.store, edited, shop.ledger, SHOP, shop.clock, one_item)
    shop.happens("ann", "Home", "page")
    [old] = shop.decided()
    shop.signs_in("bob")
    shop.adds("bob", "lamp")
    shop.after(100)
    [new] = [decision for decision in shop.decided() if decision.visitor_id == "bob"]

    assert not old.should_send and old.evidence["ripened_before_the_models"]
    assert new.should_send


def test_a_rebuild_with_changed_models_does_not_either(shop: Bench, settings: Settings):
    shop.signs_in("ann")
    shop.adds("ann", "lamp")
    shop.adds("ann", "shade")
    shop.after(100)
    shop.decided()
    write_lease(settings.lease, Lease(ends_at=0, judged_until=shop.clock().timestamp()))
    shop.store.close()
    settings.live_db.unlink()
    prepare(settings.archive, settings.profiles)

    shop.store, missed = open_store(settings, shop.log, shop.models)

    assert missed == []


def test_a_wrong_memory_limit_is_refused_and_costs_no_database(tmp_path: Path):
    with pytest.raises(SettingsError, match="memory_limit"):
        load_settings(data=tmp_path, live={"memory_limit": "abc"})
