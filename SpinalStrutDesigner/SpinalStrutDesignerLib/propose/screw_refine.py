"""A set of screws bettered little by little: each is shifted, tilted, lifted and made longer while the others stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..plan.plan import Screw
from ..verify.placement import COARSE, FINE
from .screw_end import ScrewEnd
from .screw_lines import shafts
from .screw_search import held_safely, off_canal, on_face, tilted
from .screw_sets import Pool, Rods, together
from .screw_shots import Fit, Lines, Shots, Tally
from .screw_whole import GivingWay, push_left_mm

_SHIFTS_MM = (0.8, 0.4, 0.2, 0.1)
_TILTS_DEG = (3.0, 1.5, 0.75, 0.4)
_ROUGH = 2  # of these sizes tell about what a set comes to
_ROUNDS = 4  # at each size of step
_STEP_MM = 0.5  # between places along a line
_MOST, _TOGETHER = 120, 12  # of the better variants so many are looked at closely, so many together
ALIKE = 0.995
"""Share of the best purchase above which sets are alike: the one with most left after the error budget is taken."""
_AROUND = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)], dtype=float)


def bettered(
    end: ScrewEnd, fits: Sequence[Fit], chosen: Sequence[Shots], fixed: Sequence[Rods], giving: Sequence[GivingWay]
) -> list[Shots]:
    """Screws (each one row) that hold about as much as can be found near these, and go with fixed ones; all let each
    structure of `giving` give way."""
    screws = list(chosen)
    for shift, tilt in zip(_SHIFTS_MM[:_ROUGH], _TILTS_DEG[:_ROUGH]):
        _settle(end, fits, screws, fixed, giving, shift, tilt, None)
    return screws


def refined(
    end: ScrewEnd, fits: Sequence[Fit], chosen: Sequence[Shots], fixed: Sequence[Rods], giving: Sequence[GivingWay]
) -> list[Shots]:
    """The same finely, of bettered ones, and then with as much left after the error budget as they can."""
    screws = list(chosen)
    for shift, tilt in zip(_SHIFTS_MM[_ROUGH:], _TILTS_DEG[_ROUGH:]):
        _settle(end, fits, screws, fixed, giving, shift, tilt, None)
    floor = [ALIKE * float(one.purchase[0]) for one in screws]
    for shift, tilt in zip(_SHIFTS_MM[:_ROUGH], _TILTS_DEG[:_ROUGH]):
        _settle(end, fits, screws, fixed, giving, shift, tilt, floor)
    return screws


def _settle(
    end: ScrewEnd,
    fits: Sequence[Fit],
    screws: list[Shots],
    fixed: Sequence[Rods],
    giving: Sequence[GivingWay],
    shift_mm: float,
    tilt_deg: float,
    floor: Sequence[float] | None,
) -> None:
    """Moves each screw to its best neighbour until none is better: by purchase, or, of those that hold at least so
    much, by what is left after the error budget."""
    still = 0
    for turn in range(_ROUNDS * len(fits)):
        hole = turn % len(fits)
        others = [Rods(f.kind, s.entries, s.ways, s.lengths) for k, (f, s) in enumerate(zip(fits, screws)) if k != hole]
        least = None if floor is None else floor[hole]
        better = _better(end, fits[hole], screws[hole], [*fixed, *others], giving, shift_mm, tilt_deg, least)
        still = 0 if better is not None else still + 1
        if better is not None:
            screws[hole] = better
        if still == len(fits):
            return


def _better(
    end: ScrewEnd,
    fit: Fit,
    now: Shots,
    others: Sequence[Rods],
    giving: Sequence[GivingWay],
    shift_mm: float,
    tilt_deg: float,
    least: float | None,
) -> Shots | None:
    """The best safe variant of a screw that goes with the others; None where none is better."""
    way = now.ways[0]
    place = now.entries[0] + (end.under_mm(fit.kind) + now.lifts[0]) * way
    lines = _varied(end, place, way, shift_mm, tilt_deg)
    shots = shafts(end, fit, lines, _STEP_MM, Tally(), 2)
    if least is None:
        gain = shots.purchase - now.purchase[0] * (1.0 + 1e-5)
    else:
        gain = np.where(shots.purchase >= least, shots.spare - now.spare[0] - 0.01, -1.0)
    good = gain > 0.0
    for one in others:
        good[good] = together(end.plan.screw_rules, one, Rods(fit.kind, *_line(shots.chosen(good))))
    order = np.flatnonzero(good)
    shots = shots.chosen(order[np.argsort(-gain[order], kind="stable")])
    for first in range(0, min(len(shots), _MOST), _TOGETHER):
        some = shots.chosen(slice(first, first + _TOGETHER))
        for one_way in giving:
            some = some.chosen(push_left_mm((one_way,), end, fit.kind, some.entries, some.ways)[0] >= 0.0)
        some = some.chosen(held_safely(end, fit, lines, some, Tally()))
        some = some.chosen(off_canal(end, fit, some, COARSE, 0.0, Tally()))
        for number in range(len(some)):
            one_shot = some.chosen(slice(number, number + 1))
            if off_canal(end, fit, one_shot, FINE, 0.0, Tally())[0]:
                return one_shot
    return None


def _line(shots: Shots) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return shots.entries, shots.ways, shots.lengths


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


def screw_of(fit: Fit, shot: Shots, like: Screw) -> Screw:
    """A row as a plan's screw."""
    return Pool(fit.kind, fit.bicortical, shot).screw(0, like)
