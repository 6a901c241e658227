"""The intent model looks at nothing that came later, is as good as it says, and is the same sum in SQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from orchestration.intent.evaluate import auc, calibration_error, evaluate
from orchestration.intent.examples import Examples, read_examples
from orchestration.intent.model import TABLE, TooFewVisits, train
from orchestration.intent.publish import FILE, known_until, measure, open_models, publish, renew

GAP = 1800.0


@pytest.fixture(scope="module")
def examples(giudici: Path) -> Examples:
    with open_models(giudici) as connection:
        return read_examples(connection, GAP)


# -- nothing looks ahead


@pytest.fixture(scope="module")
def halves(giudici: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse as it would be had every visitor stopped half-way: the compiled models over less of the archive."""
    copy = Path(shutil.copy(giudici, tmp_path_factory.mktemp("halves")))
    with duckdb.connect(str(copy)) as connection:
        connection.execute("create table everything as select * from landing.events")
        connection.execute(
            "create or replace view landing.events as select * exclude (number, total) from (select *, "
            "row_number() over (partition by visitor_id order by position) as number, "
            "count(*) over (partition by visitor_id) as total from everything) where number <= total / 2"
        )
        for name in ("int_visitor_timeline", "int_visitor_events"):
            connection.execute(f"create or replace table {name} as {compiled(giudici, name)}")
    return copy


def compiled(file: Path, model: str) -> str:
    """What dbt made of a model."""
    (found,) = (file.parent / "target" / "compiled").rglob(f"{model}.sql")
    return found.read_text()


def test_no_feature_changes_when_more_happens(giudici: Path, halves: Path):
    rows = "select * from int_intent_features order by position"
    with open_models(giudici) as whole, open_models(halves) as half:
        now = {row[2]: row for row in whole.execute(rows).fetchall()}
        then = half.execute(rows).fetchall()

    assert len(now) / 2 - 600 < len(then) < len(now)
    assert [(row, now[row[2]]) for row in then if row != now[row[2]]] == []


# -- how good it is


def test_on_later_visits_it_is_as_good_as_the_model_card_says(giudici: Path):
    examples, found, _ = measure(giudici, GAP)
    after = {one.after_pages: one for one in found}

    assert examples.visit_count == 591, (
        "without the visit not over when the recording ends, and two that only order"
    )
    assert list(after) == [1, 2, 3, 5, 8, 12]
    assert after[5].auc == pytest.approx(0.799, abs=0.005)
    assert after[5].brier_skill >= 0.20
    assert after[8].auc >= 0.82
    assert all(one.auc_interval[0] > 0.5 for one in found)


def test_an_answer_drawn_at_random_is_not_learned(examples: Examples):
    """The guard of the test above: with labels that mean nothing, no figure may look like something."""
    rng = np.random.default_rng(1)
    of_visit = rng.random(examples.visit_count) < 0.3
    noise = Examples(
        examples.names, examples.pages, examples.figures, examples.looks,
        of_visit[examples.visits].astype(int), examples.visits,
    )  # fmt: skip

    after = {found.after_pages: found for found in evaluate(noise)}

    assert abs(after[5].auc - 0.5) < 0.09


def test_every_visit_is_asked_once_after_so_many_pages(examples: Examples):
    after = examples.after_pages(5)

    assert len(after.visits) == len(np.unique(after.visits)) > 500
    assert set(after.pages_seen) == {5.0}
    assert np.all(np.diff(after.visits) > 0)


def test_figures_that_can_be_worked_out_by_hand():
    scores, labels = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])

    assert auc(scores, labels) == 0.75
    assert calibration_error(scores, labels, parts=2) == pytest.approx(
        (abs(0.225 - 0.5) + abs(0.6 - 0.5)) / 2
    )


# -- published and scored


def test_the_sum_in_sql_is_the_model(giudici: Path, examples: Examples, tmp_path: Path):
    """Scored by the dbt model on the published table, for every event the examples have."""
    model = train(examples)
    scored = Path(shutil.copy(giudici, tmp_path))
    with open_models(giudici) as connection:
        until = known_until(connection)
    assert until is not None
    assert publish(model, until, tmp_path) < 100
    with duckdb.connect(str(scored)) as connection:
        connection.execute(
            f"create or replace view published.intent_model as select * from '{tmp_path / FILE}'"
        )

    with open_models(scored) as connection:
        rows = connection.execute(
            """
            select scores.p_buy_without_email
            from int_intent_scores as scores
            inner join int_visitor_events as events on scores.position = events.position
            inner join (
                select
                    visitor_id, session_id, min(received_at) as started_at, max(received_at) as ended_at,
                    min(case when event_name = 'Order Completed' then received_at end) as first_order_at
                from int_visitor_events
                group by all
            ) as visits
                on events.visitor_id = visits.visitor_id and events.session_id = visits.session_id
            where
                ended_at + to_seconds(1800) <= ?
                and (first_order_at is null or events.received_at + to_seconds(10) < first_order_at)
            order by started_at, events.visitor_id, events.session_id, events.position
            """,
            [until],
        ).fetchall()

    assert np.allclose([row[0] for row in rows], model.scores(examples), atol=1e-9)


def test_without_a_model_there_is_no_score(giudici: Path):
    with open_models(giudici) as connection:
        rows = connection.execute(
            "select count(*), count(p_buy_without_email) from int_intent_scores"
        ).fetchall()

    assert rows == [(15_872, 0)]


def test_a_model_is_renewed_once_a_day(giudici: Path, tmp_path: Path):
    first, second = renew(giudici, tmp_path, GAP), renew(giudici, tmp_path, GAP)

    table = pl.read_parquet(tmp_path / FILE)
    assert table.schema == TABLE and table.height == first.terms
    assert (first.is_fresh, second.is_fresh) == (False, True)


# -- what must not be learned from


def test_too_few_visits_teach_nothing(examples: Examples):
    with pytest.raises(TooFewVisits, match="150 finished visits"):
        train(examples.of_visits(0, 150))
