"""Edited models take effect at the next window; broken ones do not."""

import shutil
from pathlib import Path

import pytest

from orchestration.live.evaluate import UnknownSetting, load_models
from orchestration.live.models import current_models
from orchestration.live.statements import ModelsDoNotCompile, Statement, Statements
from orchestration.live.store import LiveStore
from orchestration.live.tables import make_tables
from orchestration.settings import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy to edit."""
    return Path(
        shutil.copytree(
            ROOT / "dbt_project", tmp_path / "dbt_project", ignore=shutil.ignore_patterns("target*")
        )
    )


def edit(project: Path, old: str, new: str, model: str = "models/triggers/trg_page_depth.sql") -> None:
    file = project / model
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("broken", "said"), [("states.no_such_column", "no_such_column"), ("{{ ref('nowhere') }}", "nowhere")]
)
def test_an_edit_that_does_not_run_keeps_the_last_good_version(
    project: Path, tmp_path: Path, broken: str, said: str
):
    good, _ = current_models(project, tmp_path / "compiled")
    edit(project, "states.scroll_percent as intent_score", f"{broken} as intent_score")

    running, problem = current_models(project, tmp_path / "compiled")

    assert running.version == good.version
    assert good.version in problem and said in problem


def test_a_good_edit_is_what_runs_next(project: Path, tmp_path: Path):
    before, _ = current_models(project, tmp_path / "compiled")
    edit(project, "page_depth,true,4,1,,0,80", "page_depth,true,4,1,,0,70", "seeds/thresholds.csv")

    after, problem = current_models(project, tmp_path / "compiled")

    assert problem == "" and after.version != before.version
    store = LiveStore(tmp_path / "live.duckdb")
    load_models(store, after)
    row = store.first("select min_scroll_percent from seeds.thresholds where trigger_name = 'page_depth'")
    store.close()
    assert row == (70,)


def test_a_model_that_ends_in_a_comment_begins_empty_too(tmp_path: Path):
    store = LiveStore(tmp_path / "live.duckdb")
    model = Statement("commented", "select 1 as one  -- every row", ())

    make_tables(store, Statements("v", (model,), (), "", {}, {}))

    assert store.first("select count(*) from commented") == (0,)
    store.close()


def test_without_any_good_version_the_error_is_dbts_own(project: Path, tmp_path: Path):
    edit(project, "states.scroll_percent as intent_score", "states.no_such_column as intent_score")

    with pytest.raises(ModelsDoNotCompile, match="no_such_column"):
        current_models(project, tmp_path / "compiled")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (("thresholds", "cart_abandonment", "min_second"), "min_seconds"),
        (("thresholds", "cart", "min_seconds"), "rows are cart_abandonment"),
        (("threshold", "cart_abandonment", "min_seconds"), "seeds are thresholds"),
    ],
)
def test_an_override_that_means_nothing_says_what_there_is(tmp_path: Path, override: tuple, said: str):
    models, _ = current_models(ROOT / "dbt_project", ROOT / "data" / "compiled")
    store = LiveStore(tmp_path / "live.duckdb")

    with pytest.raises(UnknownSetting, match=said):
        load_models(store, models, {override: "1"})
    store.close()
