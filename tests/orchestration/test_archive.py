"""The archive and the account of every acknowledged event."""

from pathlib import Path

import polars as pl
import pytest

from orchestration.accounting import account
from orchestration.archive import ArchiveMismatch, archive, prepare
from orchestration.contract import judge_landing
from tests.orchestration.traffic import Bench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path / "archive", tmp_path / "profiles")
    return tmp_path / "archive"


def arrive(shop: Bench) -> None:
    """Three events, one of them twice, one refused, one of ours."""
    shop.signs_in("ann")
    shop.happens("ann", "Home", "page", message_id="same")
    shop.happens("ann", "Home", "page", message_id="same")
    shop.suppressed("ann")
    shop.happens("ann", "invalid_type", "quarantine", detail="no such type", raw="{}")


def test_a_segment_leaves_the_log_only_when_archived_and_read(shop: Bench, folder: Path):
    arrive(shop)
    shop.log.seal()

    unread = archive(shop.log, folder, read_until=0)
    shop.decided()
    read = archive(shop.log, folder, read_until=shop.lane.position)

    assert (unread.segments, unread.removed) == (1, 0)
    assert (read.segments, read.removed) == (0, 1)
    assert archive(shop.log, folder, shop.lane.position).segments == 0


def test_acknowledged_is_loaded_and_duplicates_and_quarantined(shop: Bench, folder: Path):
    arrive(shop)
    archive(shop.log, folder, 0)

    found = account(folder)

    assert found.rest == 0
    assert (found.acknowledged, found.loaded, found.duplicates, found.quarantined, found.ours) == (
        5,
        2,
        1,
        1,
        1,
    )


def test_an_archive_that_lost_a_row_is_noticed(shop: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch):
    arrive(shop)
    shop.log.seal()
    write = pl.DataFrame.write_parquet
    monkeypatch.setattr(pl.DataFrame, "write_parquet", lambda frame, file: write(frame.head(1), file))

    with pytest.raises(ArchiveMismatch, match="segment 1"):
        archive(shop.log, folder, 0)


@pytest.mark.slow
def test_great_expectations_names_what_is_wrong(shop: Bench, folder: Path, tmp_path: Path):
    arrive(shop)
    archive(shop.log, folder, 0)
    good = judge_landing(folder, tmp_path)
    bad = pl.read_parquet(folder / "events" / "tail.parquet").with_columns(type=pl.lit("nonsense"))
    bad.write_parquet(folder / "events" / "tail.parquet")

    verdict = judge_landing(folder, tmp_path)

    assert good.passed and good.rows == 4
    assert not verdict.passed and any("(type)" in name for name in verdict.failed)
    assert "FAILED" in verdict.report.read_text()
