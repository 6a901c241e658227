"""The plan: every event of many visitors as one row of integers, before anything becomes text.

A million rows of integers can be sorted, copied and delayed in milliseconds; a million strings cannot.
All times are milliseconds since 1970 in UTC.
"""

from enum import IntEnum

import numpy as np

HEARTBEAT_SECONDS = 10
CART_LIMIT = 10  # ten products of six bits fit the `cart` column
FEATURES = ("video_demo", "comparison_table", "faq", "size_guide", "reviews", "view_360")


class Kind(IntEnum):
    """What a row becomes on the wire."""

    PAGE = 0
    PRODUCT_VIEWED = 1
    PAGE_ENGAGED = 2
    FEATURE_USED = 3
    PRODUCT_ADDED = 4
    PRODUCT_REMOVED = 5
    CART_VIEWED = 6
    CHECKOUT_STARTED = 7
    ORDER_COMPLETED = 8
    IDENTIFY = 9
    BAD = 10


EVENT = np.dtype(
    [
        ("at", "i8"),  # when it happened
        ("arrival", "i8"),  # when it reaches us; later than `at` for late events and repeats
        ("uid", "i8"),  # becomes the messageId
        ("visitor", "i8"),
        ("session", "i8"),
        ("page_view", "i8"),
        ("cart", "i8"),  # contents after the event, see `pack`
        ("cart_number", "i2"),
        ("page", "i2"),  # position in catalogue.pages()
        ("engaged", "i2"),  # visible seconds so far on this page view
        ("kind", "i1"),
        ("device", "i1"),
        ("scroll", "i1"),
        ("clicks", "i1"),
        ("detail", "i1"),  # specs seen (Page Engaged), feature (Feature Used), flavour (BAD)
        ("is_final", "?"),
        ("is_known", "?"),  # the visitor has identified by now: the event carries the userId
        ("is_tail", "?"),  # part of a checkout that happens only if there is a cart
    ],
    align=True,
)


def rows(count: int, kind: Kind) -> np.ndarray:
    """`count` empty events of one kind."""
    events = np.zeros(count, EVENT)
    events["kind"] = kind
    return events


def pick(events: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The rows at these positions, or where a mask is true: ten times faster than `events[which]`."""
    return np.take(events, np.flatnonzero(which) if which.dtype == bool else which)


def pack(cart: list[int]) -> int:
    """Up to ten product positions as one integer; the first added lies lowest."""
    packed = 0
    for shift, product in enumerate(cart):
        packed |= (product + 1) << (6 * shift)
    return packed


def unpack(packed: int) -> list[int]:
    """The reverse of `pack`."""
    cart = []
    while packed:
        cart.append((packed & 63) - 1)
        packed >>= 6
    return cart
