"""The stoutest round strut that the anatomy lets pass from foot to foot: a bound for any way, and a smooth axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ..plan.curve import axis_curve
from ..plan.plan import Axis, Section
from .corridor import Corridor
from .free import left_over
from .path import EndRegion, cheapest_path, end_nodes, stations
from .prospect import Prospect
from .widen import widened

MOST_MM = 30.0  # no wider strut is looked for: the largest thoracic endplates are about so deep
_LEAST_MM = 2.0  # what a plan's section may be at least
_SHARES = (1.0, 0.85)  # diameters for which ways are sought, as shares of the bound
# Least radii of the axis, one after the other, as shares of the bound: in the end a diameter at least, which is twice
# what a sweep needs that does not fold (engineering judgement).
_BENDS = (0.6, 0.8, 1.0)
_CLOSE_MM = 0.005
_TIED_MM = 0.02  # a mesh's own error: of axes as wide but for this the first one, that no rounding chooses
_WAY_MM = 3.0  # between the points of a way over the nodes
_EVERY_MM = 0.1  # places at which an axis is measured: at 0.5 the diameter told was seen to hang on them by 0.012 mm
_TOUCHING = np.ones((3, 3, 3))  # neighbours of a node, to which a way goes on


@dataclass(frozen=True, eq=False)
class Widest:
    """axis: the one along which the stoutest round strut passes; diameter_mm: of that strut, 0 where none does;
    bound_mm: none wider passes on any way, however crooked; place: (3,) RAS where the axis is narrowest, and limit: the
    structure that it is nearest to there."""

    axis: Axis
    diameter_mm: float
    bound_mm: float
    place: np.ndarray
    limit: str


def widest(view: Prospect) -> Widest:
    """The largest diameter of a round strut, and its axis. view: made for a section of MOST_MM.

    The widest of all ways over the nodes, and for some diameters the cheapest, are each made smooth and moved until
    they cannot be widened; what passes is measured on the structures. Axes hardly less wide than the widest of them are
    as good: the first is taken.
    """
    bound = bottleneck_mm(view.room, *view.ends)
    radii = [share * max(bound, _LEAST_MM) for share in _BENDS]
    found = [_along(view, widened(view, way, radii), bound) for way in _ways(view, bound)]
    most = max(one.diameter_mm for one in found)
    return next(one for one in found if one.diameter_mm >= most - _TIED_MM)


def bottleneck_mm(room: Corridor, upper: EndRegion, lower: EndRegion) -> float:
    """The diameter above which no ball passes from one end to the other on any way, however crooked.

    On a way of balls the slack at the nearest nodes is less by no more than half a cell's diagonal, for it changes no
    faster than the way walked; those nodes are neighbours.
    """
    half_diagonal = 0.5 * float(np.sqrt(3.0)) * room.spacing
    return max(2.0 * (_bottleneck(room, upper, lower, half_diagonal) + half_diagonal), 0.0)


def _bottleneck(room: Corridor, upper: EndRegion, lower: EndRegion, below_mm: float) -> float:
    """The largest slack at which nodes still join the ends, but -below_mm at least."""
    slack = np.minimum(room.never, room.rules)
    first, last = end_nodes(room, upper), end_nodes(room, lower)

    def passes(radius: float) -> bool:
        parts, _ = label(slack >= radius, structure=_TOUCHING)
        shared = np.intersect1d(parts[first], parts[last])
        return bool((shared > 0).any())

    low, high = -below_mm, 0.5 * MOST_MM
    while high - low > _CLOSE_MM:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


def _widest_way(room: Corridor, upper: EndRegion, lower: EndRegion) -> np.ndarray | None:
    """(n, 3) RAS points of the shortest of the widest ways over the nodes; None where the ends are not joined."""
    slack = np.minimum(room.never, room.rules)
    parts, _ = label(slack >= _bottleneck(room, upper, lower, 0.0), structure=_TOUCHING)
    first, last = end_nodes(room, upper), end_nodes(room, lower)
    shared = np.setdiff1d(np.intersect1d(parts[first], parts[last]), [0])
    if not len(shared):
        return None
    way = parts == shared[0]
    number = np.full(way.shape, -1)
    number[way] = np.arange(way.sum())
    one, other, length = _neighbours(number)
    graph = csr_matrix((length, (one, other)), shape=(int(way.sum()),) * 2)
    away, came, _ = dijkstra(
        graph, directed=False, indices=number[way & first], return_predecessors=True, min_only=True
    )
    ends = number[way & last]
    node, passed = int(ends[np.argmin(away[ends])]), []
    while node >= 0:
        passed.append(node)
        node = int(came[node])
    right, anterior, down = room.axes()
    z, y, x = np.argwhere(way)[passed[::-1]].T
    points = room.frame.to_ras(np.column_stack([right[x], anterior[y], down[z]]))
    count = max(int(away[ends].min() * room.spacing / _WAY_MM), 5)
    return points[np.linspace(0, len(points) - 1, count).astype(int)]


def _neighbours(number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of every two nodes that touch, and how far they lie apart in cells; number: -1 where there is none."""
    found = []
    for step in ((1, a, r) for a in (-1, 0, 1) for r in (-1, 0, 1)), ((0, 1, r) for r in (-1, 0, 1)), [(0, 0, 1)]:
        for by in step:
            here = tuple(slice(max(-k, 0), n - max(k, 0)) for k, n in zip(by, number.shape))
            there = tuple(slice(max(k, 0), n - max(-k, 0)) for k, n in zip(by, number.shape))
            pair = np.stack([number[here].ravel(), number[there].ravel()])
            pair = pair[:, (pair >= 0).all(axis=0)]
            found.append(np.vstack([pair, np.full(pair.shape[1], np.linalg.norm(by))]))
    one, other, length = np.concatenate(found, axis=1)
    return one.astype(int), other.astype(int), length


def round_section(diameter_mm: float) -> Section:
    """A circle."""
    return Section(shape="ellipse", width_mm=diameter_mm, depth_mm=diameter_mm, sizing="fixed")


def _ways(view: Prospect, bound_mm: float) -> list[np.ndarray]:
    """Paths (n, 3) from which to start."""
    widest_way = _widest_way(view.room, *view.ends)
    ways = [] if widest_way is None else [widest_way]
    for share in _SHARES:
        section = round_section(float(np.clip(share * bound_mm, _LEAST_MM, MOST_MM)))
        ways.append(cheapest_path(view.room, section, 0.0, stations(view.room, section, *view.ends))[0])
    return ways


def _along(view: Prospect, axis: Axis, bound_mm: float) -> Widest:
    curve = axis_curve(axis, round_section(_LEAST_MM), _EVERY_MM)
    left, names = left_over(view, curve.points)
    least = int(np.argmin(left))
    return Widest(axis, max(2.0 * float(left[least]), 0.0), bound_mm, curve.points[least], names[least])
