"""People of the stories and what they do, as Segment calls."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from tests.system import now_text

_numbers = itertools.count()


@dataclass
class Person:
    """Someone with an address; `calls` builds what their browser or the shop's server would send."""

    name: str
    consent: bool = True

    @property
    def address(self) -> str:
        return f"{self.name}@example.com"

    @property
    def customer_id(self) -> str:
        return f"customer-{self.name}"

    def _call(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "messageId": f"{self.name}-{next(_numbers)}",
            "anonymousId": f"visitor-{self.name}",
            "userId": self.customer_id,
            "timestamp": now_text(),
            "context": {"sessionId": f"session-{self.name}", "device": {"type": "ios"}},
            **fields,
        }

    def signs_in(self) -> dict[str, Any]:
        traits = {"email": self.address, "first_name": self.name.title(), "consent": self.consent}
        return self._call("identify", traits=traits)

    def opens(self, path: str = "/products/lamp", page_view_id: str | None = None) -> dict[str, Any]:
        properties = {
            "path": path,
            "url": f"https://shop.example{path}",
            "title": "Lamp",
            "page_view_id": page_view_id or f"view-{self.name}",
        }
        return self._call("page", name="Product", properties=properties)

    def engages(self, **figures: Any) -> dict[str, Any]:
        properties = {
            "page_view_id": f"view-{self.name}",
            "scroll_percent": 10,
            "engaged_seconds": 5,
            "click_count": 0,
        }
        return self._call("track", event="Page Engaged", properties=properties | figures)

    def tries(self, feature: str) -> dict[str, Any]:
        return self._call(
            "track",
            event="Feature Used",
            properties={"feature": feature, "page_view_id": f"view-{self.name}"},
        )

    def adds(self, product: str, price: float) -> dict[str, Any]:
        item = {
            "product_id": product,
            "name": product.title(),
            "price": price,
            "quantity": 1,
            "currency": "USD",
        }
        return self._call("track", event="Product Added", properties=item)

    def buys(self) -> dict[str, Any]:
        return self._call("track", event="Order Completed", properties={"order_id": f"order-{self.name}"})
