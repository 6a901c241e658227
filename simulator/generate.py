"""Write traffic to a file: `python -m simulator.generate --events 2000000 --out traffic.jsonl`."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from simulator.behaviour import Traffic, act
from simulator.browsing import Cohort, bounces
from simulator.catalogue import SHOP_URL
from simulator.faults import Rates
from simulator.plan import pick
from simulator.render import Renderer

COHORT_VISITORS = 4096  # about 200,000 events: large enough for numpy, small enough for the cache
EVENTS_PER_VISITOR = 48.0  # of this behaviour, measured; only decides how far apart visitors come
CHUNK_EVENTS = 16_384
DEFAULT_START = datetime(2026, 1, 5, tzinfo=UTC)
DEFAULT_SPAN = timedelta(days=7)


@dataclass(frozen=True)
class Written:
    """What `generate` did. `seconds` is wall time."""

    events: int
    truths: int
    bytes: int
    seconds: float


def generate(
    n_events: int,
    seed: int,
    start: datetime,
    out_path: Path,
    truth_path: Path,
    *,
    rates: Rates = Rates(),  # noqa: B008  frozen, so sharing it is safe
    span: timedelta = DEFAULT_SPAN,
    shop_url: str = SHOP_URL,
    progress: Progress | None = None,
) -> Written:
    """Write exactly `n_events` Segment calls, sorted by arrival, and the ground truth beside them.

    Visitors first come within about `span` from `start` (aware). A call has `receivedAt` only if it
    arrived later than it happened. The truth is Parquet or CSV, by the suffix of `truth_path`; its
    columns are those of `truth.of`. The same arguments give byte-identical files.
    """
    began = time.perf_counter()
    renderer, truths = Renderer(seed, shop_url), []
    task = progress.add_task("writing events", total=n_events) if progress else None
    with out_path.open("wb", buffering=0) as out:
        for events in _by_arrival(traffic(n_events, seed, start, span, rates), truths):
            for chunk in np.split(events, range(CHUNK_EVENTS, len(events), CHUNK_EVENTS)):
                for block in renderer.lines(chunk):
                    out.write(block)
                if progress:
                    progress.advance(task, len(chunk))
        size = out.tell()
    return Written(n_events, _write_truth(truths, truth_path), size, time.perf_counter() - began)


def traffic(
    n_events: int, seed: int, start: datetime, span: timedelta, rates: Rates
) -> Iterator[tuple[Cohort, Traffic]]:
    """Cohort after cohort, until exactly `n_events` events have happened."""
    left, cohort = n_events, _first_cohort(n_events, seed, start, span)
    while left:
        done = act(cohort, rates, most=left)
        if _visitors(done) < cohort.visitors:  # the next would not fit
            yield cohort, _filled(cohort, done, left)
            return
        yield cohort, done
        left -= len(done)
        cohort = replace(
            cohort,
            number=cohort.number + 1,
            first_visitor=cohort.first_visitor + cohort.visitors,
            first_session=done.next_session,
            first_page_view=done.next_page_view,
            first_uid=done.next_uid,
            opens_at=cohort.opens_at + cohort.lasts,
        )


def _visitors(done: Traffic) -> int:
    """How many visitors took part (their rows are sorted)."""
    visitor = done.parts[0]["visitor"]
    return 1 + np.count_nonzero(np.diff(visitor)) if len(visitor) else 0


def _first_cohort(n_events: int, seed: int, start: datetime, span: timedelta) -> Cohort:
    visitors = max(1, round(n_events / EVENTS_PER_VISITOR))
    cohorts = -(-visitors // COHORT_VISITORS)
    lasts = int(span.total_seconds() * 1000) // cohorts
    return Cohort(seed, 0, -(-visitors // cohorts), 0, 0, 0, 0, int(start.timestamp() * 1000), lasts)


def _filled(cohort: Cohort, done: Traffic, left: int) -> Traffic:
    """The last cohort, and visitors who bounce, up to the very number asked for."""
    after = replace(
        cohort,
        first_visitor=cohort.first_visitor + cohort.visitors,
        first_session=done.next_session,
        first_page_view=done.next_page_view,
    )
    extra = bounces(after, left - len(done))
    extra["uid"] = done.next_uid + np.arange(len(extra))
    return replace(done, parts=[*done.parts, extra])


def _by_arrival(
    cohorts: Iterator[tuple[Cohort, Traffic]], truths: list[pl.DataFrame]
) -> Iterator[np.ndarray]:
    """Events in the order of arrival: what arrives after the next cohort opens is carried over to it."""
    carried: list[np.ndarray] = []
    for cohort, done in cohorts:
        truths.append(done.truth)
        pool = np.concatenate([*carried, *done.parts])
        closes = cohort.opens_at + cohort.lasts
        yield _sorted(pick(pool, pool["arrival"] < closes))
        carried = [pick(pool, pool["arrival"] >= closes)]
    yield _sorted(np.concatenate(carried))


def _sorted(events: np.ndarray) -> np.ndarray:
    return pick(events, np.lexsort((events["uid"], events["arrival"])))


def _write_truth(truths: list[pl.DataFrame], path: Path) -> int:
    frame = pl.concat(truths)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ")
    return len(frame)


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="python -m simulator.generate", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=datetime.fromisoformat, default=DEFAULT_START)
    parser.add_argument("--days", type=float, default=DEFAULT_SPAN.days)
    parser.add_argument("--out", type=Path, default=Path("traffic.jsonl"))
    parser.add_argument("--truth", type=Path, help="default: beside --out, with the suffix .truth.csv")
    options = parser.parse_args()
    start = options.start if options.start.tzinfo else options.start.replace(tzinfo=UTC)
    truth = options.truth or options.out.with_suffix(".truth.csv")
    with Progress() as progress:
        done = generate(options.events, options.seed, start, options.out, truth,
                        span=timedelta(days=options.days), progress=progress)  # fmt: skip
    print(
        f"{done.events:,} events and {done.truths:,} truths in {done.seconds:.2f} s: "
        f"{done.events / done.seconds:,.0f} events/s, {done.bytes / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    main()
