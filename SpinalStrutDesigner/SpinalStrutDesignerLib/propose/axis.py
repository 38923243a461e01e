"""The strut's centreline: as close to the column as standing bone and the keep-out rules allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..plan.curve import axis_curve
from ..plan.plan import Axis, Plan, Section
from .corridor import Corridor
from .moves import sweep_points
from .path import (
    STATION_MM,
    EndRegion,
    cheapest_near,
    cheapest_path,
    end_sizes,
    is_round,
    section_probe,
    stations,
    with_sizes,
)
from .refine import SIDES_DEG, exact_axis, rough_axis, side_of
from .standoff import worst_miss
from .strength import strut_reserve

_REFINED = 3  # the cheapest of them that are worked out
HELD_MM = 0.02  # a mesh's own error: less is not missed
MENDED_MM = 0.15  # what a rough axis misses by less is mended when it is made exact
# Twice what was ever seen mended (case 1): what misses by more is worked out only where nothing else is left.
_HOPELESS_MM = 1.0
_AS_CHEAP = 0.1  # by how much more a strut may cost that stands nearer to the front
_TIED = 6  # decimals of costs beyond which they are equal
# Sizes tried where the preset's section does not fit, as shares at the upper and lower end: slimmer where the neck is
# narrow first, then everywhere. Size is limited only by the anatomy (Willemsen et al. 2019).
_SIZES = ((1.0, 1.0), (0.83, 1.0), (0.67, 1.0), (0.67, 0.67))
# Sizes tried where the strut that fits is too weak, as shares of its own, and the reserve against yield that is wanted
# of a bare strut: a little more than enough, for bores and bone take from it.
_STOUTER, _RESERVE = ((1.0, 1.12), (1.0, 1.25), (1.12, 1.25), (1.25, 1.25), (1.4, 1.4)), 1.05


@dataclass(frozen=True, eq=False)
class Candidate:
    """An axis with its section, its cost, and by how much (mm) it misses what it must hold at its worst place; and the
    path (n, 3) of the room's nodes from which alone it was found, None where it was not."""

    axis: Axis
    section: Section
    cost: float
    missing_mm: float
    path: np.ndarray | None = None


def propose_strut(room: Corridor, plan: Plan, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The stoutest section up to the plan's that fits, and its axis, its long side facing the column; stouter than the
    plan's where its strength asks for that and there is room.

    Where nothing fits the least bad is returned, and verification names what blocks it.
    """
    hopeless = []
    best: Candidate | None = None
    for shares in _SIZES:
        found = propose_axis(room, scaled(plan.section, *shares), upper, lower)
        if found.missing_mm > _HOPELESS_MM:
            hopeless.append(found)
            continue
        tried = _stouter(room, plan, found, upper, lower) if found.missing_mm <= MENDED_MM else [found]
        best = _first_held(room, best, tried[::-1], upper, lower)
        if best is not None and best.missing_mm <= HELD_MM:
            return best
    best = _first_held(room, best, hopeless, upper, lower)
    assert best is not None
    return best


def _first_held(
    room: Corridor, best: Candidate | None, tried: Sequence[Candidate], upper: EndRegion, lower: EndRegion
) -> Candidate | None:
    """The first of some rough struts that holds when worked out, or else of all, and of the best so far, the least
    bad."""
    for rough in tried:
        worked = worked_out(room, rough, upper, lower)
        if best is None or worked.missing_mm < best.missing_mm - HELD_MM:
            best = worked
        if best.missing_mm <= HELD_MM:
            break
    return best


def _stouter(room: Corridor, plan: Plan, found: Candidate, upper: EndRegion, lower: EndRegion) -> list[Candidate]:
    """The strut that was found, and stouter ones, each stronger than the one before: up to the first that bears the
    loads, or to where no more fits."""
    tried, section = [found], found.section
    strongest = strut_reserve(plan, found.axis, section, upper.plate, lower.plate)
    for shares in _STOUTER:
        if strongest >= _RESERVE:
            break
        one = propose_axis(room, scaled(section, *shares), upper, lower)
        if one.missing_mm > MENDED_MM:
            break
        strength = strut_reserve(plan, one.axis, one.section, upper.plate, lower.plate)
        if strength > strongest:
            tried.append(one)
            strongest = strength
    return tried


def propose_axis(room: Corridor, section: Section, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The best axis for a section, as far as the room's nodes tell: several sides of the column are tried."""
    sides = (0.0,) if is_round(section) else SIDES_DEG
    places = stations(room, section, upper, lower)
    tried = [(cheapest_path(room, section, side, places), side) for side in sides]
    tried.sort(key=lambda found: round(found[0][1], _TIED))  # of equally cheap ones the more frontal, then the right
    found = []
    for (path, _), side in tried[:_REFINED]:
        axis, cost = rough_axis(room, section, path, side, upper, lower)
        found.append((abs(side), Candidate(axis, section, cost, missed_mm(room, axis, section), path)))
    return _preferred(found)


def _preferred(found: list[tuple[float, Candidate]]) -> Candidate:
    """Of struts (degrees from the front, strut) that hold, or else of those that miss least, the most frontal one that
    costs hardly more than the cheapest: a small difference turns no strut."""
    least = max(min(one.missing_mm for _, one in found) + HELD_MM, MENDED_MM)
    held = [(turn, one) for turn, one in found if one.missing_mm <= least]
    cheap = (1.0 + _AS_CHEAP) * min(one.cost for _, one in held)
    chosen = [(turn, round(one.cost, _TIED), number) for number, (turn, one) in enumerate(held) if one.cost <= cheap]
    return held[min(chosen)[2]][1]


def worked_out(room: Corridor, rough: Candidate, upper: EndRegion, lower: EndRegion) -> Candidate:
    """A strut's axis made exact, from the cheapest of all paths near it: mostly the one near which it was found."""
    section, side = rough.section, side_of(room, rough.section, np.array(rough.axis.back))
    beside = axis_curve(rough.axis, section, STATION_MM).points
    path = cheapest_near(room, section, side, stations(room, section, upper, lower), beside)
    begin = rough.axis
    if rough.path is None or not np.array_equal(path, rough.path):
        begin, _ = rough_axis(room, section, path, side, upper, lower)
    axis, cost = exact_axis(room, section, begin, upper, lower)
    return Candidate(axis, section, cost, missed_mm(room, axis, section))


def scaled(section: Section, upper: float, lower: float) -> Section:
    """The section at shares of its size, to half a millimetre; tapered where the ends differ."""
    if upper == lower == 1.0:
        return section
    first, last = end_sizes(section)
    (width, depth), (lower_width, lower_depth) = (
        (round(2.0 * share * wide) / 2.0, round(2.0 * share * deep) / 2.0)
        for share, (wide, deep) in ((upper, first), (lower, last))
    )
    return with_sizes(section, (width, depth), (lower_width, lower_depth))


def missed_mm(room: Corridor, axis: Axis, section: Section) -> float:
    """By how much a strut misses what it must hold, at its worst place."""
    curve = axis_curve(axis, section, 1.0)
    offsets, needs = section_probe(section).at(curve.arc / curve.length_mm)
    points = sweep_points(curve, offsets).reshape(-1, 3)
    return worst_miss(room.standoffs, points, needs.ravel())
