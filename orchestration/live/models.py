"""Which version of the models runs: the newest that compiles."""

from __future__ import annotations

import logging
from pathlib import Path

from orchestration.live.statements import (
    ModelsDoNotCompile,
    Statements,
    compile_statements,
    newest_statements,
)

logger = logging.getLogger("kairos.live")


def current_models(project: Path, cache: Path) -> tuple[Statements, str]:
    """(the models to run, what is wrong with the newest edit or "").

    A model that does not compile keeps the last good version running and says so loudly.
    Raises ModelsDoNotCompile only where there has never been a good version.
    """
    try:
        return compile_statements(project, cache), ""
    except ModelsDoNotCompile as error:
        last_good = newest_statements(project, cache)
        if last_good is None:
            raise
        problem = f"the edited models do not compile, version {last_good.version} keeps running: {error}"
        logger.error(problem)
        return last_good, problem
