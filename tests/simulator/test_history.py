"""History for benchmarks: the promised columns, the same people, any number of rows."""

from datetime import UTC, datetime

import polars as pl
import pytest

from simulator import history
from simulator.history import CUSTOMERS, EVENTS, write_history

END = datetime(2026, 3, 1, tzinfo=UTC)


def test_both_files_have_the_promised_columns_and_rows(tmp_path):
    customers, events = map(pl.read_parquet, write_history(tmp_path, 500, 2_000, seed=3, end=END))

    assert (customers.schema, len(customers)) == (CUSTOMERS, 500)
    assert (events.schema, len(events)) == (EVENTS, 2_000)
    assert customers["customer_id"].n_unique() == customers["email"].n_unique() == 500
    assert events["user_id"].is_in(customers["customer_id"].implode()).all()


def test_positions_and_arrivals_never_run_backwards(tmp_path):
    events = pl.read_parquet(write_history(tmp_path, 10, 3_000, end=END)[1])

    assert events["position"].to_list() == list(range(1, 3_001))
    assert events["received_at"].is_sorted()
    assert (events["occurred_at"] <= events["received_at"]).all()
    assert events["received_at"].max() < END


def test_json_columns_hold_json(tmp_path):
    events = pl.read_parquet(write_history(tmp_path, 10, 300, end=END)[1])

    for column in ("properties", "traits", "context"):
        events[column].str.json_decode(infer_schema_length=None)


@pytest.mark.parametrize("chunk", [1, 7, 1_000])
def test_the_size_of_a_chunk_does_not_show(tmp_path, monkeypatch, chunk):
    whole = [pl.read_parquet(path) for path in write_history(tmp_path / "a", 30, 50, end=END)]

    monkeypatch.setattr(history, "CHUNK", chunk)
    parts = [pl.read_parquet(path) for path in write_history(tmp_path / "b", 30, 50, end=END)]

    assert all(a.equals(b) for a, b in zip(whole, parts, strict=True))


def test_a_shop_without_a_past_is_an_empty_file(tmp_path):
    customers, events = map(pl.read_parquet, write_history(tmp_path, 0, 0, end=END))

    assert (len(customers), len(events)) == (0, 0)
