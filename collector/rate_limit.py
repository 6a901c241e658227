"""A token bucket per write key and client, with a bounded number of buckets."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic


class RateLimit:
    """`per_second` requests on average, twice as many in a burst; 0 means no limit."""

    def __init__(
        self, per_second: float, max_buckets: int = 10_000, clock: Callable[[], float] = monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = max(1.0, 2 * per_second)
        self._max_buckets = max_buckets
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # (tokens, as of)

    def allows(self, who: Hashable) -> bool:
        """Take a token of `who`; False if there is none left."""
        if not self._per_second:
            return True
        now = self._clock()
        tokens, since = self._buckets.pop(who, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        is_allowed = tokens >= 1
        self._buckets[who] = (tokens - is_allowed, now)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)  # the longest idle bucket is full by now, or nearly
        return is_allowed
