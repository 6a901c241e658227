"""Odds of variants: how they follow from results, and that they are the same wherever they are drawn."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from orchestration.learning.assignment import in_control, unit_draw, unit_draws
from orchestration.learning.bandit import Learning, intervals, prior_strength, propensities, slot_odds
from orchestration.learning.best import probability_best
from orchestration.learning.policy import POLICY, RESULTS, policy, renew

ARMS = pl.DataFrame({"slot": ["cart/mid", "cart/mid", "page/one"], "arm": ["a", "b", "a"]})


def results(*rows: tuple[str, str, str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RESULTS, orient="row")


@pytest.mark.parametrize(
    ("alpha", "beta"),
    [((5, 20_000), (295, 980_000)), ((30, 30), (70, 70)), ((2, 90, 300), (98, 910, 9_700)), ((1, 1), (1, 1))],
)
def test_the_probability_to_be_best_is_right_whatever_the_volumes(alpha: tuple, beta: tuple):
    """Against adaptive integration; the first case is the one that a shared grid answers with 1.00."""
    alpha, beta = np.array([alpha], float), np.array([beta], float)

    def exact(arm: int) -> float:
        others = [other for other in range(alpha.shape[1]) if other != arm]
        own = beta_distribution(alpha[0, arm], beta[0, arm])

        def density(x: float) -> float:
            below = np.prod([beta_distribution.cdf(x, alpha[0, other], beta[0, other]) for other in others])
            return own.pdf(x) * float(below)

        low, high = own.ppf(1e-12), own.ppf(1 - 1e-12)
        return quad(density, low, high, points=np.linspace(low, high, 30), limit=500)[0]

    found = probability_best(alpha, beta)[0]

    assert found.sum() == pytest.approx(1)
    assert found == pytest.approx([exact(arm) for arm in range(alpha.shape[1])], abs=0.002)


def test_no_arm_is_ever_without_a_chance():
    successes, trials = np.array([[20.0, 70.0, 0.0]]), np.array([[1000.0, 2000.0, 0.0]])

    odds = propensities(successes, trials, np.array([[0.03]]), 600, Learning())[0]

    assert odds.sum() == pytest.approx(1)
    assert odds.min() >= 0.05 / 3 and odds[0] == pytest.approx(0.05 / 3, abs=1e-2)
    assert odds[1] > odds[2] > odds[0], "a new arm is worth more tries than one that failed"


def test_a_segment_learns_from_the_others_and_then_for_itself():
    """In two segments b is better; in a third that has hardly been asked it is believed to be, too."""
    trials = np.array([[4_000.0, 4_000], [4_000, 4_000], [20, 20]])
    successes = np.array([[120.0, 240], [120, 240], [1, 0]])
    young = slot_odds(successes, trials, 0.04, 600, Learning())

    trials[2], successes[2] = [4_000, 4_000], [240, 120]
    grown = slot_odds(successes, trials, 0.04, 600, Learning())

    assert young[2, 1] > 0.9 and young[3, 1] > 0.9, "the last row is for everybody else"
    assert grown[2, 0] > 0.9, "what a segment does itself outweighs what the others do"


def test_how_alike_arms_are_is_learned_from_past_tests():
    rng = np.random.default_rng(3)
    tests = []
    for _ in range(400):
        mean = rng.uniform(0.01, 0.04)
        rates = rng.beta(mean * 1_200, (1 - mean) * 1_200, 4)
        trials = np.full(4, 4_000.0)
        tests.append((rng.binomial(4_000, rates).astype(float), trials))

    assert prior_strength(tests, Learning()) == pytest.approx(1_200, rel=0.25)
    assert prior_strength(tests[:5], Learning()) == Learning().strength, "too few to tell"


def test_intervals_leave_no_gap_and_end_at_one():
    low, high = intervals(np.array([[0.1] * 10, [0.7, 0.2, 0.1, 0, 0, 0, 0, 0, 0, 0]]))

    assert np.all(low[:, 1:] == high[:, :-1]) and np.all(high[:, -1] == 1.0) and np.all(low[:, 0] == 0.0)


def test_sql_and_python_draw_the_same():
    """The macro's own words, on names that are not only ASCII."""
    keys = [f"käse-{number}" for number in range(1_000)]
    macro = (Path(__file__).parents[2] / "dbt_project" / "macros" / "dialect.sql").read_text()
    body = macro.split("default__unit_draw(salt, key) -%}")[1].split("{%- endmacro")[0]
    sql = body.replace("{{ salt }}", "'salt'").replace("{{ key }}", "key")

    frame = pl.DataFrame({"key": keys})
    drawn = duckdb.sql(
        f"select {sql} from (select unnest($keys) as key)", params={"keys": frame["key"].to_list()}
    )

    assert [row[0] for row in drawn.fetchall()] == unit_draws("salt", keys).tolist()


