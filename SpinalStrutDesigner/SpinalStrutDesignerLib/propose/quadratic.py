"""A strictly convex quadratic programme, by least squares that must not be negative."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

_MOST_ROUNDS = 10  # times the number of conditions
_ROUNDING = 1e-12


def least_quadratic(curvature: np.ndarray, slope: np.ndarray, lines: np.ndarray, least: np.ndarray) -> np.ndarray:
    """The x (n,) for which ½ x·curvature·x + slope·x is least while lines (m, n) · x >= least (m,).

    curvature: (n, n) positive definite. The conditions must be such that some x holds them all. By the nearest point to
    the origin that holds them (least distance programming; Lawson and Hanson, Solving Least Squares Problems, ch. 23).
    Nothing, x = 0, where that cannot be told.
    """
    root = np.linalg.cholesky(curvature)
    start = np.linalg.solve(root, slope)
    faces = np.linalg.solve(root, lines.T)  # (n, m)
    offsets = least + start @ faces
    long = np.linalg.norm(faces, axis=0)
    long[long < _ROUNDING] = 1.0
    system = np.vstack([faces, offsets]) / long
    wanted = np.zeros(len(slope) + 1)
    wanted[-1] = 1.0
    try:
        weights, _ = nnls(system, wanted, maxiter=_MOST_ROUNDS * system.shape[1])
    except RuntimeError:  # so nearly dependent that it came to no end
        return np.zeros(len(slope))
    rest = system @ weights - wanted
    if rest[-1] > -_ROUNDING:
        return np.zeros(len(slope))
    nearest = -rest[:-1] / rest[-1]
    found: np.ndarray = np.linalg.solve(root.T, nearest - start)
    return found
