"""Small traffic for tests of the live lane: canonical payloads, no HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from collector.log.file import FileLog
from orchestration.live.evaluate import Overrides
from orchestration.live.events import own_event
from orchestration.live.lane import LiveLane
from orchestration.live.models import current_models
from orchestration.live.plan import Shop
from orchestration.live.statements import Statements
from orchestration.live.store import LiveStore
from orchestration.replay import Clock
from orchestration.settings import ROOT
from senders.ledger.ledger import Ledger

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP = Shop("Shop", "https://shop.example", "Street 1")
COMPILED = ROOT / "data" / "compiled"


def models() -> Statements:
    """The project as it stands; compiled once for all tests."""
    COMPILED.mkdir(parents=True, exist_ok=True)
    found, problem = current_models(ROOT / "dbt_project", COMPILED)
    assert problem == ""
    return found


def payload(
    visitor: str, kind: str, event: str | None, message_id: str, at: datetime, **fields: Any
) -> bytes:
    """A canonical payload of the shop's server."""
    return msgspec.json.encode(
        {
            "message_id": message_id,
            "type": kind,
            "event": event,
            "anonymous_id": visitor,
            "user_id": f"customer-{visitor}",
            "previous_id": None,
            "group_id": None,
            "occurred_at": at,
            "source": "shop",
            "trust": "server",
            "dialect": "segment",
            "properties": {},
            "traits": {},
            "context": {"sessionId": f"session-{visitor}"},
            "flags": [],
            **fields,
        }
    )


class Bench:
    """A live lane on a simulated clock, over a real log, database and ledger in `folder`."""

    def __init__(self, folder: Path, start: datetime = START, overrides: Overrides | None = None) -> None:
        self.clock = Clock(start)
        self.log = FileLog(folder / "landing", clock=self.clock, durable=False)
        self.ledger = Ledger.open(folder / "ledger.sqlite", b"secret")
        self.ledger.recover(start)
        self.store = LiveStore(folder / "live.duckdb")
        self.models = models()
        self.lane = LiveLane(
            self.log,
            self.store,
            self.models,
            self.ledger,
            SHOP,
            self.clock,
            overrides,
        )
        self._count = 0

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(self.clock() + timedelta(seconds=seconds))

    def happens(self, visitor: str, event: str | None, kind: str = "track", **fields: Any) -> str:
        """One event arrives now; returns its message id."""
        self._count += 1
        message_id = fields.pop("message_id", f"m{self._count}")
        self.log.append([payload(visitor, kind, event, message_id, self.clock(), **fields)])
        return message_id

    def signs_in(self, visitor: str, consent: bool = True) -> None:
        traits = {"email": f"{visitor}@example.com", "consent": consent}
        self.happens(visitor, None, "identify", traits=traits)

    def adds(self, visitor: str, product: str, price: float | None = None) -> None:
        self.happens(
            visitor, "Product Added", properties={"product_id": product, "name": product, "price": price}
        )

    def suppressed(self, visitor: str) -> None:
        """Our own ledger reports a suppression."""
        self.log.append(
            [
                own_event(
                    "Suppression Added", message_id=f"s-{visitor}", at=self.clock(), anonymous_id=None,
                    user_id=f"customer-{visitor}", properties={"reason": "unsubscribe"},
                )
            ]
        )  # fmt: skip

    def decided(self) -> list:
        """Judge what arrived and what ripened; returns the new decisions."""
        found = []
        while not (step := self.lane.step()).idle:
            found += step.decisions
        return found

    def close(self) -> None:
        self.store.close()
        self.ledger.close()
        self.log.close()
