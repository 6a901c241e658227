"""A recorded shop in a warehouse of its own, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.calibration.warehouse import MODELS, recorded_warehouse
from orchestration.settings import ROOT
from tests.system import DATA

GIUDICI = DATA / "events" / "giudici.jsonl.gz"


@pytest.fixture(scope="session")
def giudici(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database file, with triggers and what the intent model reads; skips where the recording is absent."""
    if not GIUDICI.exists():
        pytest.skip(f"recorded traffic is not here: put it into {DATA} to run this")
    models = (*MODELS, "+int_intent_scores")
    return recorded_warehouse(ROOT / "dbt_project", [GIUDICI], tmp_path_factory.mktemp("giudici"), models)
