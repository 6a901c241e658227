"""What the live lane shows in the Dagster UI: counts, percentiles, the waterfall and a small plot."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from orchestration.live.statistics import Statistics, percentile, waterfall_ms
from orchestration.live.window import Window
from orchestration.settings import Settings
from senders.ledger.ledger import Ledger

BLOCKS = "▁▂▃▄▅▆▇█"
REFUSED_SHARE = 0.05


def materializations(statistics: Statistics, settings: Settings) -> Iterator[dg.AssetMaterialization]:
    """One per live asset, with what happened since the last report (not running totals)."""
    counts = statistics.take()
    latency = statistics.latency_summary()
    yield dg.AssetMaterialization(
        ["landing", "events"],
        metadata={"events": counts.get("events", 0), "quarantined": counts.get("quarantined", 0)},
    )
    yield dg.AssetMaterialization(
        ["live", "trigger_candidates"],
        metadata={
            "candidates": counts.get("candidates", 0),
            "micro_batches": counts.get("cycles", 0),
            "micro_batch_p50_ms": round((percentile(list(statistics.step_seconds), 0.5) or 0) * 1000, 1),
        },
    )
    yield dg.AssetMaterialization(
        ["live", "send_decisions"],
        metadata={
            "to_send": counts.get("meant", 0),
            "refused_by_rule": dg.MetadataValue.md(_refused(counts)),
        },
    )
    yield dg.AssetMaterialization(
        ["delivery", "emails"],
        metadata={
            "sent": counts.get("sent", 0),
            **{f"latency_{name}_ms": round(value, 1) for name, value in latency.items() if value is not None},
            "waterfall": dg.MetadataValue.md(_waterfall(statistics)),
            "latency_plot": dg.MetadataValue.md(f"`{histogram(list(statistics.latencies))}`"),
        },
    )


def check_results(window: Window, settings: Settings) -> Iterator[dg.AssetCheckResult]:
    """What a window can say for sure when it ends."""
    seen = window.totals["events"] + window.totals["quarantined"]
    share = window.totals["quarantined"] / seen if seen else 0.0
    yield dg.AssetCheckResult(
        asset_key=["landing", "events"],
        check_name="landing_is_parseable",
        passed=share < REFUSED_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"refused": window.totals["quarantined"], "share": share},
    )
    yield dg.AssetCheckResult(
        asset_key=["live", "send_decisions"],
        check_name="models_compile",
        passed=not window.problem,
        metadata={"model_version": window.version, "problem": window.problem or "none"},
    )
    ledger = Ledger.open(settings.ledger, settings.key())
    try:
        doubled = ledger.doubled()
        broken = ledger.verify_chain()
    finally:
        ledger.close()
    yield dg.AssetCheckResult(
        asset_key=["delivery", "emails"],
        check_name="outbox_has_no_duplicates",
        passed=doubled == 0,
        metadata={"decisions_with_two_emails": doubled},
    )
    yield dg.AssetCheckResult(
        asset_key=["delivery", "emails"],
        check_name="audit_chain_is_intact",
        passed=broken is None,
        metadata={"broken_at": str(broken) if broken else "nowhere"},
    )


def histogram(values: list[float]) -> str:
    """Latencies as a line of blocks on a logarithmic scale from 10 ms to 10 s."""
    if not values:
        return "no emails yet"
    edges = [10, 18, 32, 56, 100, 178, 316, 562, 1000, 1778, 3162, 5623, 10_000]
    counts = [
        sum(low <= value < high for value in values)
        for low, high in zip([0, *edges], [*edges, 1e12], strict=True)
    ]
    most = max(counts)
    return "10 ms " + "".join(BLOCKS[(len(BLOCKS) - 1) * count // most] for count in counts) + " 10 s"


def _waterfall(statistics: Statistics) -> str:
    stages = waterfall_ms(list(statistics.sends))
    lines = [f"| {name} | {value} |" for name, value in stages.items()]
    return "\n".join(["| stage | median ms |", "|---|---|", *lines])


def _refused(counts: dict[str, int]) -> str:
    lines = [
        f"| {name.removeprefix('not ')} | {count} |"
        for name, count in sorted(counts.items())
        if name.startswith("not ")
    ]
    return "\n".join(["| rule that did not hold | decisions |", "|---|---|", *lines])
