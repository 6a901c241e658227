"""What commands measure on: the shop's own history, or a recording."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from orchestration.cli.errors import FriendlyError
from orchestration.settings import Settings

console = Console(stderr=True)


@contextmanager
def warehouse(settings: Settings, files: Sequence[Path], models: Sequence[str]) -> Iterator[Path]:
    """The database as the last batch left it, or one with the models over recorded calls."""
    import duckdb

    from orchestration.calibration.warehouse import recorded_warehouse
    from orchestration.dbt import DbtFailed

    with tempfile.TemporaryDirectory() as folder:
        try:
            file = settings.warehouse
            if files:
                with console.status("running the models over the recording"):
                    file = recorded_warehouse(settings.dbt_project, files, Path(folder), models)
            yield file
        except DbtFailed as error:
            raise FriendlyError(f"the models do not run: {error}") from None
        except (duckdb.IOException, duckdb.CatalogException) as error:
            raise FriendlyError(
                "the warehouse is missing, of an older version, or being written: wait for the next batch, "
                f"or use --from ({str(error).splitlines()[0]})"
            ) from None
