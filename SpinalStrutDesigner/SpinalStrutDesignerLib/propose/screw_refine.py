"""A set of screws bettered little by little: each is shifted, tilted, lifted and made longer while the others stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..plan.plan import Screw
from ..verify.placement import COARSE
from .screw_end import ScrewEnd
from .screw_lines import Fit, Lines, Shots, Tally
from .screw_search import found, off_canal, on_face, tilted
from .screw_sets import Pool, Rods, together

_SHIFTS_MM = (0.8, 0.4, 0.2, 0.1)
_TILTS_DEG = (3.0, 1.5, 0.75, 0.4)
_ROUNDS = 4  # at each size of step
_STEP_MM = 0.5  # between places along a line
_FEW = 40  # of the best variants whose way to the canal is looked at closely
ALIKE = 0.995
"""Share of the best purchase above which sets are alike: then the one with most left after the error budget is taken."""
_AROUND = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)], dtype=float)


def refined(end: ScrewEnd, fits: Sequence[Fit], chosen: Sequence[Shots], fixed: Sequence[Rods]) -> list[Shots]:
    """Screws (each one row) that hold as much as can be found near these, and then leave as much as they can."""
    screws = list(chosen)
    for shift, tilt in zip(_SHIFTS_MM, _TILTS_DEG):
        _settle(end, fits, screws, fixed, shift, tilt, None)
    floor = [ALIKE * float(one.purchase[0]) for one in screws]
    for shift, tilt in zip(_SHIFTS_MM[:3], _TILTS_DEG[:3]):
        _settle(end, fits, screws, fixed, shift, tilt, floor)
    return screws


def _settle(
    end: ScrewEnd,
    fits: Sequence[Fit],
    screws: list[Shots],
    fixed: Sequence[Rods],
    shift_mm: float,
    tilt_deg: float,
    floor: Sequence[float] | None,
) -> None:
    """Moves each screw to its best neighbour until none is better."""
    for _ in range(_ROUNDS):
        bettered = False
        for hole, fit in enumerate(fits):
            others = [_rod(fits[k], one) for k, one in enumerate(screws) if k != hole]
            near = _near(end, fit, screws[hole], [*fixed, *others], shift_mm, tilt_deg)
            better = _better(screws[hole], near, None if floor is None else floor[hole])
            better = _first_off_canal(end, fit, better)
            if better is not None:
                screws[hole], bettered = better, True
        if not bettered:
            return


def _better(now: Shots, near: Shots, floor: float | None) -> Shots:
    """Of variants those that are better than the screw now, best first."""
    if floor is None:
        good = np.flatnonzero(near.purchase > now.purchase[0] * (1.0 + 1e-6) + 1e-6)
        return near.chosen(good[np.argsort(-near.purchase[good], kind="stable")])
    good = np.flatnonzero((near.purchase >= floor) & (near.spare > now.spare[0] + 1e-3))
    return near.chosen(good[np.argsort(-near.spare[good], kind="stable")])


def _first_off_canal(end: ScrewEnd, fit: Fit, shots: Shots) -> Shots | None:
    """The first that reaches the canal seldom enough, of a few."""
    for first in range(0, min(len(shots), _FEW), 4):
        some = shots.chosen(slice(first, first + 4))
        good = np.flatnonzero(off_canal(end, fit, some, COARSE, 0.0, Tally()))
        if len(good):
            return some.chosen(good[:1])
    return None


def _near(
    end: ScrewEnd, fit: Fit, screw: Shots, others: Sequence[Rods], shift_mm: float, tilt_deg: float
) -> Shots:
    """The safe variants of a screw that go with the others."""
    way = screw.ways[0]
    place = screw.entries[0] + (end.under_mm(fit.kind) + screw.lifts[0]) * way
    shots = found(end, fit, _varied(end, place, way, shift_mm, tilt_deg), Tally(), _STEP_MM, 10**9)
    good = np.ones(len(shots), dtype=bool)
    for one in others:
        good &= together(end.plan.screw_rules, one, Rods(fit.kind, shots.entries, shots.ways, shots.lengths))
    return shots.chosen(good)


def _varied(end: ScrewEnd, place: np.ndarray, way: np.ndarray, shift_mm: float, tilt_deg: float) -> Lines:
    """A line with its place and way varied a little, itself among them."""
    if end.shape.flange is None:
        local = end.plate.to_local(place[None]) + shift_mm * np.array([(*pair, 0.0) for pair in _AROUND])
        places = end.plate.to_ras(local)
    else:
        from_centre = place - end.plate.centre
        across, up = shift_mm * _AROUND.T + np.array([[from_centre @ end.beside], [from_centre @ end.plate.normal]])
        places = on_face(end, across, up)[0]
    # Directions are varied about the way of the surgeon, so that they turn with the anatomy.
    side = np.cross(way, end.plate.normal)
    side /= np.linalg.norm(side)
    ways = tilted(way, side, np.cross(way, side), tilt_deg * _AROUND)
    return Lines(np.repeat(places, len(ways), axis=0), np.tile(ways, (len(places), 1)))


def _rod(fit: Fit, shot: Shots) -> Rods:
    return Rods(fit.kind, shot.entries, shot.ways, shot.lengths)


def screw_of(fit: Fit, shot: Shots, like: Screw) -> Screw:
    """A row as a plan's screw."""
    return Pool(fit.kind, fit.bicortical, shot).screw(0, like)
