"""Plans are made once, on empty tables; every answer must be the one a fresh plan gives."""

from __future__ import annotations

import random

import polars as pl

from orchestration.live.content import import_content
from orchestration.settings import load_settings
from tests.orchestration.traffic import Bench

PEOPLE = ("ann", "bob", "cho", "dan", "eve")


def move(shop: Bench, who: str, chance: random.Random) -> None:
    """Something that one of the triggers, rules or routes looks at."""
    page = {"page_view_id": f"w-{who}-{chance.randint(1, 9)}", "path": "/products/x", "page_type": "product"}
    match chance.randint(0, 9):
        case 0:
            shop.signs_in(who, consent=chance.random() < 0.8)
        case 1 | 2 | 3:
            shop.adds(who, chance.choice(["lamp", "shade"]), chance.choice([20.0, 80.0, None]))
        case 4 | 5:
            read = {"scroll_percent": chance.randint(60, 99), "engaged_seconds": chance.randint(1, 400)}
            shop.happens(who, "Page Engaged", properties=page | read)
        case 6:
            for feature in ("faq", "video_demo", "reviews"):
                shop.happens(who, "Feature Used", properties=page | {"feature": feature})
        case 7:
            lines = [{"product_id": "rug", "quantity": 2, "price": 45.0}]
            shop.happens(who, "Cart Updated", properties={"products": lines})
        case 8:
            shop.happens(who, chance.choice(["Order Completed", "Checkout Started"]))
        case _:
            shop.suppressed(who)


def answers(shop: Bench, sql: str) -> list[tuple]:
    return sorted(map(repr, shop.store.execute(sql).fetchall()))


def test_a_plan_made_once_answers_like_a_fresh_one(shop: Bench):
    settings = load_settings(data=shop.store.path.parent)
    settings.published.mkdir()
    segment = {"segment_name": ["premium_buyers"], "customer_id": ["customer-ann"]}
    pl.DataFrame(segment).write_parquet(settings.published / "fct_segment_members.parquet")
    block = {"product_id": ["lamp"], "is_withdrawn": [False], "card": ['{"name": "Lamp"}']}
    pl.DataFrame(block).write_parquet(settings.published / "fct_product_blocks.parquet")
    import_content(shop.store, settings.published)
    chance = random.Random(7)
    rows = dict.fromkeys((one.name for one in (*shop.models.probe, *shop.models.decide)), 0)

    for _ in range(25):
        for _ in range(chance.randint(1, 8)):
            move(shop, chance.choice(PEOPLE), chance)
        shop.after(chance.choice([1, 40, 200, 4000, 90_000]))
        while not (step := shop.lane.step()).idle:
            run = (*shop.models.probe, *shop.models.decide) if step.decisions else shop.models.probe[:-1]
            for statement in (one for one in run if one.name not in shop.store.empty):
                kept = answers(shop, f"select * from temp.main.{statement.name}")
                assert kept == answers(shop, statement.sql), statement.name
                rows[statement.name] += len(kept)

    silent = {name for name, count in rows.items() if not count}
    off = {"int_candidate_reviews", "int_tangled_candidates", "int_template_sends"}
    assert silent == off | {"int_sequence_states"}, "every model that is on, but nothing is sent here"


def test_plans_are_kept_while_events_come_in(shop: Bench):
    """An insert that changed the catalog, as registering a frame does, would have every plan made anew."""
    shop.signs_in("ann")
    shop.decided()
    shop.store.execute("pragma enable_profiling = 'json'")
    shop.store.execute("set profiling_mode = 'detailed'")
    profile = shop.store.path.parent / "profile.json"
    shop.store.execute(f"set profiling_output = '{profile}'")

    shop.store.run("fill_int_trigger_moments")

    planning = pl.read_json(profile)["planner"][0]["binding_time"]
    assert planning < 0.001, "planned anew: it takes several milliseconds"
