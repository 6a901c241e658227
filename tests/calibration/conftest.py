"""Recorded traffic in a warehouse, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.calibration.warehouse import recorded_warehouse
from orchestration.settings import ROOT
from tests.system import DATA

GIUDICI = DATA / "events" / "giudici.jsonl.gz"


@pytest.fixture(scope="session")
def giudici(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file; skips where the recording is absent."""
    if not GIUDICI.exists():
        pytest.skip(f"recorded traffic is not here: put it into {DATA} to run this")
    return recorded_warehouse(ROOT / "dbt_project", [GIUDICI], tmp_path_factory.mktemp("giudici"))
