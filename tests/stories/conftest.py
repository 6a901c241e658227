"""One running Kairos for all stories of a module: real collector, Dagster run and mail server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import QUICK, QUICK_ROUTES, System, copy_project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Carts ripen after 2 to 4 s instead of 60 to 120; everything else is as shipped."""
    folder: Path = tmp_path_factory.mktemp("shop")
    project = copy_project(folder, {"thresholds": QUICK, "routes": QUICK_ROUTES})
    system = System(folder, {"KAIROS_DBT_PROJECT": str(project)})
    try:
        system.start_inbox()
        system.start_collector()
        system.start_dagster_window(600)
        system.wait_for_window(120)
        yield system
    finally:
        system.close()
