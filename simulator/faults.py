"""What networks and phones do to good events: late, twice, broken."""

from dataclasses import dataclass

import numpy as np

from simulator.devices import IS_MOBILE
from simulator.plan import Kind, pick, rows

BAD_FLAVOURS = 5  # see render.bad


@dataclass(frozen=True)
class Rates:
    """Share of events that are late, repeated, or invalid."""

    late: float = 0.01
    duplicate: float = 0.003
    bad: float = 0.001


def afflict(events: np.ndarray, rates: Rates, rng: np.random.Generator) -> list[np.ndarray]:
    """Give the events their arrival times (in place); what else arrives: repeats and broken calls."""
    events["arrival"] = events["at"]
    delay_sessions(events, rates.late, rng)
    repeats = pick(events, rng.random(len(events)) < rates.duplicate)
    repeats["arrival"] += rng.integers(200, 120_000, len(repeats))
    return [repeats, _broken(events, rates.bad, rng)]


def delay_sessions(events: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """A phone without a network keeps a whole visit and delivers it hours later, in one burst."""
    first = np.flatnonzero(np.diff(events["session"], prepend=-1))
    last = np.append(first[1:], len(events)) - 1
    on_phone = IS_MOBILE[events["device"][first]]
    chance = share * len(events) / max(1, (last - first + 1)[on_phone].sum())
    chosen = np.flatnonzero(on_phone & (rng.random(len(first)) < chance))
    hours = np.clip(2.5 * np.exp(0.8 * rng.standard_normal(len(chosen))), 0.3, 30.0)
    for row, delay in zip(chosen, hours, strict=True):
        begin, end = first[row], last[row] + 1
        events["arrival"][begin:end] = events["at"][end - 1] + int(delay * 3.6e6) + np.arange(end - begin)


def _broken(events: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Calls no contract allows, from integrations of their own: they must not disturb any customer."""
    witness = np.flatnonzero(rng.random(len(events)) < share)
    bad = rows(len(witness), Kind.BAD)
    for column in ("at", "visitor", "session", "device"):
        bad[column] = events[column][witness]
    bad["arrival"] = bad["at"]
    bad["uid"] = events["uid"].max(initial=0) + 1 + np.arange(len(bad))
    bad["detail"] = rng.integers(0, BAD_FLAVOURS, len(witness))
    return bad
