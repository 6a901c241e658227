"""`kairos calibrate` and `kairos intent` as a person uses them, on a recorded shop."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.errors import FriendlyError
from orchestration.settings import ROOT


@pytest.fixture
def shop(giudici: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a built warehouse, and a project of its own to change."""
    shutil.copytree(
        ROOT / "dbt_project", tmp_path / "dbt_project", ignore=shutil.ignore_patterns("target*", "logs")
    )
    (tmp_path / "data").mkdir()
    shutil.copy(giudici, tmp_path / "data")
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KAIROS_DBT_PROJECT", str(tmp_path / "dbt_project"))
    return tmp_path


def seed(shop: Path) -> str:
    return (shop / "dbt_project" / "seeds" / "thresholds.csv").read_text()


def test_what_is_printed_is_a_patch_and_changes_nothing(shop: Path):
    before = seed(shop)

    done = CliRunner().invoke(app, ["calibrate", "cart_abandonment", "--min-items", "1"])

    assert done.exit_code == 0, done.output
    assert "tolerated 25%" in done.output and seed(shop) == before
    subprocess.run(["git", "apply", "-"], cwd=shop, input=done.output, text=True, check=True)
    assert ",1,1800," in seed(shop).splitlines()[1]
    assert (shop / "data" / "calibration" / "cart_abandonment.html").exists()


def test_writing_changes_the_row_and_nothing_else(shop: Path):
    before = seed(shop).splitlines()

    done = CliRunner().invoke(
        app, ["calibrate", "cart_abandonment", "--min-items", "1", "--tolerance", "0.1", "--write"]
    )

    after = seed(shop).splitlines()
    assert done.exit_code == 0, done.output
    assert (before[0], before[2:]) == (after[0], after[2:])
    assert "lay still for 2700 s" in after[1] and "tolerated are 10%" in after[1]


def test_thin_data_end_with_exit_code_1_and_change_nothing(shop: Path):
    before = seed(shop)

    done = CliRunner().invoke(app, ["calibrate", "cart_abandonment", "--write"])

    assert done.exit_code == 1
    assert "only 86 carts lay still for 30 s" in done.output
    assert seed(shop) == before


def test_without_a_warehouse_it_says_what_to_do(shop: Path):
    (shop / "data" / "warehouse.duckdb").unlink()

    for command in (["calibrate", "cart_abandonment"], ["intent", "train"]):
        done = CliRunner().invoke(app, command)
        assert isinstance(done.exception, FriendlyError)
        assert "use --from" in str(done.exception)


def test_a_model_is_trained_and_published(shop: Path):
    done = CliRunner().invoke(app, ["intent", "train"])

    assert done.exit_code == 0, done.output
    assert "591 visits, 186 with an order" in done.output
    assert (shop / "data" / "published" / "intent_model.parquet").exists()
