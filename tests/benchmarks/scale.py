"""What one micro-batch costs as the number of known customers grows; the baseline is the same batch with 10 k."""

from __future__ import annotations

import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from orchestration.live.decode import EVENT_SCHEMA
from orchestration.live.evaluate import evaluate, load_models
from orchestration.live.models import current_models
from orchestration.live.profiles import import_profiles
from orchestration.live.statistics import percentile
from orchestration.live.store import LiveStore
from orchestration.settings import load_settings
from tests.benchmarks.latency import history

SIZES = (10_000, 1_000_000, 10_000_000)
ROUNDS = 40
EVENTS = 180_000  # in the live lane: half an hour at 100/s
START = datetime(2026, 1, 5)


def measure() -> dict[str, Any]:
    """Median milliseconds (wall and CPU) of a batch of ten events without and with a new candidate."""
    runs = [_measure(size) for size in SIZES]
    return {"runs": runs, "growth": round(runs[-1]["candidate_cpu_ms"] / runs[0]["candidate_cpu_ms"], 3)}


def _measure(customers: int) -> dict[str, Any]:
    settings = load_settings()
    models, _ = current_models(settings.dbt_project, settings.compiled)
    past = history(customers, 0 if customers < SIZES[-1] else SIZES[-1])
    with tempfile.TemporaryDirectory() as folder:
        profiles = Path(folder) / "profiles"
        profiles.mkdir()
        (profiles / "customers.parquet").symlink_to(past / "customers.parquet")
        store = LiveStore(Path(folder) / "live.duckdb", "4GB")
        import_profiles(store, profiles)
        load_models(store, models)  # last, as a window does: what changes a table afterwards costs the plans
        ids = (
            pl.scan_parquet(past / "customers.parquet")
            .head(10_000)
            .select("customer_id")
            .collect()["customer_id"]
        )
        store.insert("landing.events", _events(ids.to_list(), 0, EVENTS, scroll=30))
        store.set_cursor(EVENTS, START)
        plain = [_batch(store, models, ids.to_list(), turn, scroll=30) for turn in range(ROUNDS)]
        ripe = [_batch(store, models, ids.to_list(), ROUNDS + turn, scroll=90) for turn in range(ROUNDS)]
        store.close()
    return {
        "customers": customers,
        "batch_ms": _median(plain, 0),
        "batch_cpu_ms": _median(plain, 1),
        "candidate_ms": _median(ripe, 0),
        "candidate_cpu_ms": _median(ripe, 1),
    }


def _batch(store: LiveStore, models: Any, ids: list[str], turn: int, scroll: float) -> tuple[float, float]:
    first = EVENTS + turn * 10
    events = _events(ids, first, 10, scroll)
    as_of = START + timedelta(seconds=first)
    wall, cpu = time.perf_counter(), time.process_time()
    with store.transaction():
        evaluate(store, models, events, as_of)
        store.set_cursor(first + 10, as_of)
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def _events(ids: list[str], first: int, count: int, scroll: float) -> pl.DataFrame:
    numbers = range(first, first + count)
    at = [START + timedelta(milliseconds=10 * number) for number in numbers]
    rows = {
        "position": list(numbers),
        "message_id": [f"m{number}" for number in numbers],
        "source": ["bench"] * count,
        "trust": ["server"] * count,
        "type": ["track"] * count,
        "event": ["Page Engaged"] * count,
        "anonymous_id": [f"v{number // 5}" for number in numbers],
        "user_id": [ids[number // 5 % len(ids)] for number in numbers],
        "visitor_id": [f"v{number // 5}" for number in numbers],
        "occurred_at": at,
        "received_at": at,
        "properties": [
            f'{{"page_view_id":"w{number // 5}","path":"/products/x","page_type":"product","scroll_percent":{scroll}}}'
            for number in numbers
        ],
        "traits": ["{}"] * count,
        "context": ["{}"] * count,
    }
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


def _median(pairs: list[tuple[float, float]], which: int) -> float:
    return round(percentile([pair[which] for pair in pairs], 0.5) or 0, 1)
