"""What a window tells the UI: counts, and how long each part of the way took."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from orchestration.live.lane import Step

# The waterfall, in order; each stage lasts from the stamp before it to its own.
STAMPS = ("ripened", "read", "decided", "recorded", "gated", "rendered", "dot", "accepted")
KEPT = 5_000  # newest sends behind a percentile


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` (0..1) of them lie; None without values."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(share * (len(ranked) - 1)))]


def latency_ms(timings: Mapping[str, float]) -> float | None:
    """Milliseconds from the instant the moment ripened to the server's acceptance.

    A moment that an event completes ripens when that event arrives; a silence ripens when it has lasted.
    """
    if not timings.get("accepted") or not timings.get("ripened"):
        return None
    return (timings["accepted"] - timings["ripened"]) * 1000


def waterfall_ms(sends: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Median milliseconds per stage."""
    stages: dict[str, list[float]] = {}
    for timings in sends:
        known = [(name, timings[name]) for name in STAMPS if timings.get(name)]
        for (_, before), (name, after) in pairwise(known):
            stages.setdefault(name, []).append((after - before) * 1000)
    return {name: round(percentile(stages[name], 0.5) or 0, 2) for name in STAMPS if name in stages}


@dataclass
class Statistics:
    """Grows during a window; `take` hands out what came since it was last asked."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    sends: deque[Mapping[str, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    step_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    problems: list[str] = field(default_factory=list)

    def add_step(self, step: Step) -> None:
        """Count one micro-batch."""
        self.counts["events"] += step.events
        self.counts["quarantined"] += step.quarantined
        self.counts["cycles"] += 1
        self.counts["candidates"] += len(step.decisions)
        self.counts["meant"] += sum(decision.should_send for decision in step.decisions)
        self.counts.update(
            f"not {rule}"
            for decision in step.decisions
            for rule, holds in decision.reasons.items()
            if not holds
        )
        self.step_seconds.append(step.seconds)
        self.problems += step.problems

    def add_send(self, timings: Mapping[str, float]) -> None:
        """Count one email the server accepted."""
        self.counts["sent"] += 1
        self.sends.append(timings)
        if (latency := latency_ms(timings)) is not None:
            self.latencies.append(latency)

    def take(self) -> dict[str, int]:
        """Counts since the last call."""
        taken = dict(self.counts)
        self.counts.clear()
        return taken

    def latency_summary(self) -> dict[str, float | None]:
        """p50, p95, p99 in ms over the newest sends."""
        values = list(self.latencies)
        return {
            name: percentile(values, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        }
