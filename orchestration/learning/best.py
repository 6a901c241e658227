"""How probable it is that an arm is the best one, by quadrature over Beta posteriors."""

from __future__ import annotations

import numpy as np

NODES = 32  # per arm, over its own width: a shared grid steps over the narrow one of two unequal posteriors
_CHUNK = 1_000  # groups at once; bounds the memory


def probability_best(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """P(arm is best) for posteriors Beta(alpha, beta), both of shape (groups, arms); rows sum to 1.

    P_k is the sum over intervals of (F_k(right) - F_k(left)) times the product over the others of their mean F.
    Against 20,000 nodes the error stayed below .002, whatever the volumes (tests/orchestration/test_bandit.py).
    """
    parts = [
        _probability_best(alpha[start : start + _CHUNK], beta[start : start + _CHUNK])
        for start in range(0, len(alpha), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty_like(alpha)


def _probability_best(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    from scipy.special import betainc

    nodes = _nodes(alpha, beta)
    below = betainc(alpha[:, :, None], beta[:, :, None], nodes[:, None, :])
    steps, middle = np.diff(below, axis=2), (below[..., 1:] + below[..., :-1]) / 2
    best = np.stack(
        [
            (steps[:, arm] * np.prod(np.delete(middle, arm, axis=1), axis=1)).sum(axis=1)
            for arm in range(alpha.shape[1])
        ],
        axis=1,
    )
    return best / best.sum(axis=1, keepdims=True)


def _nodes(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Every arm's own grid, merged: shape (groups, arms * NODES), ascending."""
    total = alpha + beta
    mean = alpha / total
    deviation = np.sqrt(mean * (1 - mean) / (total + 1))
    low, high = np.clip(mean - 8 * deviation, 0, 1), np.clip(mean + 10 * deviation, 0, 1)
    grid = low[..., None] + (high - low)[..., None] * np.linspace(0, 1, NODES)
    return np.sort(grid.reshape(len(alpha), -1), axis=1)
