"""Which contact zones hold a guide best against every small motion.

A zone hinders a motion, shift v and turn w, by |n · (v + w × r)| at each of its places r with normal n. How well zones
hold together is told by the motion that they hinder least: the smallest eigenvalue of the sum of those rows' squares
over all places, with turns told by the way that they make at a lever (form closure of fixtures, Asada and By 1985;
Gelfand et al. 2003, "Geometrically stable sampling for the ICP algorithm"). Zones on rims and on sides that look
different ways do better by it than three that stand wide apart on one plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

# A turn counts as the way that it makes at this lever, mm: so that 5° weigh as much as 1 mm, the most by which a seated
# guide may be off.
LEVER_MM = 11.5
_ROUNDS = 8  # of exchanges; few are needed


def held(points: np.ndarray, normals: np.ndarray, places: np.ndarray, radius_mm: float) -> np.ndarray:
    """(m, 6, 6) of each zone about points[places], what it says of small motions. points, normals: (n, 3), a surface
    evenly sampled."""
    middle = points[places].mean(axis=0)
    rows = np.concatenate([normals, np.cross(points - middle, normals) / LEVER_MM], axis=1)
    around = cKDTree(points).query_ball_point(points[places], radius_mm)
    return np.stack([rows[near].T @ rows[near] for near in around])


def closure(squares: np.ndarray) -> np.ndarray:
    """(...,) of sums (..., 6, 6): of the motion hindered least, how much."""
    least: np.ndarray = np.linalg.eigvalsh(squares)[..., 0]
    return least


def best_held(
    squares: np.ndarray, apart: np.ndarray, fixed: Sequence[int], start: Sequence[int], most: int
) -> tuple[int, ...]:
    """Numbers of at most so many zones, besides those that are fixed, that hold best together with them.

    squares: (m, 6, 6) as from `held`; apart: (m, m) bool, which may stand beside each other; start: zones that may. The
    one that adds the most is added, then each exchanged for a better one while there is one.
    """
    chosen = list(start)
    while len(chosen) < most:
        best = _best_one(squares, apart, [*fixed, *chosen])
        if best is None:
            break
        chosen.append(best)
    for _ in range(_ROUNDS):
        before = list(chosen)
        for number in range(len(chosen)):
            others = [*fixed, *chosen[:number], *chosen[number + 1 :]]
            best = _best_one(squares, apart, others)
            if best is not None and _value(squares, [*others, best]) > 1.0001 * _value(squares, [*others, chosen[number]]):
                chosen[number] = best
        if chosen == before:
            break
    return tuple(chosen)


def _best_one(squares: np.ndarray, apart: np.ndarray, others: Sequence[int]) -> int | None:
    """The zone that holds best together with others, of those that may stand beside all of them."""
    open_ = np.flatnonzero(apart[others].all(axis=0))
    if len(open_) == 0:
        return None
    return int(open_[int(np.argmax(closure(squares[others].sum(axis=0) + squares[open_])))])


def _value(squares: np.ndarray, which: Sequence[int]) -> float:
    return float(closure(squares[list(which)].sum(axis=0)))
