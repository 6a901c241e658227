"""What one render may cost. Shipped templates never come near; the limits are for the one that would.

Rendering runs in this process: a fork per email costs hundreds of times a render. What makes that
safe is that templates may only use the few constructs the linter allows (none of them can grow text
exponentially), and that loops, output and time are counted here.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MOST_ITERATIONS = 2_000  # a carousel has ten
MOST_CHARACTERS = 100_000  # Gmail clips at 102 kB
MOST_SECONDS = 1.0


class OverBudget(RuntimeError):
    """A render took more than any email needs."""


class Budget:
    """The allowance of one render."""

    __slots__ = ("_deadline", "_iterations", "_monotonic")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deadline = monotonic() + MOST_SECONDS
        self._iterations = MOST_ITERATIONS

    def loop(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, counted: all loops of a render share one allowance."""
        for value in values:
            self._iterations -= 1
            if self._iterations < 0:
                raise OverBudget(f"more than {MOST_ITERATIONS} loop iterations: shorten the lists")
            self._check_time()
            yield value

    def join(self, chunks: Iterable[str]) -> str:
        """The output. Measured at its end: what it can reach before that is bounded by the loops."""
        text = "".join(chunks)
        if len(text) > MOST_CHARACTERS:
            raise OverBudget(f"more than {MOST_CHARACTERS} characters: mail programs cut such emails off")
        self._check_time()
        return text

    def _check_time(self) -> None:
        if self._monotonic() > self._deadline:
            raise OverBudget(f"rendering took more than {MOST_SECONDS:g} s")
