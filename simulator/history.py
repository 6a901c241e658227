"""A past to measure against: millions of customers and events as Parquet, written in chunks.

`python -m simulator.history --folder data/history --customers 10000000 --events 10000000`
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source
from rich.progress import Progress

from simulator import people
from simulator.catalogue import compact, products

CHUNK = 250_000  # rows in memory at a time: some 100 MB
DEFAULT_END = datetime(2026, 1, 5, tzinfo=UTC)
SPAN = timedelta(days=365)
_EVENT_MIX = (("page", "Product", 0.40), ("track", "Page Engaged", 0.35), ("track", "Product Viewed", 0.17),
              ("track", "Product Added", 0.05), ("track", "Order Completed", 0.03))  # fmt: skip

CUSTOMERS = pl.Schema(
    {
        "customer_id": pl.String, "email": pl.String, "first_name": pl.String, "tier": pl.String,
        "timezone": pl.String, "locale": pl.String, "country": pl.String, "consent": pl.Boolean,
    }
)  # fmt: skip
_INSTANT = pl.Datetime("us", "UTC")
EVENTS = pl.Schema(
    {
        "position": pl.Int64, "message_id": pl.String, "type": pl.String, "event": pl.String,
        "anonymous_id": pl.String, "user_id": pl.String, "visitor_id": pl.String,
        "occurred_at": _INSTANT, "received_at": _INSTANT,
        "source": pl.String, "trust": pl.String, "properties": pl.String, "traits": pl.String,
        "context": pl.String,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Past:
    """What to write: the events are spread evenly over the year before `end`, in order of arrival."""

    customers: int
    events: int
    seed: int
    end: datetime


def write_history(
    folder: Path,
    customers: int,
    events: int,
    seed: int = 1,
    end: datetime = DEFAULT_END,
    progress: Progress | None = None,
) -> tuple[Path, Path]:
    """Write `customers.parquet` and `events.parquet` into `folder`; memory does not grow with the rows.

    The customers are those of `generate` and `live` with the same seed. Each event belongs to one of them;
    positions count from 1, and arrivals never run backwards. Same arguments, same rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    past = Past(customers, events, seed, end)
    jobs = (
        ("customers", customers, CUSTOMERS, lambda numbers: customer_rows(numbers, seed)),
        ("events", events, EVENTS, lambda numbers: event_rows(numbers, past)),
    )
    for name, rows, schema, make in jobs:
        _sink(folder / f"{name}.parquet", rows, schema, make, _advance(progress, name, rows))
    return folder / "customers.parquet", folder / "events.parquet"


def _advance(progress: Progress | None, name: str, rows: int) -> Callable[[int], None]:
    if progress is None:
        return lambda _: None
    task = progress.add_task(f"writing {name}", total=rows)
    return lambda done: progress.advance(task, done)


def _sink(
    path: Path,
    rows: int,
    schema: pl.Schema,
    make: Callable[[np.ndarray], pl.DataFrame],
    advance: Callable[[int], None],
) -> None:
    """Stream chunk after chunk into one file."""

    def chunks(columns, predicate, n_rows, batch_size) -> Iterator[pl.DataFrame]:
        for start in range(0, rows, CHUNK):
            frame = make(np.arange(start, min(start + CHUNK, rows)))
            advance(len(frame))
            yield frame

    register_io_source(chunks, schema=schema).sink_parquet(path, compression="lz4", maintain_order=True)


