"""The warehouse as frames."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl


def read(warehouse: Path, sql: str, schema: pl.Schema | None = None) -> pl.DataFrame:
    """The rows of a statement, row by row, which needs no pyarrow; columns as in `schema`, or as they come.

    Raises duckdb.Error where the warehouse is missing, in use, or was never built.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(sql)
        names = [column[0] for column in found.description]
        return pl.DataFrame(found.fetchall(), schema or names, orient="row", infer_schema_length=None)
