"""Least squares for residuals of which most are zero: Levenberg and Marquardt's method on the few that are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_ROUNDS, _TRIES = 40, 8
_ENOUGH = 1e-3  # relative gain below which it ends
_DAMPING, _EASED, _TIGHTENED = 1e-3, 0.3, 5.0
_LEAST_CURVATURE = 1e-9


def least_squares(
    residual: Callable[[np.ndarray], np.ndarray], jacobian: Callable[[np.ndarray], np.ndarray], x: np.ndarray
) -> tuple[np.ndarray, float]:
    """The variables (n,) near x for which half the sum of squared residuals is least, and that sum.

    residual: x to (m,); jacobian: x to (m, n). Marquardt, J Soc Ind Appl Math 1963;11:431. Sums are taken in a fixed
    order, so that the result does not depend on how many threads a library may use.
    """
    rest = residual(x)
    cost, damping = _half_square(rest), _DAMPING
    for _ in range(_ROUNDS):
        slope = jacobian(x)
        short = np.flatnonzero(rest != 0.0)
        slope, rest = slope[short], rest[short]
        curvature = np.einsum("mi,mj->ij", slope, slope)
        downhill = -np.einsum("mi,m->i", slope, rest)
        scale = np.maximum(np.diag(curvature), _LEAST_CURVATURE)
        before = cost
        for _ in range(_TRIES):
            trial = x + np.linalg.solve(curvature + np.diag(damping * scale), downhill)
            rest = residual(trial)
            found = _half_square(rest)
            if found < cost:
                x, cost, damping = trial, found, damping * _EASED
                break
            damping *= _TIGHTENED
        if before - cost <= _ENOUGH * before:
            break
    return x, cost


def _half_square(rest: np.ndarray) -> float:
    return 0.5 * float(np.einsum("m,m->", rest, rest))
