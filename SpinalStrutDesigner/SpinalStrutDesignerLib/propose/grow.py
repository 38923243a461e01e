"""A section grown to what the anatomy leaves free, by the measure that the plan's section names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..plan.curve import axis_curve
from ..plan.plan import Axis, Section
from ..plan.section import section_polygon
from .axis import HELD_MM, Candidate, missed_mm, worked_out
from .corridor import Corridor
from .moves import sweep_points
from .path import EndRegion, end_sizes, section_probe, with_sizes
from .refine import rough_axis, side_of
from .strength import moments_of

_STEPS_MM = (2.0, 1.0, 0.5)  # by which a size grows; presets are given to the half millimetre
_PLACES, _EDGE_POINTS = 32, 64
_SPENT_NOTHING_MM = 1e-3  # of clearance, on average: what grows into open room is weighed as if it spent so much

Sizes = tuple[float, float, float, float]  # width and depth at the upper end, width and depth at the lower


def grown(room: Corridor, found: Candidate, upper: EndRegion, lower: EndRegion) -> Candidate:
    """The strut made as large as its section's sizing asks for; as it is where that is "fixed" or it does not fit.

    Of the four sizes the one grows whose growth is worth most, on the axis as it is or, where that no longer fits, on
    one refined from it; until none can, nor by smaller steps. No end becomes larger than the foot it stands on.
    """
    if found.section.sizing == "fixed" or found.missing_mm > HELD_MM:
        return found
    most = _sizes(largest_section(found.section, upper, lower))
    for step in _STEPS_MM:
        left = set(range(4))
        while left:
            chosen = max(sorted(left), key=lambda k: _worth(room, found, _larger(found.section, k, step)))
            section = _larger(found.section, chosen, step)
            tried = None if _sizes(section)[chosen] > most[chosen] else _fitted(room, found, section, upper, lower)
            if tried is None or tried.missing_mm > HELD_MM:
                left.remove(chosen)
            else:
                found = tried
    exact = worked_out(room, found, upper, lower)
    return exact if exact.missing_mm <= HELD_MM else found


def largest_section(section: Section, upper: EndRegion, lower: EndRegion) -> Section:
    """The section as wide and deep at each end as the foot there, or as it is where it already is larger."""
    sizes = []
    for end, (width, depth) in zip((upper, lower), end_sizes(section)):
        across, along = np.ptp(end.footprint, axis=0)
        sizes.append((max(width, float(across)), max(depth, float(along))))
    return with_sizes(section, sizes[0], sizes[1])


def weak_moment_mm4(section: Section) -> float:
    """About the weaker axis: of an untapered strut that bends as much under the same moment."""
    return 1.0 / float(np.mean([1.0 / min(moments) for _, moments in _along(section)]))


def mean_area_mm2(section: Section) -> float:
    """Volume over length."""
    return float(np.mean([area for area, _ in _along(section)]))


def _along(section: Section) -> list[tuple[float, tuple[float, float]]]:
    """Area and both second moments at places evenly along the strut."""
    first, last = end_sizes(section)
    found = []
    for share in (np.arange(_PLACES) + 0.5) / _PLACES:
        width, depth = ((1.0 - share) * a + share * b for a, b in zip(first, last))
        area, _, moments = moments_of(section_polygon(section, width, depth, _EDGE_POINTS))
        found.append((area, moments))
    return found


def _worth(room: Corridor, found: Candidate, section: Section) -> float:
    """What a larger section wins, as its sizing counts it."""
    return _MEASURES[section.sizing](room, found, section)


def _stiffness_for_clearance(room: Corridor, found: Candidate, section: Section) -> float:
    won = weak_moment_mm4(section) - weak_moment_mm4(found.section)
    spent = _slack(room, found.axis, found.section) - _slack(room, found.axis, section)
    return won / max(float(spent.mean()), _SPENT_NOTHING_MM)


def _volume(room: Corridor, found: Candidate, section: Section) -> float:
    return mean_area_mm2(section) - mean_area_mm2(found.section)


_MEASURES: dict[str, Callable[[Corridor, Candidate, Section], float]] = {
    "stiffness": _stiffness_for_clearance,
    "volume": _volume,
}


def _slack(room: Corridor, axis: Axis, section: Section) -> np.ndarray:
    """(n,) mm that a strut leaves of every rule, and of the distance to what may be displaced, along its axis."""
    curve = axis_curve(axis, section, 2.0)
    offsets, needs = section_probe(section).at(curve.arc / curve.length_mm)
    points = sweep_points(curve, offsets).reshape(-1, 3)
    fields = room.samples((room.never, room.rules, room.soft), points)
    return (np.min(fields, axis=0).reshape(needs.shape) - needs).min(axis=1)


def _fitted(room: Corridor, found: Candidate, section: Section, upper: EndRegion, lower: EndRegion) -> Candidate:
    stays = missed_mm(room, found.axis, section)
    if stays <= HELD_MM:
        return replace(found, section=section, missing_mm=stays)
    curve = axis_curve(found.axis, found.section, 1.0)
    side = side_of(room, section, np.array(found.axis.back))
    axis, cost = rough_axis(room, section, curve.points, side, upper, lower)
    return Candidate(axis, section, cost, missed_mm(room, axis, section))


def _larger(section: Section, which: int, step: float) -> Section:
    sizes = list(_sizes(section))
    sizes[which] += step
    return with_sizes(section, (sizes[0], sizes[1]), (sizes[2], sizes[3]))


def _sizes(section: Section) -> Sizes:
    (width, depth), (lower_width, lower_depth) = end_sizes(section)
    return width, depth, lower_width, lower_depth
