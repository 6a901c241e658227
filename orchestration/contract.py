"""The published contract of landed events, checked with Great Expectations on a sample of the newest.

Its import costs 7 CPU seconds, so it happens here and only when the check runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

SAMPLE = 50_000
CALLS = ["track", "page", "screen", "identify", "group", "alias"]


@dataclass(frozen=True)
class Verdict:
    """What the suite said."""

    passed: bool
    rows: int
    failed: tuple[str, ...]
    report: Path
    markdown: str


def judge_landing(archive: Path, reports: Path) -> Verdict:
    """Run the suite; the report is written as `landing_contract.md` into `reports`."""
    sample = _sample(archive)
    results = _validate(sample)
    failed = tuple(name for name, success, _ in results if not success)
    markdown = _markdown(results, sample.height)
    reports.mkdir(parents=True, exist_ok=True)
    report = reports / "landing_contract.md"
    report.write_text(markdown)
    return Verdict(not failed, sample.height, failed, report, markdown)


def _sample(archive: Path) -> pl.DataFrame:
    events = pl.scan_parquet(archive / "events" / "*.parquet")
    return (
        events.select(
            "position", "message_id", "source", "trust", "type", "visitor_id", "occurred_at", "received_at"
        )
        .sort("position", descending=True)
        .head(SAMPLE)
        .collect()
    )


def _validate(sample: pl.DataFrame) -> list[tuple[str, bool, str]]:
    """(expectation, held, what was found) for each expectation of the contract."""
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    frame = pd.DataFrame({name: sample[name].to_list() for name in sample.columns})
    frame["seconds_late"] = (sample["received_at"] - sample["occurred_at"]).dt.total_seconds().to_list()
    batch = (
        context.data_sources.add_pandas("landing")
        .add_dataframe_asset("events")
        .add_batch_definition_whole_dataframe("newest")
        .get_batch({"dataframe": frame})
    )
    outcome = batch.validate(gx.ExpectationSuite(name="landing", expectations=_expectations(gx)))
    return [_line(result) for result in outcome.results]


def _expectations(gx: Any) -> list[Any]:
    expect = gx.expectations
    return [
        expect.ExpectColumnValuesToBeUnique(column="position"),
        expect.ExpectColumnValuesToNotBeNull(column="message_id"),
        expect.ExpectColumnValuesToNotBeNull(column="visitor_id"),
        expect.ExpectColumnValueLengthsToBeBetween(column="visitor_id", min_value=1, max_value=255),
        expect.ExpectColumnValuesToBeInSet(column="type", value_set=CALLS),
        expect.ExpectColumnValuesToBeInSet(column="trust", value_set=["server", "browser"]),
        # The collector replaces instants more than 5 minutes ahead.
        expect.ExpectColumnValuesToBeBetween(column="seconds_late", min_value=-301),
        expect.ExpectColumnValuesToBeBetween(column="seconds_late", max_value=86_400, mostly=0.95),
    ]


def _line(result: Any) -> tuple[str, bool, str]:
    config = result.expectation_config
    column = config.kwargs.get("column", "")
    unexpected = result.result.get("unexpected_count", 0)
    return f"{config.type} ({column})", bool(result.success), f"{unexpected} unexpected"


def _markdown(results: list[tuple[str, bool, str]], rows: int) -> str:
    lines = [f"| {name} | {'held' if held else 'FAILED'} | {found} |" for name, held, found in results]
    return (
        "\n".join(
            [f"Newest {rows} landed events", "", "| expectation | result | found |", "|---|---|---|", *lines]
        )
        + "\n"
    )
