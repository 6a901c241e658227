"""Maximum likelihood over positive parameters, the way both models of purchases need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Losses = Callable[[np.ndarray], float]

# Logarithms of parameters; what runs against them is not determined by the data.
LIMIT = 12.0


class NotDetermined(ValueError):
    """The data do not tell the parameters."""


def fit_positive(loss: Losses, starts: Sequence[Sequence[float]]) -> np.ndarray:
    """The positive parameters with the least loss, from several starts: L-BFGS-B, then Nelder-Mead.

    Raises NotDetermined if no start leads to a minimum within reason.
    """
    from scipy.optimize import minimize

    def safe(logs: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            value = loss(np.exp(logs))
        return value if np.isfinite(value) else 1e300

    best: tuple[float, np.ndarray] | None = None
    for start in starts:
        bounds = [(-LIMIT, LIMIT)] * len(start)
        rough = minimize(safe, np.log(start), method="L-BFGS-B", bounds=bounds)
        fine = minimize(
            safe, rough.x, method="Nelder-Mead", bounds=bounds,
            options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 4000},
        )  # fmt: skip
        if best is None or fine.fun < best[0]:
            best = (float(fine.fun), fine.x)
    if best is None or best[0] >= 1e300 or np.any(np.abs(best[1]) > LIMIT - 0.01):
        raise NotDetermined("the likelihood has no maximum within reason")
    return np.exp(best[1])