def customer_rows(numbers: np.ndarray, seed: int) -> pl.DataFrame:
    """Customers with these numbers."""
    traits = people.draw(numbers, seed)
    number = pl.Series("n", numbers).cast(pl.String)
    _, zones, countries, locales = (list(column) for column in zip(*people.PLACES, strict=True))
    drawn = {
        "first": _gather([people.address_part(name) for name in people.FIRST_NAMES], traits.first),
        "last": _gather([people.address_part(name) for name in people.LAST_NAMES], traits.last),
        "domain": _gather(people.DOMAINS, traits.domain),
        "first_name": _gather(people.FIRST_NAMES, traits.first),
        "tier": _gather(people.TIERS, traits.segment),
        "timezone": _gather(zones, traits.place),
        "locale": _gather(locales, traits.place),
        "country": _gather(countries, traits.place),
        "consent": pl.Series(traits.consent),
    }
    frame = pl.DataFrame({"n": number, **drawn})
    address = pl.concat_str("first", pl.lit("."), "last", pl.lit(f".{seed}."), "n", pl.lit("@"), "domain")
    named = frame.with_columns(address.alias("email"), _customer_id(pl.col("n"), seed).alias("customer_id"))
    return named.select(*CUSTOMERS)


def event_rows(numbers: np.ndarray, past: Past) -> pl.DataFrame:
    """Events with these numbers, in canonical columns."""
    customer = (people.uniform(numbers, past.seed, 11) * max(1, past.customers)).astype(np.int64)
    roll = people.uniform(numbers, past.seed, 12)
    kind = np.searchsorted(np.cumsum([share for *_, share in _EVENT_MIX])[:-1], roll, side="right")
    product = (people.uniform(numbers, past.seed, 13) * len(products())).astype(np.int64)
    received = _received(numbers, past)
    late = (people.uniform(numbers, past.seed, 14) * 2e6).astype(np.int64)  # up to two seconds on the way
    person = pl.Series("p", customer).cast(pl.String)
    frame = pl.DataFrame({"n": pl.Series(numbers), "p": person})
    return frame.select(
        position=pl.col("n") + 1,
        message_id=pl.concat_str(pl.lit(f"h{past.seed}-"), pl.col("n").cast(pl.String)),
        type=_gather([mix[0] for mix in _EVENT_MIX], kind),
        event=_gather([mix[1] for mix in _EVENT_MIX], kind),
        anonymous_id=pl.concat_str(pl.lit(f"h{past.seed}-"), pl.col("p")),
        user_id=_customer_id(pl.col("p"), past.seed),
        visitor_id=pl.concat_str(pl.lit(f"h{past.seed}-"), pl.col("p")),
        occurred_at=pl.Series(received - late).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        received_at=pl.Series(received).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        source=pl.lit("history"),
        trust=pl.lit("server"),
        properties=_gather(_properties(), kind * len(products()) + product),
        traits=pl.lit("{}"),
        context=pl.lit('{"device":{"type":"desktop"}}'),
    )


def _received(numbers: np.ndarray, past: Past) -> np.ndarray:
    """Arrival in microseconds, evenly over the span."""
    end, span = int(past.end.timestamp() * 1e6), int(SPAN.total_seconds() * 1e6)
    return end - span + numbers * (span // max(1, past.events))


def _properties() -> list[str]:
    """By kind and product."""
    return [compact(_about(name, product)).decode() for _, name, _ in _EVENT_MIX for product in products()]


def _about(name: str, product) -> dict:
    """What an event of this name says about this product."""
    page = {"path": product.url.removeprefix("https://shop.example.com"), "title": product.name,
            "page_type": "product", "product_id": product.product_id}  # fmt: skip
    if name == "Page Engaged":
        return {**page, "engaged_seconds": 20, "scroll_percent": 40, "click_count": 1, "is_final": True}
    if name == "Order Completed":
        return {"order_id": f"h-{product.product_id}", "total": product.price, "products": [product.item()]}
    return page if name == "Product" else product.item()


def _gather(pool, index: np.ndarray) -> pl.Series:
    return pl.Series(list(pool), dtype=pl.String).gather(index)


def _customer_id(number: pl.Expr, seed: int) -> pl.Expr:
    return pl.concat_str(pl.lit(f"c{seed}-"), number.str.zfill(8))


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="python -m simulator.history", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/history"))
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    with Progress() as progress:
        write_history(options.folder, options.customers, options.events, options.seed, progress=progress)
    print(
        f"{options.customers:,} customers, {options.events:,} events in {time.perf_counter() - began:.1f} s"
    )


if __name__ == "__main__":
    main()
