"""Lifts, intervals and estimates: right on average, honest about doubt, silent where nothing can be said."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.errors import FriendlyError
from orchestration.learning.alarms import balance, balance_of_figures, sample_ratio
from orchestration.learning.anytime import half_width, sample_size
from orchestration.learning.assignment import in_control
from orchestration.learning.effects import NoControl, adjusted, effect
from orchestration.learning.experiments import in_words, measure
from orchestration.learning.hindsight import looking_back
from orchestration.learning.off_policy import NoEstimate, estimate


def people(count: int = 8_000, share: float = 0.1, lift: float = 0.05, salt: str = "e1") -> pl.DataFrame:
    """As fct_experiment_people: a tenth buys anyway, those of the tier vip more, and the mailed `lift` more."""
    rng = np.random.default_rng(7)
    names = [f"p{number}" for number in range(count)]
    control = in_control(salt, names, share)
    vip = rng.random(count) < 0.2
    earlier = rng.poisson(0.5 + vip)
    bought = rng.random(count) < 0.08 + 0.1 * vip + np.where(control, 0, lift)
    return pl.DataFrame(
        {
            "experiment": "everybody", "person_id": names, "kind": "holdout", "share": share, "is_control": control,
            "segment": np.where(vip, "vip", "none"), "country": "DE", "earlier_order_count": earlier,
            "is_converted": bought, "revenue": np.where(bought, rng.lognormal(4, 0.5, count), 0.0), "is_settled": True,
        }
    )  # fmt: skip


def test_a_lift_comes_with_intervals_that_know_it():
    [found] = measure(people())

    converted = found.lifts[0]
    low, high = converted.effect.interval
    assert found.is_fair and low < 0.05 < high
    assert converted.anytime > 1.96 * converted.effect.se, "the right to look every day costs width"
    assert converted.adjusted_se < converted.effect.se, "what was known before saves a little"
    assert "lift" in in_words(found)[0] and "relative" in in_words(found)[0]


def test_without_a_control_no_lift_is_printed():
    [found] = measure(people(share=0.0))

    assert found.lifts == () and "no control" in in_words(found)[0]
    with pytest.raises(NoControl, match="not measurable"):
        effect(np.ones(5), np.ones(5, bool))


def test_a_control_of_other_people_is_noticed_though_its_size_is_right():
    """The holdout of a prototype was drawn by the simulator's own seed, and got explorers only."""
    frame = people().sort("segment")
    wrong = np.zeros(frame.height, bool)
    wrong[: frame.height // 10] = True

    [found] = measure(frame.with_columns(is_control=pl.Series(wrong)))

    assert not sample_ratio([int((~wrong).sum()), int(wrong.sum())], [0.9, 0.1]).rings
    assert found.lifts == () and "balance_of_segment" in in_words(found)[0]


def test_lost_people_ring():
    assert sample_ratio([9_000, 1_000], [0.9, 0.1]).p > 0.9
    assert sample_ratio([9_000, 820], [0.9, 0.1]).rings
    assert not balance("one", np.array(["a"] * 10), np.arange(10) < 5).rings
    assert balance_of_figures(
        "x", np.r_[np.zeros(500), np.ones(500)], np.arange(1000) < 500 + np.arange(1000) % 7
    ).rings


def test_rows_of_one_person_go_together():
    """Everybody's four rows are the same: there is a quarter of what it looks like."""
    rng = np.random.default_rng(2)
    outcome, treated = np.repeat(rng.random(400) < 0.3, 4).astype(float), np.repeat(rng.random(400) < 0.5, 4)
    person = np.repeat(np.arange(400), 4)

    assert effect(outcome, treated, person).se == pytest.approx(2 * effect(outcome, treated).se, rel=0.01)
    clustered, alone = (adjusted(outcome, treated, np.zeros((1600, 1)), who)[1] for who in (person, None))
    assert clustered == pytest.approx(2 * alone, rel=0.02)


def test_a_covariate_that_tells_much_saves_much():
    rng = np.random.default_rng(5)
    before = rng.normal(size=4_000)
    treated = rng.random(4_000) < 0.5
    outcome = 0.3 * treated + before + rng.normal(size=4_000) * 0.5

    lift, se = adjusted(outcome, treated, before[:, None])

    assert abs(lift - 0.3) < 3 * se and se < 0.5 * effect(outcome, treated).se


def test_the_width_that_holds_at_every_look_is_what_the_formula_gives():
    """Worked by hand for t = 1000, planned 2000, se .01."""
    assert half_width(0.01, 1_000, 2_000) == pytest.approx(0.0300, abs=0.0005)
    control, treated = sample_size(0.18, 0.10, 0.10)
    assert 3_900 < control < 4_100 and treated == pytest.approx(9 * control, abs=9)


def logged(count: int, logging: list[float], rates: list[float], seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    taken = rng.choice(len(logging), count, p=logging)
    return (rng.random(count) < np.array(rates)[taken]).astype(float), taken, np.array(logging)[taken]


@pytest.mark.parametrize("kind", ["IPS", "SNIPS", "DR"])
def test_estimates_of_another_policy_cover_its_truth(kind: str):
    target, rates = np.array([0.1, 0.2, 0.7]), [0.05, 0.08, 0.12]
    truth = float(target @ rates)
    hits = 0
    for seed in range(200):
        reward, taken, propensity = logged(3_000, [0.7, 0.2, 0.1], rates, seed)
        low, high = estimate(reward, taken, propensity, np.tile(target, (3_000, 1)))[kind].interval
        hits += low <= truth <= high

    assert 0.91 <= hits / 200 <= 0.985


def test_an_estimate_that_the_log_cannot_give_is_refused():
    reward, taken, propensity = logged(3_000, [0.98, 0.01, 0.01], [0.1, 0.1, 0.1])
    everybody_second = np.tile([0.0, 1.0, 0.0], (3_000, 1))

    with pytest.raises(NoEstimate, match=r"only \d+ effective rows of 3000"):
        estimate(reward, taken, propensity, everybody_second)
    with pytest.raises(NoEstimate, match="no support: arm"):
        estimate(reward, taken, propensity, np.tile([0.0, 0.0, 0.5, 0.5], (3_000, 1)))
    with pytest.raises(NoEstimate, match="propensities must lie"):
        estimate(reward, taken, np.zeros(3_000), everybody_second)


def test_looking_back_answers_for_other_odds_or_says_why_not():
    reward, taken, propensity = logged(4_000, [0.9, 0.1], [0.05, 0.10])
    sent = {"arm": [("a", "b")[arm] for arm in taken], "propensity": propensity, "is_rewarded": reward > 0}
    rewards = pl.DataFrame({"slot": "cart/mid", **sent})

    head, even, always_a, always_b = looking_back(rewards)
    few = looking_back(rewards.head(300))

    assert head.startswith("cart/mid: ")
    low, high = (float(part) for part in even.split("[")[1].split("]")[0].split(", "))
    assert low < 7.5 < high
    assert "always a: 5." in always_a or "always a: 4." in always_a
    assert "effective" in always_b and "no estimate" in few[3]


def test_the_command_says_what_is_known_or_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path))
    nothing = CliRunner().invoke(app, ["experiments"])
    people(6_000).write_parquet(tmp_path / "people.parquet")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"create table fct_experiment_people as from '{tmp_path}/people.parquet'")

    found = CliRunner().invoke(app, ["experiments"])

    assert isinstance(nothing.exception, FriendlyError) and "batch lane" in str(nothing.exception)
    assert found.exit_code == 0, found.output
    assert "everybody (holdout): " in found.output and "at any look" in found.output
