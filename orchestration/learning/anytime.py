"""Intervals that hold at every look: whoever watches a test each day may stop it any day."""

from __future__ import annotations

import math

ALPHA = 0.05


def tuning(planned: float, alpha: float = ALPHA) -> float:
    """The mixture's rho squared: tightest at half the planned number of rows of both arms."""
    best_at = max(planned / 2, 1.0)
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1) / best_at


def half_width(se: float, rows: float, planned: float, alpha: float = ALPHA) -> float:
    """Half of the confidence sequence (normal mixture) after `rows` of both arms, from the ordinary standard error.

    The estimate plus and minus this covers the truth at all looks together with probability 1 - alpha.
    """
    rho2 = tuning(planned, alpha)
    grown = rows * rho2 + 1
    sigma = math.sqrt(rows) * se
    return sigma * math.sqrt(2 * grown / (rows**2 * rho2) * math.log(math.sqrt(grown) / alpha))


def sample_size(base: float, relative: float, control_share: float) -> tuple[int, int]:
    """People needed in control and treated to see a relative change of a rate (80 % power, 5 % two-sided)."""
    delta = base * relative
    control = 7.84 * base * (1 - base) * (1 + control_share / (1 - control_share)) / delta**2
    return math.ceil(control), math.ceil(control * (1 - control_share) / control_share)