def test_draws_are_even_and_independent_between_salts():
    people = [f"p{number}" for number in range(40_000)]
    one, two = unit_draws("one", people), unit_draws("two", people)

    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02
    assert abs(one.mean() - 0.5) < 0.01 and one.min() >= 0 and one.max() < 1
    assert set(np.flatnonzero(in_control("one", people, 0.05))) <= set(
        np.flatnonzero(in_control("one", people, 0.1))
    )
    assert unit_draw("one", "p0") == one[0]


def test_a_policy_has_a_row_for_every_choice_and_none_for_the_rest():
    found = policy(
        results(
            ("cart/mid", "vip", "a", 500, 20), ("cart/mid", "vip", "b", 500, 60), ("cart/mid", "none", "b", 100, 9),
            ("cart/mid", "vip", "retired", 900, 90), ("page/one", "vip", "a", 900, 90),
        ),
        ARMS,
    )  # fmt: skip

    assert set(found["slot"]) == {"cart/mid"}, "one variant is no choice"
    assert set(found["segment"]) == {"vip", "none", "*"} and set(found["arm"]) == {"a", "b"}
    sums = found.group_by("segment").agg(pl.col("propensity").sum())
    assert sums["propensity"].to_list() == pytest.approx([1.0] * 3)
    vip = found.filter(pl.col("segment") == "vip").sort("arm")["propensity"].to_list()
    assert vip[1] > 0.9


def test_nothing_known_is_an_even_policy():
    found = policy(results(), ARMS)

    assert found["segment"].unique().to_list() == ["*"]
    assert found["propensity"].to_list() == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema seeds; create table seeds.variants (trigger_name varchar, route varchar, variant varchar);"
            "insert into seeds.variants values ('cart', 'mid', 'a'), ('cart', 'mid', 'b'), ('page', 'one', 'a');"
            "create table fct_variant_results (slot varchar, segment varchar, arm varchar, settled_count bigint, reward_count hugeint);"
        )
    return path


def settle(warehouse: Path, *rows: tuple) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.executemany("insert into fct_variant_results values (?, ?, ?, ?, ?)", rows)


def test_a_policy_is_announced_ahead_renewed_daily_and_kept(warehouse: Path, tmp_path: Path):
    now, ahead = datetime(2026, 3, 2, 12), timedelta(minutes=11)

    nothing = renew(warehouse, tmp_path, now, ahead)
    assert nothing.reason and not (tmp_path / "bandit_policy.parquet").exists()

    settle(warehouse, ("cart/mid", "none", "a", 400, 40), ("cart/mid", "none", "b", 400, 10))
    first = renew(warehouse, tmp_path, now, ahead)
    again = renew(warehouse, tmp_path, now + timedelta(hours=23), ahead)
    second = renew(warehouse, tmp_path, now + timedelta(hours=24), ahead)

    published = pl.read_parquet(tmp_path / "bandit_policy.parquet")
    assert published.schema == POLICY
    assert published["valid_from"].unique().sort().to_list() == [now + ahead, now + ahead + timedelta(days=1)]
    assert again.version == first.version and again.reason and second.version != first.version
    assert first.rows == second.rows == 4, "two segments, none and everybody else, of two arms"
