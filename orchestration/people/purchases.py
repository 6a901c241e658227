"""How often customers will buy: BG/NBD (Fader, Hardie and Lee 2005), the model of buying until one stops.

A customer buys at a rate of their own and may stop for good after any purchase.
x is the number of repeat purchases, t_x the age at the last one, T the age today; all times in one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.people.optimise import fit_positive

STARTS = ((1.0, 10.0, 1.0, 1.0), (0.25, 4.0, 0.8, 2.5))


@dataclass(frozen=True)
class Purchases:
    """Fitted parameters: rates are Gamma(r, alpha), chances to stop are Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def p_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The probability that a customer still buys, 0 to 1; always 1 where x is 0."""
        odds = self.a / (self.b + np.maximum(x, 1) - 1)
        odds = odds * ((self.alpha + T) / (self.alpha + t_x)) ** (self.r + x)
        return np.where(x > 0, 1 / (1 + odds), 1.0)

    def expected(self, t: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Purchases to expect in the next `t`.

        The published formula after Euler's transformation of 2F1: its powers would overflow for many purchases.
        """
        from scipy.special import hyp2f1

        a = self.a + 1e-9 if abs(self.a - 1) < 1e-9 else self.a  # a = 1 is a removable gap
        c = a + self.b + x - 1
        z = t / (self.alpha + T + t)
        rest = (1 - z) ** (a - 1) * hyp2f1(c - x - self.r, a - 1, c, z)
        return c / (a - 1) * (1 - rest) * self.p_alive(x, t_x, T)


def fit_purchases(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> Purchases:
    """Maximum likelihood; customers with the same history are looked at once.

    Raises NotDetermined.
    """
    histories, counts = np.unique(np.column_stack([x, t_x, T]).astype(float), axis=0, return_counts=True)

    def loss(parameters: np.ndarray) -> float:
        return -float(counts @ _log_likelihood(parameters, *histories.T)) / len(x)

    r, alpha, a, b = map(float, fit_positive(loss, STARTS))
    return Purchases(r, alpha, a, b, -loss(np.array([r, alpha, a, b])) * len(x))


def _log_likelihood(parameters: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
    from scipy.special import betaln, gammaln

    r, alpha, a, b = parameters
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + T)
    stopped = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return common + np.where(x > 0, np.logaddexp(alive, stopped), alive)
