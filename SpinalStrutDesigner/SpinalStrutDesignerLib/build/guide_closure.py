"""Which contact zones hold a guide best against every small motion.

A zone hinders a motion, shift v and turn w, by |n · (v + w × r)| at each of its places r with normal n. How well zones
hold together is told by the motion that they hinder least: the smallest eigenvalue of the sum of those rows' squares
over all places, with turns told by the way that they make at a lever (form closure of fixtures, Asada and By 1985;
Gelfand et al. 2003, "Geometrically stable sampling for the ICP algorithm"). Zones on rims and on sides that look
different ways do better by it than three that stand wide apart on one plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

# A turn counts as the way that it makes at this lever, mm. 5° weigh as much as 1 mm, which is what a seated guide may
# be off by, at 11.5 mm; a little more, as on vertebral bodies turns come to their limit first (measured on the cases).
LEVER_MM = 14.0
_ROUNDS = 8  # of exchanges; few are needed
_STARTS = 12  # ends come no better from more (measured)
_GAIN = 1.001  # less is no reason for an exchange


@dataclass(frozen=True, eq=False)
class Candidates:
    """Zones that may be had. squares: (m, 6, 6), what each says of small motions; apart: (m, m) bool, which may stand
    beside each other; kinds: (m,) int, those of kind 0 may be added, others are only exchanged for their own kind."""

    squares: np.ndarray
    apart: np.ndarray
    kinds: np.ndarray

    def closure(self, which: Sequence[int]) -> float:
        """How much zones hinder the motion that they hinder least; 0 where it is free."""
        return float(np.linalg.eigvalsh(self.squares[list(which)].sum(axis=0))[0])

    def best_beside(self, others: Sequence[int], kind: int) -> int | None:
        """The zone of a kind that holds best together with others, of those that may stand beside all of them."""
        open_ = np.flatnonzero(self.apart[list(others)].all(axis=0) & (self.kinds == kind))
        if len(open_) == 0:
            return None
        sums = self.squares[list(others)].sum(axis=0) + self.squares[open_]
        return int(open_[int(np.argmax(np.linalg.eigvalsh(sums)[:, 0]))])


def squares_of(points: np.ndarray, normals: np.ndarray, places: np.ndarray, radius_mm: float) -> np.ndarray:
    """(m, 6, 6) of each zone about points[places], as in `Candidates`. points, normals: (n, 3), an evenly sampled
    surface."""
    middle = points[places].mean(axis=0)
    rows = np.concatenate([normals, np.cross(points - middle, normals) / LEVER_MM], axis=1)
    around = cKDTree(points).query_ball_point(points[places], radius_mm)
    return np.stack([rows[near].T @ rows[near] for near in around])


def best_held(given: Candidates, start: Sequence[int], most: int) -> tuple[int, ...]:
    """Numbers of at most so many zones that hold best together, of the same kinds as those to begin with and more of
    kind 0: each is exchanged for a better one of its own kind while there is one.

    As that ends where no single exchange helps, it is begun from many zones, and the best end is taken.
    """
    firsts = np.flatnonzero(given.kinds == 0)
    kept = [n for n in start if given.kinds[n] != 0]
    begun = [[*kept, int(n)] for n in firsts[:: max(len(firsts) // _STARTS, 1)] if given.apart[n, kept].all()]
    ends = [_exchanged(given, _filled(given, list(one), most)) for one in (list(start), *begun)]
    full = max(len(end) for end in ends)
    whole = [end for end in ends if len(end) == full]
    return tuple(whole[int(np.argmax([given.closure(end) for end in whole]))])


def _filled(given: Candidates, chosen: list[int], most: int) -> list[int]:
    """With the zone that adds the most, again and again."""
    while len(chosen) < most and (best := given.best_beside(chosen, 0)) is not None:
        chosen.append(best)
    return chosen


def _exchanged(given: Candidates, chosen: list[int]) -> list[int]:
    for _ in range(_ROUNDS):
        before = list(chosen)
        for number, now in enumerate(before):
            others = [*chosen[:number], *chosen[number + 1 :]]
            best = given.best_beside(others, int(given.kinds[now]))
            if best is not None and given.closure([*others, best]) > _GAIN * given.closure([*others, now]):
                chosen[number] = best
        if chosen == before:
            break
    return chosen
