"""Made-up shops in which it is known how many buy anyway after each silence."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from orchestration.arrivals import Arrival

START = datetime(2026, 3, 2, tzinfo=UTC)
SPAN = timedelta(days=7)
BUYERS = 0.6


@dataclass(frozen=True)
class Shop:
    """Of its carts, `BUYERS` are bought after a wait without memory, so long that the share of buyers among those
    still silent falls to `tolerance` at exactly `crossing` seconds."""

    name: str
    seed: int
    crossing: float
    tolerance: float
    carts: int

    @property
    def mean_wait(self) -> float:
        """From odds(buyers) * exp(-crossing / mean) = odds(tolerance)."""
        return self.crossing / math.log(_odds(BUYERS) / _odds(self.tolerance))

    def share(self, silence: float) -> float:
        """Who buys anyway among those who were silent for so many seconds."""
        odds = _odds(BUYERS) * math.exp(-silence / self.mean_wait)
        return odds / (1 + odds)

    def calls(self) -> Iterator[Arrival]:
        rng = np.random.default_rng(self.seed)
        for number in range(self.carts):
            visitor = f"{self.name}-{number}"
            began = START + timedelta(seconds=rng.uniform(0, SPAN.total_seconds()))
            yield happens(visitor, "Product Added", began)
            if rng.random() < BUYERS:
                yield happens(
                    visitor, "Order Completed", began + timedelta(seconds=rng.exponential(self.mean_wait))
                )
            elif rng.random() < 0.5:  # comes back and does not buy: silent again afterwards
                yield happens(visitor, "Product Viewed", began + timedelta(seconds=rng.uniform(10, 4000)))


def happens(visitor: str, event: str, at: datetime, **fields: object) -> Arrival:
    """One call of a shop's server."""
    call = {
        "type": "track", "event": event, "anonymousId": visitor, "messageId": f"{visitor} {event} {at:%H%M%S%f}",
        "timestamp": at.isoformat(), "properties": {"product_id": "p", "price": 30, "quantity": 1}, **fields,
    }  # fmt: skip
    return Arrival(at, json.dumps(call).encode())


def signs_in(visitor: str, at: datetime, consent: bool) -> Arrival:
    traits = {"email": f"{visitor}@example.com", "consent": consent}
    call = {"type": "identify", "anonymousId": visitor, "userId": f"c-{visitor}", "traits": traits}
    return Arrival(
        at, json.dumps({**call, "messageId": f"i-{visitor}", "timestamp": at.isoformat()}).encode()
    )


def _odds(share: float) -> float:
    return share / (1 - share)
