"""A strictly convex quadratic programme, solved exactly and always in the same order."""

from __future__ import annotations

import numpy as np

_MOST_ROUNDS = 3  # times the number of conditions
_ROUNDING = 1e-12


def least_quadratic(curvature: np.ndarray, slope: np.ndarray, lines: np.ndarray, least: np.ndarray) -> np.ndarray:
    """The x (n,) for which ½ x·curvature·x + slope·x is least while lines (m, n) · x >= least (m,).

    curvature: (n, n) positive definite. The conditions must be such that some x holds them all. By the nearest point to
    the origin that holds them (least distance programming; Lawson and Hanson, Solving Least Squares Problems, ch. 23).
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
    rest = system @ _nonnegative(system, wanted) - wanted
    nearest = -rest[:-1] / rest[-1]
    found: np.ndarray = np.linalg.solve(root.T, nearest - start)
    return found


def _nonnegative(system: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The u (m,) >= 0 for which system (n, m) · u comes nearest to wanted (n,) (the same, ch. 23)."""
    count = system.shape[1]
    found, used = np.zeros(count), np.zeros(count, dtype=bool)
    for _ in range(_MOST_ROUNDS * count):
        gain = system.T @ (wanted - system @ found)
        gain[used] = -np.inf
        best = int(np.argmax(gain))
        if gain[best] <= _ROUNDING:
            break
        used[best] = True
        while True:
            at = np.flatnonzero(used)
            trial = np.linalg.lstsq(system[:, at], wanted, rcond=None)[0]
            if (trial > 0.0).all():
                found[:] = 0.0
                found[at] = trial
                break
            low = trial <= 0.0
            share = (found[at][low] / np.maximum(found[at][low] - trial[low], 1e-300)).min()
            found[at] += share * (trial - found[at])
            used[at[found[at] <= 1e-15]] = False
            used[at[low][np.argmin(found[at][low])]] = False
            found[~used] = 0.0
    return found
