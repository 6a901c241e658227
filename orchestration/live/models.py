"""Which version of the models runs: the newest that compiles and runs."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import duckdb

from orchestration.durable import durable_file
from orchestration.live.evaluate import load_models, rehearse
from orchestration.live.statements import (
    ModelsDoNotCompile,
    Statements,
    compile_statements,
    stored_statements,
)
from orchestration.live.store import LiveStore

logger = logging.getLogger("kairos.live")

_LAST_GOOD = "last_good"


def current_models(project: Path, cache: Path) -> tuple[Statements, str]:
    """(the models to run, what is wrong with the newest edit or "").

    An edit that does not compile or not run keeps the last good version going and says so loudly.
    Raises ModelsDoNotCompile only where there has never been a good version.
    """
    last_good = _last_good(cache)
    try:
        newest = compile_statements(project, cache)
        if newest.version != last_good:
            _try_out(newest)
            with durable_file(cache / _LAST_GOOD) as file:
                file.write(newest.version.encode())
        return newest, ""
    except ModelsDoNotCompile as error:
        stored = stored_statements(project, cache, last_good) if last_good else None
        if stored is None:
            raise
        problem = f"the edited models cannot be used, version {last_good} keeps running: {error}"
        logger.error(problem)
        return stored, problem


def _last_good(cache: Path) -> str:
    file = cache / _LAST_GOOD
    return file.read_text().strip() if file.exists() else ""


def _try_out(models: Statements) -> None:
    """dbt compiles text; only a database can tell that a column does not exist."""
    with tempfile.TemporaryDirectory() as folder:
        store = LiveStore(Path(folder) / "rehearsal.duckdb")
        try:
            load_models(store, models)
            rehearse(store, models)
        except duckdb.Error as error:
            raise ModelsDoNotCompile(str(error)) from None
        finally:
            store.close()
