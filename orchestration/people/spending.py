"""How much a purchase will be worth: Gamma-Gamma (Fader and Hardie 2013).

Each customer has a mean of their own around which purchases vary; few purchases tell little of it, so that it is
drawn towards the mean of all. The model takes how often and how much for independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.people.optimise import fit_positive

STARTS = ((1.0, 2.0, 10.0), (6.0, 4.0, 15.0))


@dataclass(frozen=True)
class Spending:
    """Fitted parameters; `v` scales with the currency's unit."""

    p: float
    q: float
    v: float

    def expected(self, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Mean value to expect of one purchase, after x repeat purchases with this mean; any `mean` where x is 0.

        Infinite where q is at most 1 and nothing was bought.
        """
        x = x.astype(float)
        with np.errstate(divide="ignore"):
            value = self.p * (self.v + np.where(x > 0, x * mean, 0.0)) / (self.p * x + self.q - 1)
        return np.where(self.p * x + self.q > 1, value, np.inf)


def fit_spending(x: np.ndarray, mean: np.ndarray) -> Spending:
    """Maximum likelihood over customers with x > 0 repeat purchases of this mean value above 0.

    Raises NotDetermined.
    """
    from scipy.special import gammaln

    scale = float(np.median(mean))  # so that the starts fit every currency
    m = mean / scale

    def loss(parameters: np.ndarray) -> float:
        p, q, v = parameters
        terms = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        terms = terms + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)
        return -float(terms.mean())

    p, q, v = map(float, fit_positive(loss, [(p, q, v / 20) for p, q, v in STARTS]))
    return Spending(p, q, v * scale)
