"""What each place along an axis leaves free: how wide and how deep the section may be there, and what limits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..case.model import Case
from ..plan.curve import AxisCurve, axis_curve
from ..plan.plan import Plan, Section, Vec
from ..plan.section import ellipse_polygons, section_polygon
from .moves import as_vec, sweep_points
from .path import with_sizes
from .prospect import Prospect, prospect

_EVERY_MM = 3.0  # stations lie at most so far apart
_LEAST_MM, MOST_MM, _STEP_MM = 2.0, 40.0, 0.5  # sizes tried: those that a plan's section may have
_HALVINGS = 7  # of what is left between two of them, to a hundredth of a millimetre
NEAR_MM = 15.0  # half of the widest strut that is looked for: what is farther limits nothing
# Points on a section's edge, and rings within it as shares of its size, of which every so manieth point is looked at.
_EDGE, _THINNED, _RINGS = 32, 2, (2.0 / 3.0, 1.0 / 3.0)
NOTHING = ""


@dataclass(frozen=True)
class FreeStation:
    """A place on an axis. arc_mm: from the upper end; place: RAS mm; width_mm, depth_mm: the section's there.

    free_width_mm: the largest at the section's depth, and free_depth_mm at its width, both about the axis; 0 where not
    even the least size is free, MOST_MM where nothing limits it. width_limit, depth_limit: the structures that do.
    slack_mm: left over of the least distance that the section keeps (negative: missed), and nearest: to what.
    """

    arc_mm: float
    place: Vec
    width_mm: float
    depth_mm: float
    free_width_mm: float
    width_limit: str
    free_depth_mm: float
    depth_limit: str
    slack_mm: float
    nearest: str


def free_stations(case: Case, plan: Plan) -> tuple[FreeStation, ...]:
    """The places along the plan's axis, from the upper foot to the lower.

    Raises PlanError for a plan without an axis, CaseError where a docking endplate cannot be found.
    """
    curve = axis_curve(plan.axis, plan.section, _EVERY_MM)
    return free_along(prospect(case, plan), curve)


def free_along(view: Prospect, curve: AxisCurve) -> tuple[FreeStation, ...]:
    """The same for an axis in a known room, at the curve's samples."""
    across, along = curve.widths, curve.depths
    left, nearest = _left(view, curve, across, along)
    wide, wide_limit = _largest(view, curve, lambda sizes: (sizes, along))
    deep, deep_limit = _largest(view, curve, lambda sizes: (across, sizes))
    return tuple(
        FreeStation(
            arc_mm=float(curve.arc[i]),
            place=as_vec(curve.points[i]),
            width_mm=float(curve.widths[i]),
            depth_mm=float(curve.depths[i]),
            free_width_mm=float(wide[i]),
            width_limit=wide_limit[i],
            free_depth_mm=float(deep[i]),
            depth_limit=deep_limit[i],
            slack_mm=float(left[i]),
            nearest=nearest[i],
        )
        for i in range(len(curve.arc))
    )


def left_over(view: Prospect, points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(n,) mm that points (n, 3) RAS leave of the least distances to keep, and the structure that each leaves least of:
    empty where there is none near."""
    left, names = left_of_each(view, points)
    if not len(left):
        return np.full(len(points), NEAR_MM), [NOTHING] * len(points)
    return left.min(axis=0), [names[k] for k in left.argmin(axis=0)]


def left_of_each(view: Prospect, points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(k, n) the same for each structure that is near any of the points, at most NEAR_MM, and their names.

    From the structures themselves, not from the room's nodes. Bone of the column also closes what lies behind it, seen
    from the front.
    """
    left, names = [], []
    for one in view.room.standoffs:
        least = one.least_mm
        away, _ = one.nearest(points, max(least, 0.0) + NEAR_MM)
        if np.isfinite(away).any():
            left.append(np.minimum(away - least, NEAR_MM))
            names.append(one.structure.name)
    return np.array(left), names


def _largest(
    view: Prospect, curve: AxisCurve, sized: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, list[str]]:
    """(n,) largest size at each sample up to which every smaller one is free, and what is first met beyond.

    sized: widths and depths (n,) from the sizes (n,) that are tried. The room's nodes tell roughly, the structures then
    exactly: between two nodes that face each other the room is told too narrow by up to half their distance.
    """
    count, rough = len(curve.arc), view.room.spacing
    tried = np.arange(_LEAST_MM, MOST_MM + _STEP_MM, _STEP_MM)
    slack = np.stack([_roughly(view, curve, *sized(np.full(count, size))) for size in tried], axis=1)
    free = tried[np.maximum(np.argmax(np.column_stack([slack, np.full(count, -np.inf)]) < rough, axis=1) - 1, 0)]
    shut = np.append(tried, MOST_MM)[np.argmax(np.column_stack([slack, np.full(count, -np.inf)]) < -rough, axis=1)]
    free = np.where(_left(view, curve, *sized(free))[0] < 0.0, _LEAST_MM, free)
    none = _left(view, curve, *sized(free))[0] < 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (free + shut)
        fits = _left(view, curve, *sized(middle))[0] >= 0.0
        free, shut = np.where(fits, middle, free), np.where(fits, shut, middle)
    _, names = _left(view, curve, *sized(np.where(none, _LEAST_MM, shut)))
    unlimited = free > MOST_MM - _STEP_MM
    sizes = np.where(none, 0.0, np.where(unlimited, MOST_MM, free))
    return sizes, [NOTHING if unlimited[i] else names[i] for i in range(count)]


def _roughly(view: Prospect, curve: AxisCurve, widths: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """(n,) slack of the curve's section of these sizes at each of its samples, from the room's nodes."""
    points, needs = _probes(curve, widths, depths)
    room = view.room
    left = np.minimum(*room.samples((room.never, room.rules), points.reshape(-1, 3)))
    slack: np.ndarray = (left.reshape(needs.shape) - needs).min(axis=1)
    return slack


def _left(view: Prospect, curve: AxisCurve, widths: np.ndarray, depths: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(n,) the same from the structures themselves, and what each leaves least of."""
    points, needs = _probes(curve, widths, depths)
    left, names = left_over(view, points.reshape(-1, 3))
    slack = left.reshape(needs.shape) - needs
    worst = slack.argmin(axis=1)
    rows = np.arange(len(slack))
    return slack[rows, worst], [names[k] for k in rows * needs.shape[1] + worst]


def _probes(curve: AxisCurve, widths: np.ndarray, depths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, k, 3) RAS points of the section at each sample, on its edge and on rings within it, and the slack (n, k) that
    each needs: none on the edge, within it half of what lies between rings across the smaller size."""
    edges = _edges(curve.section, widths, depths)
    rings = [share * edges[:, ::_THINNED] for share in _RINGS]
    offsets = np.concatenate([edges, *rings, np.zeros((len(edges), 1, 2))], axis=1)
    needs = np.zeros(offsets.shape[:2])
    needs[:, _EDGE:] = 0.25 * _RINGS[-1] * np.minimum(widths, depths)[:, None]
    return sweep_points(curve, offsets), needs


def _edges(section: Section, widths: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """(n, _EDGE, 2) the edges of a section made so wide and so deep, mm."""
    if section.shape == "ellipse":
        return ellipse_polygons(widths, depths, _EDGE)
    sizes, which = np.unique(np.column_stack([widths, depths]), axis=0, return_inverse=True)
    edges = []
    for width, depth in sizes:
        size = float(width), float(depth)
        edges.append(section_polygon(with_sizes(section, size, size), *size, _EDGE))
    return np.array(edges)[which.ravel()]
