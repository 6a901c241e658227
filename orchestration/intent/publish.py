"""The model from the warehouse to both lanes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from orchestration.durable import replaced
from orchestration.intent.evaluate import Figures, evaluate
from orchestration.intent.examples import Examples, read_examples
from orchestration.intent.model import TABLE, Model, TooFewVisits, train

FILE = "intent_model.parquet"
LASTS = timedelta(days=1)
"""What visits are like does not change in minutes, and training takes seconds of a core."""


@dataclass(frozen=True)
class Trained:
    """What was learned from how many visits; `refusal` says why nothing was, and then the last model stays."""

    visits: int
    buyers: int
    terms: int = 0
    refusal: str = ""
    is_fresh: bool = False


def open_models(file: Path) -> duckdb.DuckDBPyConnection:
    """The warehouse, to read; raises duckdb.IOException while another process writes to it."""
    return duckdb.connect(str(file), read_only=True)


def known_until(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Up to when the warehouse knows what happened (UTC, without zone)."""
    row = connection.execute("select max(received_at) from int_visitor_events").fetchone()
    return row[0] if row else None


def renew(file: Path, folder: Path, gap_seconds: float, at_once: bool = False) -> Trained:
    """Train on the warehouse `file` and publish into `folder`, unless the model there is of the same day."""
    with open_models(file) as connection:
        until = known_until(connection)
        if until is None:
            return Trained(0, 0, refusal="nothing has landed yet")
        if not at_once and _is_fresh(folder / FILE, until):
            return Trained(0, 0, is_fresh=True)
        examples = read_examples(connection, gap_seconds)
    visits, buyers = examples.visit_count, int(examples.buyers)
    try:
        model = train(examples)
    except TooFewVisits as error:
        return Trained(visits, buyers, refusal=str(error))
    return Trained(visits, buyers, publish(model, until, folder))


def measure(file: Path, gap_seconds: float) -> tuple[Examples, list[Figures], Model]:
    """Figures on later visits, and the model that all of them give; raises TooFewVisits."""
    with open_models(file) as connection:
        examples = read_examples(connection, gap_seconds)
    return examples, evaluate(examples), train(examples)


def publish(model: Model, until: datetime, folder: Path) -> int:
    """Write the table, whole or not at all; returns its rows."""
    table = model.table(f"{until:%Y-%m-%d %H:%M:%S}")
    with replaced(folder / FILE) as scratch:
        table.write_parquet(scratch)
    return table.height


def _is_fresh(file: Path, until: datetime) -> bool:
    if not file.exists():
        return False
    table = pl.read_parquet(file)
    if table.schema != TABLE or table.is_empty():
        return False
    return timedelta(0) <= until - datetime.fromisoformat(table["model_version"][0]) < LASTS
