"""Who is drawn for what: a salted hash, the same in SQL (macro `unit_draw`), in Python and in a notebook.

A generator seeded alike would be correlated with whatever else was drawn from that seed; a salted hash is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import md5

import numpy as np

DIGITS = 13  # 52 bits: what a double holds exactly
SCALE = float(16**DIGITS)


def unit_draw(salt: str, key: str) -> float:
    """A number in [0, 1) that belongs to this salt and key for ever."""
    digest = md5(f"{salt}:{key}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:DIGITS], 16) / SCALE


def unit_draws(salt: str, keys: Iterable[str]) -> np.ndarray:
    """The same for many."""
    return np.array([unit_draw(salt, key) for key in keys])


def in_control(salt: str, people: Iterable[str], share: float) -> np.ndarray:
    """Which people belong to a control group of this share (0 to 1); raising the share only adds people."""
    return unit_draws(salt, people) < share
