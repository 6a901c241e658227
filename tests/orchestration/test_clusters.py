"""Proposals for segments: what was planted is found, said in words, and nothing is said of too few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from orchestration.arrivals import read_calls
from orchestration.dbt import run_dbt
from orchestration.people import behaviour as figures
from orchestration.people import clusters
from orchestration.people.behaviour import FEATURES, behaviour, standardised
from orchestration.people.clusters import PROPOSALS, find_groups, name_groups, propose
from orchestration.people.publish import known_until
from orchestration.people.rules import NONE, learn_rules
from orchestration.settings import ROOT
from simulator.generate import generate
from tests.models.landing import land

NOW = datetime(2026, 3, 2)
NOBODY = pl.DataFrame(schema={"person_id": pl.String} | dict.fromkeys(FEATURES, pl.Float64))

# Who they are: the figures that differ from a visit in passing (one visit, two pages, a fifth of a page read).
PLANTED = {
    "passers-by": {},
    "buyers": {"order_share": 0.8, "visits": 3, "pages_per_visit": 9},
    "price weighers": {"pricing_minutes": 8, "pages_per_visit": 6},
    "deep readers": {"scroll_percent": 95, "studies_per_visit": 4, "pages_per_visit": 12},
}
ORDINARY = {"visits": 1, "pages_per_visit": 2, "scroll_percent": 20}


def shop(each: int, seed: int = 3) -> tuple[pl.DataFrame, np.ndarray]:
    """So many people of each kind, in a mixed order, and of which kind each one is."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(np.arange(len(PLANTED)), each))
    rows = []
    for kind in kinds:
        wanted = ORDINARY | list(PLANTED.values())[kind]
        rows.append([max(0.0, wanted.get(name, 0.0) * rng.normal(1, 0.1)) for name in FEATURES])
    people = pl.DataFrame(rows, schema=list(FEATURES), orient="row")
    return people.select(pl.Series("person_id", [f"p{n:04d}" for n in range(len(kinds))]), pl.all()), kinds


def test_planted_behaviours_are_found_named_and_said():
    people, kinds = shop(100)

    found = propose(people, NOBODY, NOW)

    assert found.refused == "" and found.table.schema == PROPOSALS
    assert found.table["people"].to_list() == [100] * 4
    assert found.table["fidelity"].min() > 0.98 and found.table["stability"].min() > 0.95
    assert set(found.table["stability_kind"]) == {"bootstrap"}
    assert set(found.table["proposal"]) >= {"passers-by", "price weighers", "buyers"}
    rules = dict(zip(found.table["proposal"], found.table["rule"], strict=True))
    assert rules["price weighers"].startswith("(") and "pricing_minutes > " in rules["price weighers"]
    examples = found.table.filter(pl.col("proposal") == "price weighers")["examples"].item().split(", ")
    weighers = people.filter(pl.Series(kinds == 2))["person_id"].to_list()
    assert len(examples) == 3 and set(examples) <= set(weighers)


def test_the_groups_are_those_that_were_planted():
    people, kinds = shop(100)
    table = standardised(people)

    found = find_groups(table)

    assert adjusted_rand_score(kinds, found.labels) > 0.98


def test_the_same_people_give_the_same_proposals():
    people, _ = shop(60)

    assert propose(people, NOBODY, NOW).table.equals(propose(people, NOBODY, NOW).table)


def test_a_week_later_most_are_where_they_were():
    """The same people drawn anew, one half of them gone and others come."""
    people, _ = shop(150)
    earlier = shop(150, seed=3)[0].with_columns(pl.col(*FEATURES) * 1.05).head(450)

    found = propose(people, earlier, NOW)

    assert set(found.table["stability_kind"]) == {"week_to_week"}
    assert found.table["stability"].min() > 0.95


def test_people_who_changed_their_ways_make_it_unstable():
    people, _ = shop(150)
    others = shop(150, seed=4)[0].with_columns(people["person_id"])

    assert propose(people, others, NOW).table["stability"].max() < 0.2


@pytest.mark.parametrize(
    ("people", "why"),
    [
        (NOBODY, "0 people came within 28 days; 200 are needed"),
        (shop(49)[0], "196 people came within 28 days; 200 are needed"),
        (
            shop(60)[0].with_columns(pl.lit(1.0).alias(name) for name in FEATURES),
            "people behave in 1 ways only",
        ),
    ],
    ids=["nobody", "few", "alike"],
)
def test_too_little_is_refused_with_a_reason(people: pl.DataFrame, why: str):
    found = propose(people, people, NOW)

    assert found.refused.startswith(why)
    assert found.table.is_empty() and found.table.schema == PROPOSALS
    assert found.as_metadata() == {"proposals": 0, "refused": found.refused}


def test_a_rule_says_each_limit_once():
    table = pl.DataFrame({"visits": [1.0, 2, 3, 4, 5, 6], "cart_share": [0.0, 0, 0, 0, 0, 0]})

    rules = learn_rules(table, np.array([0, 0, 1, 1, 0, 0]), 3, seed=1)

    assert rules.texts == ["(visits <= 2.5) or (visits > 4.5)", "(visits > 2.5 and visits <= 4.5)", NONE]
    assert (rules.precision, rules.recall, rules.fidelity) == ([1, 1, 0], [1, 1, 0], 1)


def test_every_column_and_figure_has_a_meaning():
    assert list(clusters.MEANINGS) == list(PROPOSALS)
    assert list(figures.MEANINGS) == list(FEATURES)


def test_simulated_buyers_are_those_whom_the_simulator_made_buy(tmp_path: Path):
    """Loyal customers and VIPs are planted to buy twice as often as explorers; their tier is no figure here."""
    calls = tmp_path / "calls.jsonl"
    start = datetime(2026, 1, 5, tzinfo=UTC)
    generate(60_000, 7, start, calls, tmp_path / "truth.csv", span=timedelta(days=30))
    land(tmp_path, read_calls([calls], identify=False))
    arguments = ["build", "--select", "+int_session_figures", "dim_customers", "+int_customer_states"]
    arguments += ["+fct_carts", "stg_kairos__receipts", "stg_kairos__suppressions"]
    run_dbt(
        ROOT / "dbt_project", "warehouse", tmp_path / "target",
        [*arguments, "--exclude-resource-type", "unit_test", "test"], tmp_path,
    )  # fmt: skip

    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as warehouse:
        people = behaviour(warehouse, known_until(warehouse), clusters.WINDOW_DAYS)
        tiers = dict(warehouse.execute("select customer_id, tier from dim_customers").fetchall())
    table = standardised(people)
    grouping = find_groups(table)
    names = name_groups(table, grouping)
    labels = [names[label] for label in grouping.labels]
    known = [
        (name, tiers[person])
        for name, person in zip(labels, people["person_id"], strict=True)
        if person in tiers
    ]
    share = {
        group: np.mean([tier in ("loyal", "vip") for name, tier in known if (name == "buyers") is group])
        for group in (True, False)
    }

    assert people.height > 1000
    assert share[True] > 1.5 * share[False]
