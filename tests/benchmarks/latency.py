"""From an event made durable to its email accepted, and how late timers fire: everything running, 10 M customers."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from orchestration.live.statistics import percentile
from orchestration.overview import overview
from orchestration.processes import Processes
from orchestration.settings import ROOT
from orchestration.system import start_dagster
from tests.system import QUICK, QUICK_ROUTES, SERVER_KEY, System, copy_project, free_port, now_text

CUSTOMERS = 10_000_000
HISTORY = 10_000_000
WINDOW_SECONDS = 60  # shorter than the default, so that hand-overs fall into the measurement
EMAIL_SHARE = 0.04  # of events that complete a moment
PER_REQUEST = 10
WARM_UP_SECONDS = 15
COUNTED = ("page_depth", "time_on_page", "feature_exploration")


def measure(rates: tuple[int, ...], seconds: float) -> dict[str, Any]:
    """p50, p95, p99 and max in ms per rate; the first rate's figures also stand at the top."""
    runs = {rate: _run(rate, seconds, COUNTED, timers=False) for rate in rates}
    return runs[rates[0]] | {"runs": [runs[rate] for rate in rates]}


def measure_timers(seconds: float) -> dict[str, Any]:
    """How long after a cart has lain still for its time the email is accepted, at 100 events/s."""
    return _run(100, seconds, ("cart_abandonment",), timers=True)


def history(customers: int, events: int) -> Path:
    """The customer base and the past, made once and kept in data/bench."""
    folder = ROOT / "data" / "bench" / f"history-{customers}-{events}"
    if not (folder / "events.parquet").exists():
        from simulator.history import write_history

        scratch = folder.with_suffix(".making")
        write_history(scratch, customers, events, end=datetime.now(UTC) - timedelta(days=30))
        scratch.rename(folder)
    return folder


def _run(rate: int, seconds: float, counted: tuple[str, ...], timers: bool) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="kairos-bench-"))
    project = copy_project(folder, {"thresholds": QUICK, "routes": QUICK_ROUTES} if timers else {})
    env = {
        "KAIROS_DBT_PROJECT": str(project),
        "KAIROS_LIVE__WINDOW_SECONDS": str(WINDOW_SECONDS),
        "KAIROS_BATCH_CRON": "0 0 1 1 *",  # the batch lane shares the two cores: not in this measurement
        "KAIROS_MAIL__HOURLY_LIMIT": "1000000",
    }
    system = System(folder, env)
    past = history(CUSTOMERS, HISTORY)
    for part in ("profiles", "archive/events"):
        (system.data / part).mkdir(parents=True)
    (system.data / "profiles" / "customers.parquet").symlink_to(past / "customers.parquet")
    (system.data / "archive" / "events" / "000000000001.parquet").symlink_to(past / "events.parquet")
    ids = pl.scan_parquet(past / "customers.parquet").filter(pl.col("consent")).head(2_000_000)
    customers = ids.select("customer_id").collect()["customer_id"].to_list()
    try:
        system.start_sink("--fast")
        system.start_collector()
        figures = _with_dagster(system, rate, seconds, customers, counted, timers)
    finally:
        system.close()
        shutil.rmtree(folder, ignore_errors=True)
    return figures


def _with_dagster(
    system: System, rate: int, seconds: float, customers: list[str], counted: tuple[str, ...], timers: bool
) -> dict[str, Any]:
    from orchestration.settings import load_settings

    settings = load_settings(data=system.data)
    with Processes(system.folder, system.environment()) as parts:
        port = free_port()
        start_dagster(parts, settings, port)
        system.wait_for_window(240)
        parts.wait_for_http("dagster", f"http://127.0.0.1:{port}/server_info", 120)
        load = _Load(system.url, rate, customers, timers)
        load.run(WARM_UP_SECONDS)
        began = time.time()
        load.run(seconds)
        time.sleep(8 if timers else 3)
        return _figures(system, rate, began, counted, load)


def _figures(
    system: System, rate: int, began: float, counted: tuple[str, ...], load: _Load
) -> dict[str, Any]:
    state = overview(system.data / "ledger.sqlite")
    names = ",".join("?" * len(counted))
    with sqlite3.connect(f"file:{system.data / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        rows = ledger.execute(
            f"select decisions.timings, accepted_us, state from decisions left join outbox using (id) "
            f"where should_send and trigger_name in ({names})",
            counted,
        ).fetchall()
    meant = [(json.loads(timings)["ripened"], accepted, state) for timings, accepted, state in rows]
    meant = [row for row in meant if row[0] >= began]
    waits = [accepted / 1000 - ripened * 1000 for ripened, accepted, _ in meant if accepted]
    return {
        "events_per_s": rate,
        "events": load.sent,
        "expected": len(meant),
        "sent": len(waits),
        "doubled": len(system.accepted()) - len(set(system.accepted())),
        "p50_ms": _rounded(percentile(waits, 0.5)),
        "p95_ms": _rounded(percentile(waits, 0.95)),
        "p99_ms": _rounded(percentile(waits, 0.99)),
        "max_ms": _rounded(max(waits, default=None)),
        "waterfall_ms": state.waterfall,
        "load_dropped": load.failed,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


class _Load:
    """Server-side batches of ten events at a steady rate: page views, heartbeats, and a few moments."""

    def __init__(self, url: str, rate: int, customers: list[str], timers: bool) -> None:
        self._url, self._rate, self._customers, self._timers = url, rate, customers, timers
        self._random = random.Random(1)
        self._visits = 0
        self.sent = 0
        self.failed = 0

    def run(self, seconds: float) -> None:
        """Keep the rate for so long, from two threads."""
        threads = [threading.Thread(target=self._client, args=(seconds, n)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self, seconds: float, number: int) -> None:
        pause = 2 * PER_REQUEST / self._rate
        start = time.monotonic() + number * pause / 2
        with httpx.Client(auth=(SERVER_KEY, ""), timeout=10, trust_env=False) as http:
            for turn in range(round(seconds / pause)):
                time.sleep(max(0.0, start + turn * pause - time.monotonic()))
                body = json.dumps({"batch": self._batch(), "sentAt": now_text()})
                answer = http.post(f"{self._url}/v1/batch", content=body)
                self.sent += PER_REQUEST
                self.failed += PER_REQUEST * (answer.status_code != 200)

    def _batch(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        while len(calls) < PER_REQUEST:
            self._visits += 1
            calls += self._visit(f"{id(self)}-{self._visits}-{self._random.random()}")
        return calls[:PER_REQUEST]

    def _visit(self, visit: str) -> list[dict[str, Any]]:
        """A page view, sometimes read to the end (a moment), sometimes a cart (a timer)."""
        ids = {
            "anonymousId": f"v-{visit}",
            "userId": self._random.choice(self._customers),
            "timestamp": now_text(),
            "context": {"sessionId": f"s-{visit}"},
        }
        view = {
            "page_view_id": f"w-{visit}",
            "path": "/products/lamp",
            "url": "https://shop.example/products/lamp",
        }
        calls = [{"type": "page", "name": "Product", "properties": view}]
        is_moment = self._random.random() < EMAIL_SHARE * 2
        if self._timers and is_moment:
            calls += [_track("Product Added", product_id=p, name=p, price=20.0) for p in ("lamp", "shade")]
        else:
            calls.append(
                _track("Page Engaged", **view, scroll_percent=85 if is_moment and not self._timers else 30)
            )
        return [call | ids | {"messageId": f"{visit}-{n}"} for n, call in enumerate(calls)]


def _track(event: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "properties": properties}
