"""A small data folder for the warehouse: `python -m tests.models.sample` renews data/sample."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from orchestration.arrivals import read_calls
from orchestration.live.events import own_event
from orchestration.settings import ROOT
from simulator.generate import generate
from tests.models.landing import land

START = datetime(2026, 1, 5, tzinfo=UTC)
SAMPLE = ROOT / "data" / "sample"


def write_sample(data: Path, events: int, seed: int = 7) -> int:
    """A week of a made-up shop, with duplicates, late arrivals and our own receipts; returns accepted events."""
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "calls.jsonl"
        generate(events, seed, START, calls, Path(folder) / "truth.csv")
        return land(data, read_calls([calls], identify=False), _ours()).height


def _ours() -> Iterator[bytes]:
    """Receipts and a suppression, one receipt twice as after a crash."""
    for decision, outcome in [("d1", "Sent"), ("d1", "Sent"), ("d2", "Failed"), ("d3", "Cancelled")]:
        yield _receipt(decision, f"Email {outcome}")
    yield own_event(
        "Suppression Added", message_id="d1.unsubscribe", at=START, anonymous_id=None, user_id="c7-00000001",
        properties={"reason": "unsubscribe", "decision_id": "d1"},
    )  # fmt: skip


def _receipt(decision_id: str, event: str) -> bytes:
    timings = {"ripened": START.timestamp(), "accepted": START.timestamp() + 0.12}
    properties = {"decision_id": decision_id, "trigger_name": "page_depth", "touch": 1, "timings": timings}
    return own_event(
        event, message_id=f"{decision_id}.{event}", at=START, anonymous_id="somebody", user_id="c7-00000001",
        properties=properties,
    )  # fmt: skip


if __name__ == "__main__":
    print(f"{write_sample(SAMPLE, 2_000)} events in {SAMPLE.relative_to(ROOT)}")
