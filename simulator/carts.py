"""What becomes of wishes once there is, or is not, something in the cart.

A cart belongs to a visitor, lives across visits, begins with the first item after it was empty and ends
with an order or when it is emptied.
"""

from collections.abc import Iterator

import numpy as np

from simulator.plan import CART_LIMIT, Kind, pack, pick

_CART_KINDS = (
    Kind.PRODUCT_ADDED, Kind.PRODUCT_REMOVED, Kind.CART_VIEWED, Kind.CHECKOUT_STARTED, Kind.ORDER_COMPLETED,
)  # fmt: skip


class Cart:
    """One visitor's cart as it changes."""

    def __init__(self) -> None:
        self.products: list[int] = []
        self.number = 0

    def apply(self, kind: int, product: int, brought: int, is_tail: bool) -> tuple[bool, int, int]:
        """(does it happen, packed contents it shows, product it is about)."""
        if is_tail and not self.products:
            return False, 0, 0
        if kind == Kind.PRODUCT_ADDED:
            return self._add(product)
        if kind == Kind.PRODUCT_REMOVED:
            return self._remove()
        shown = pack(self.products) or brought
        if kind == Kind.ORDER_COMPLETED:
            self.products = []
        return True, shown, 0

    def _add(self, product: int) -> tuple[bool, int, int]:
        if len(self.products) == CART_LIMIT:
            return False, 0, 0
        self.number += not self.products
        self.products.append(product)
        return True, pack(self.products), product

    def _remove(self) -> tuple[bool, int, int]:
        if not self.products:
            return False, 0, 0
        product = self.products.pop()
        return True, pack(self.products), product


def settle(events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grant or drop each wish of one cohort (sorted by visitor and time).

    Returns the events that happen and, beside them, how many items lie in the visitor's cart after each.
    Heartbeats are dropped while there is something in the cart: whether they end its silence is a matter
    of definition, and traffic whose truth must hold for every reader does not ask.
    """
    touches = np.flatnonzero(np.isin(events["kind"], _CART_KINDS))
    outcome = np.array(list(_outcomes(pick(events, touches))), dtype=np.int64).reshape(-1, 5)
    keep = np.ones(len(events), bool)
    keep[touches] = outcome[:, 0]
    events["cart"][touches] = outcome[:, 1]
    events["detail"][touches] = outcome[:, 2]
    events["cart_number"][touches] = outcome[:, 3]
    keep &= ~_orphaned(events, keep)
    change = np.zeros(len(events), np.int64)
    change[touches] = outcome[:, 4]
    items = _running(events["visitor"], change)
    keep &= (events["kind"] != Kind.PAGE_ENGAGED) | (items == 0)
    events = pick(events, keep)
    _off_the_edge(events)
    return events, items[keep]


def _outcomes(touches: np.ndarray) -> Iterator[tuple[bool, int, int, int, int]]:
    """Per cart event: happens, packed contents, product, cart number, change of the item count."""
    owner, cart = -1, Cart()
    columns = (touches[name].tolist() for name in ("visitor", "kind", "page", "cart", "is_tail"))
    for visitor, kind, page, brought, is_tail in zip(*columns, strict=True):
        if visitor != owner:
            owner, cart = visitor, Cart()
        before = len(cart.products)
        number = cart.number if before else 0
        happens, shown, product = cart.apply(kind, page, brought, is_tail)
        yield (
            happens,
            shown,
            product,
            number or (cart.number if cart.products else 0),
            len(cart.products) - before,
        )


def _orphaned(events: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Pages of a checkout that does not happen because its cart is empty."""
    gone = np.unique(events["session"][~keep & events["is_tail"]])
    return events["is_tail"] & np.isin(events["session"], gone)


def _running(visitor: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Running total per visitor of rows sorted by visitor."""
    total = np.cumsum(change)
    first = np.searchsorted(visitor, visitor)
    return total - np.where(first > 0, total[first - 1], 0)


def _off_the_edge(events: np.ndarray) -> None:
    """Move gaps of exactly 90 s aside: whether 90 s are more than 90 s is a matter of definition."""
    edge = np.flatnonzero(np.diff(events["at"]) == 90_000) + 1
    events["at"][edge] -= 1
