"""docs/benchmarks.md and the table in the README, from what the parts measured last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.settings import ROOT

TARGETS = {
    "p50": 100,
    "p99": 250,
    "p99_at_1000": 1000,
    "timer_p99": 150,
    "acks": 8000,
    "intake": 150_000,
    "emails": 2000,
    "idle_cpu": 5,
    "idle_mb": 1000,
}

# Said below the tables where the target was missed: what the profile showed.
WHY = {
    "p50": "most of it are the deciding statements: DuckDB starts some twenty-five small plans per batch with a candidate, which costs more than running them, and a fresh event waits half a batch on average",
    "p99": "the same, when a batch with a candidate follows another",
    "timer_p99": "the figure includes deciding and sending; the timer itself fires within a batch and `live.cycle_seconds`",
    "emails": "one Python process composes, keeps the ledger and speaks SMTP, about 500 µs of CPU per email on a core it shares with the sink; a second process to compose would be the next step",
    "idle_cpu": "the live lane looks for new frames fifty times a second (`live.idle_seconds`), and Dagster keeps daemon, code server, web server and a run process",
    "idle_mb": "each of Dagster's processes imports all of Dagster",
}
HEAD = """# Benchmarks

Written by `make bench`, which measures every part beside a baseline in the same run; `make bench ONLY=latency` runs one.
The numbers behind each table are in `data/bench/<part>.json`.
Measured on 2 shared, noisy cores with load generator, mail sink and everything else on the same machine: compare ratios.
"""


def write(results: Path, file: Path) -> None:
    """Write every part that has been measured; parts without results are left out."""
    parts = {path.stem: json.loads(path.read_text()) for path in sorted(results.glob("*.json"))}
    sections = [render(parts[name]) for name, render in SECTIONS.items() if name in parts]
    file.write_text(HEAD + "\n" + "\n".join([*sections, *_missed(parts)]))
    _update_readme(parts)


def _latency(figures: dict[str, Any]) -> str:
    rows = [
        f"| {run['events_per_s']} | {run['sent']} of {run['expected']} | {run['doubled']} | {run['p50_ms']} | "
        f"{run['p95_ms']} | {run['p99_ms']} | {run['max_ms']} |"
        for run in figures["runs"]
    ]
    stages = ", ".join(f"{name} {value}" for name, value in figures["waterfall_ms"].items())
    return _section(
        "Event durable → email accepted",
        figures,
        "Collector, Dagster with UI and daemon, live lane and a real SMTP server; 10 M known customers; 60-s windows, so "
        "that hand-overs fall into the measurement; moments that an event completes.\n"
        f"Targets: p50 ≤ {TARGETS['p50']} ms and p99 ≤ {TARGETS['p99']} ms at 100 events/s, p99 ≤ {TARGETS['p99_at_1000']} ms at 1,000.",
        ["events/s", "sent", "doubled", "p50 ms", "p95 ms", "p99 ms", "max ms"],
        rows,
        f"Median waterfall at {figures['events_per_s']} events/s in ms: {stages}.",
    )


def _timers(figures: dict[str, Any]) -> str:
    row = (
        f"| {figures['sent']} of {figures['expected']} | {figures['p50_ms']} | {figures['p95_ms']} | {figures['p99_ms']} | "
        f"{figures['max_ms']} |"
    )
    return _section(
        "Timers: due → email accepted",
        figures,
        f"Carts left alone while 100 events/s go on.\nTarget for firing: p99 ≤ {TARGETS['timer_p99']} ms.",
        ["sent", "p50 ms", "p95 ms", "p99 ms", "max ms"],
        [row],
        "",
    )


def _intake(figures: dict[str, Any]) -> str:
    rows = []
    for count in (1, 100):
        found = figures[f"events_per_request_{count}"]
        durable, empty = found["durable"], found["empty"]
        rows.append(
            f"| {count} | {durable['requests_per_s'] * count:,.0f} | {durable['p50_ms']:.1f} | {durable['p99_ms']:.1f} | "
            f"{empty['requests_per_s']:,.0f} | {found['ratio']:.2f} |"
        )
    return _section(
        "Durable intake",
        figures,
        "Acknowledged after fdatasync; the baseline is an empty handler on the same server, the load generator shares the "
        f"cores.\nTargets: {TARGETS['acks']:,} acknowledgements/s one by one, {TARGETS['intake']:,} events/s in batches of 100.",
        ["events per request", "events/s", "p50 ms", "p99 ms", "empty handler, requests/s", "ratio"],
        rows,
        "",
    )


def _dispatch(figures: dict[str, Any]) -> str:
    rows = [f"| {name} | {value} |" for name, value in figures.items() if isinstance(value, (int, float))]
    return _section(
        "Render, MIME, ledger and SMTP",
        figures,
        f"Beside a raw SMTP client that sends prebuilt messages to the same sink. Target: {TARGETS['emails']:,} emails/s, each exactly once.",
        ["figure", "value"],
        rows,
        "",
    )


def _scale(figures: dict[str, Any]) -> str:
    rows = [
        f"| {run['customers']:,} | {run['batch_ms']} | {run['batch_cpu_ms']} | {run['candidate_ms']} | {run['candidate_cpu_ms']} |"
        for run in figures["runs"]
    ]
    return _section(
        "A micro-batch as known customers grow",
        figures,
        "Ten events into 180,000 live ones, medians of 40; with a candidate the decision models run too. Target: flat within 20 %.",
        ["customers", "ms", "CPU ms", "ms with a candidate", "CPU ms with a candidate"],
        rows,
        f"From 10 k to 10 M customers a batch with a candidate costs {figures['growth']} times as much CPU.",
    )


def _idle(figures: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {figures[name]['cpu_percent_of_a_core']} | {figures[name]['memory_mb']} | {figures[name]['processes']} |"
        for name in ("collector", "dagster")
    ]
    total = f"| together | {figures['cpu_percent_of_a_core']} | {figures['memory_mb']} | |"
    return _section(
        "Idle",
        figures,
        "Everything running, nothing happening; Dagster includes UI, daemon, code server and the live lane. "
        "Targets: below 5 % of a core and 1 GB.",
        ["part", "CPU, % of a core", "memory MB", "processes"],
        [*rows, total],
        "",
    )


def _setup(figures: dict[str, Any]) -> str:
    row = f"| {figures['first_s']} | {figures['again_s']} | {figures['baseline_venv_s']} |"
    return _section(
        "Set-up",
        figures,
        "`make setup` in a fresh clone, again when done, and an empty virtual environment beside it.",
        ["first, s", "again, s", "empty environment, s"],
        [row],
        "",
    )


SECTIONS = {
    "latency": _latency,
    "timers": _timers,
    "intake": _intake,
    "dispatch": _dispatch,
    "scale": _scale,
    "idle": _idle,
    "setup": _setup,
}


def _section(
    title: str, figures: dict[str, Any], text: str, columns: list[str], rows: list[str], after: str
) -> str:
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    when = f"Measured {figures['measured_at']}, load average {figures['load_average_before']:.1f} before and {figures['load_average']:.1f} after."
    return "\n".join([f"## {title}", "", text, "", *head, *rows, "", *([after] if after else []), when, ""])


def _missed(parts: dict[str, dict[str, Any]]) -> list[str]:
    """By how much each missed target was missed, and why."""
    latency = {run["events_per_s"]: run for run in parts.get("latency", {}).get("runs", [])}
    intake, idle = parts.get("intake", {}), parts.get("idle", {})
    most = [
        ("p50", "p50 at 100 events/s, ms", latency.get(100, {}).get("p50_ms")),
        ("p99", "p99 at 100 events/s, ms", latency.get(100, {}).get("p99_ms")),
        ("p99_at_1000", "p99 at 1,000 events/s, ms", latency.get(1000, {}).get("p99_ms")),
        ("timer_p99", "timer due → accepted, p99 ms", parts.get("timers", {}).get("p99_ms")),
        ("idle_cpu", "idle, % of a core", idle.get("cpu_percent_of_a_core")),
        ("idle_mb", "idle, MB", idle.get("memory_mb")),
    ]
    least = [
        ("acks", "acknowledgements/s", _intake_rate(intake, 1)),
        ("intake", "events/s in batches of 100", _intake_rate(intake, 100)),
        ("emails", "emails/s", parts.get("dispatch", {}).get("emails_per_s")),
    ]
    missed = [row for row in most if row[2] is not None and row[2] > TARGETS[row[0]]]
    missed += [row for row in least if row[2] is not None and row[2] < TARGETS[row[0]]]
    rows = [
        f"- {label}: {value:,.0f} instead of {TARGETS[name]:,} ({100 * (value / TARGETS[name] - 1):+.0f} %){': ' + WHY[name] if name in WHY else ''}."
        for name, label, value in missed
    ]
    return ["\n".join(["## What is missed, and why", "", *rows, ""])] if rows else []


def _intake_rate(intake: dict[str, Any], count: int) -> float | None:
    found = intake.get(f"events_per_request_{count}")
    return found["durable"]["events_per_s"] if found else None


def _update_readme(parts: dict[str, dict[str, Any]]) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text() if readme.exists() else ""
    start, end = "<!-- bench -->", "<!-- /bench -->"
    if start in text and end in text:
        head, rest = text.split(start, 1)
        readme.write_text(
            head + start + "\n" + "\n".join(_summary(parts)) + "\n" + end + rest.split(end, 1)[1]
        )


def _summary(parts: dict[str, dict[str, Any]]) -> list[str]:
    rows = ["| promise | target | measured |", "|---|---|---|"]
    for run in parts.get("latency", {}).get("runs", []):
        target = "p50 ≤ 100, p99 ≤ 250" if run["events_per_s"] == 100 else "p99 ≤ 1000"
        rows.append(
            f"| event durable → email accepted at {run['events_per_s']} events/s, ms | {target} | "
            f"p50 {run['p50_ms']}, p95 {run['p95_ms']}, p99 {run['p99_ms']} |"
        )
    if timers := parts.get("timers"):
        rows.append(
            f"| timer due → email accepted, ms | p99 ≤ 150 | p50 {timers['p50_ms']}, p99 {timers['p99_ms']} |"
        )
    if intake := parts.get("intake"):
        one, many = intake["events_per_request_1"]["durable"], intake["events_per_request_100"]["durable"]
        rows.append(
            f"| durable acknowledgements, one event each | ≥ 8,000/s | {one['requests_per_s']:,.0f}/s, p99 {one['p99_ms']:.0f} ms |"
        )
        rows.append(
            f"| durable intake in batches of 100 | ≥ 150,000 events/s | {many['requests_per_s'] * 100:,.0f} events/s |"
        )
    if dispatch := parts.get("dispatch"):
        rate = dispatch.get("emails_per_s") or dispatch.get("dispatched_per_s")
        rows.append(f"| render + MIME + ledger + SMTP | ≥ 2,000 emails/s | {rate:,.0f} emails/s |")
    if scale := parts.get("scale"):
        rows.append(f"| micro-batch from 10 k to 10 M customers | within 20 % | × {scale['growth']} |")
    if idle := parts.get("idle"):
        rows.append(
            f"| idle | < 5 % of a core, < 1 GB | {idle['cpu_percent_of_a_core']} %, {idle['memory_mb']} MB |"
        )
    return rows
