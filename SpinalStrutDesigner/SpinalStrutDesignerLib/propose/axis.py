"""The strut's centreline: as close to the column as standing bone and the keep-out rules allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..plan.curve import axis_curve
from ..plan.plan import Axis, Plan, Section
from .corridor import Corridor
from .moves import sweep_points
from .path import EndRegion, cheapest_path, end_sizes, is_round, section_probe, stations, with_sizes
from .refine import SIDES_DEG, refined_axis, refined_from
from .standoff import worst_miss
from .strength import strut_reserve

_REFINED = 3  # the cheapest of them that are worked out
HELD_MM = 0.02  # a mesh's own error: less is not missed
# Sizes tried where the preset's section does not fit, as shares at the upper and lower end: slimmer where the neck is
# narrow first, then everywhere. Size is limited only by the anatomy (Willemsen et al. 2019).
_SIZES = ((1.0, 1.0), (0.83, 1.0), (0.67, 1.0), (0.67, 0.67))
# Sizes tried where the strut that fits is too weak, as shares of its own, and the reserve against yield that is wanted
# of a bare strut: a little more than enough, for bores and bone take from it.
_STOUTER, _RESERVE = ((1.0, 1.12), (1.0, 1.25), (1.12, 1.25), (1.25, 1.25), (1.4, 1.4)), 1.05


@dataclass(frozen=True, eq=False)
class Candidate:
    """An axis with its section, its cost, and by how much (mm) it misses what it must hold at its worst place."""

    axis: Axis
    section: Section
    cost: float
    missing_mm: float


def propose_strut(room: Corridor, plan: Plan, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The stoutest section up to the plan's that fits, and its axis, its long side facing the column; stouter than the
    plan's where its strength asks for that and there is room.

    Where nothing fits the least bad is returned, and verification names what blocks it.
    """
    best: Candidate | None = None
    for shares in _SIZES:
        found = propose_axis(room, scaled(plan.section, *shares), upper, lower)
        if best is None or found.missing_mm < best.missing_mm - HELD_MM:
            best = found
        if best.missing_mm <= HELD_MM:
            break
    assert best is not None
    if best.missing_mm > HELD_MM:
        return best
    return _strong(room, plan, best, upper, lower)


def _strong(room: Corridor, plan: Plan, found: Candidate, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The first stouter strut that bears the loads, or the strongest of those up to where no more fits."""

    def reserve(axis: Axis, section: Section) -> float:
        return strut_reserve(plan, axis, section, upper.plate, lower.plate)

    best, strongest = found, reserve(found.axis, found.section)
    for shares in _STOUTER:
        if strongest >= _RESERVE:
            break
        section = scaled(found.section, *shares)
        stays = missed_mm(room, found.axis, section)
        tried = replace(found, section=section, missing_mm=stays)
        if stays > HELD_MM:
            tried = propose_axis(room, section, upper, lower)
        if tried.missing_mm > HELD_MM:
            break
        strength = reserve(tried.axis, tried.section)
        if strength > strongest:
            best, strongest = tried, strength
    return best


def propose_axis(room: Corridor, section: Section, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The best axis for a section: several sides of the column are tried."""
    sides = (0.0,) if is_round(section) else SIDES_DEG
    places = stations(room, section, upper, lower)
    tried = [(cheapest_path(room, section, side, places), side) for side in sides]
    tried.sort(key=lambda found: round(found[0][1], 6))  # of those equally cheap the more frontal one, then the right
    best: Candidate | None = None
    for (path, _), side in tried[:_REFINED]:
        axis, cost = refined_from(room, section, path, side, upper, lower)
        if best is None or cost < best.cost:
            best = Candidate(axis, section, cost, missed_mm(room, axis, section))
    assert best is not None
    return best


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
