"""A first way through the corridor: the cheapest of all paths from station to station, by dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..case.model import Endplate
from ..plan.plan import Section
from ..plan.section import section_polygon
from .corridor import Corridor

STATION_MM = 3.0
_STEP_CELLS = 2  # largest sideways move between stations, in cells
_WEIGHT_NEVER, _WEIGHT_RULE, _WEIGHT_SOFT = 400.0, 40.0, 0.5  # per mm² of violation and station
_WEIGHT_ECCENTRIC = 0.02  # per mm² off the column line and station
_WEIGHT_SLOPE = 1.5  # per mm² of sideways move between stations
_WEIGHT_END = 0.15  # per mm² off the endplate's centre
_DISCS, _EDGE_POINTS = 5, 32
_BEHIND_MM = -2.0  # behind the plate's centre lies the canal, and the approach is closed
_BRIDGES = 500  # ends judged at a time, so that their arrays stay small
_NEAR_MM = 12.0  # how far from a path another one is looked for
_TIED = 1e-6  # costs that differ by less are one: the last bit of a sum chooses no way
_ROUNDING_MM = 1e-6  # by which a node may lie beyond where an end may be: the last bit of its place leaves none out
_SOFT_MARGIN_MM = 0.5  # wanted distance to structures that may be displaced


@dataclass(frozen=True, eq=False)
class EndRegion:
    """Where an end of the axis may lie: near the plane `out` mm over the endplate, `reach` mm around its centre.

    footprint: (n, 2) edge of the foot in the plate's plane (right, anterior); the foot spans from it to the strut.
    """

    plate: Endplate
    out_mm: float
    reach_mm: float
    footprint: np.ndarray

    @property
    def behind_mm(self) -> float:
        """How far back an end may lie, in the plate's anterior coordinate."""
        return _BEHIND_MM

    def outside(self, local: np.ndarray) -> np.ndarray:
        """(...) mm by which places (..., 3) in the plate's coordinates lie beyond where an end may be."""
        beyond = np.hypot(local[..., 0], local[..., 1]) - self.reach_mm
        return np.maximum(np.maximum(beyond, self.behind_mm - local[..., 1]), 0.0)

    def bridge(self, edge: np.ndarray, count: int = 3) -> np.ndarray:
        """Points (n, 3) of the foot between the strut's edge (m, 3) RAS at its end and the footprint.

        All straight lines between the two edges, so that the points fill the convex region that joins them.
        """
        return self.bridges(edge[None], count)[0]

    def bridges(self, edges: np.ndarray, count: int = 3) -> np.ndarray:
        """The same for many edges (k, m, 3): (k, n, 3)."""
        plate = self.plate
        local = plate.to_local(edges)[..., :2]
        share = np.linspace(0.0, 1.0, count + 2)[1:-1, None, None, None]
        plane = (1.0 - share) * self.footprint[:, None] + share * local[:, None, None]
        flat = plane.reshape(len(edges), -1, 2)
        return flat @ np.stack([plate.right, plate.anterior]) + (plate.centre + self.out_mm * plate.normal)

    def bridge_moves(self, moves: np.ndarray, count: int = 3) -> np.ndarray:
        """How the bridge's points move, (n, 3), when the strut's edge moves by moves (m, 3)."""
        plane = moves - (moves @ self.plate.normal)[:, None] * self.plate.normal
        share = np.linspace(0.0, 1.0, count + 2)[1:-1, None, None, None]
        spread = np.broadcast_to(share * plane[None, None], (count, len(self.footprint), *plane.shape))
        return spread.reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class Probe:
    """Points that stand for the section at its upper and lower end.

    upper, lower: (n, 2) across and towards the column; upper_need, lower_need: (n,) slack that each point needs. The
    first `inner` are centres of discs.
    """

    upper: np.ndarray
    lower: np.ndarray
    upper_need: np.ndarray
    lower_need: np.ndarray
    inner: int

    def at(self, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (m, n, 2) and needs (m, n) at shares (m,) of the way down."""
        points = self.upper + share[:, None, None] * (self.lower - self.upper)
        return points, self.upper_need + share[:, None] * (self.lower_need - self.upper_need)


def section_probe(section: Section) -> Probe:
    """Discs of the section's inner radius along its middle, so that small remnants cannot hide between the points of
    its outline; and the outline, which holds the corners."""
    upper, lower = (probe_points(section, width, depth) for width, depth in end_sizes(section))
    return Probe(upper[0], lower[0], upper[1], lower[1], _DISCS)


def is_round(section: Section) -> bool:
    """Whether it matters to no place which way the section is turned."""
    return section.shape == "ellipse" and all(width == depth for width, depth in end_sizes(section))


def end_sizes(section: Section) -> tuple[tuple[float, float], tuple[float, float]]:
    """(width, depth) at the upper and at the lower end."""
    width = section.width_mm if section.lower_width_mm is None else section.lower_width_mm
    depth = section.depth_mm if section.lower_depth_mm is None else section.lower_depth_mm
    return (section.width_mm, section.depth_mm), (width, depth)


def with_sizes(section: Section, upper: tuple[float, float], lower: tuple[float, float]) -> Section:
    """The section with other (width, depth) at its ends, mm, its corners as round as they allow."""
    radius = min(section.corner_radius_mm, 0.5 * min(*upper, *lower))
    return section.with_(
        width_mm=upper[0], depth_mm=upper[1], lower_width_mm=lower[0], lower_depth_mm=lower[1],
        corner_radius_mm=radius, back_radius_mm=max(section.back_radius_mm, 0.5 * max(upper[0], lower[0])),
    )  # fmt: skip


def probe_points(section: Section, width: float, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) that stand for one section, across and towards the column, and the slack (n,) that each needs."""
    inner = 0.5 * min(width, depth)
    middle = np.linspace(-1.0, 1.0, _DISCS) * max(0.5 * width - inner, 0.0)
    edge = section_polygon(section, width, depth, _EDGE_POINTS)
    points = np.concatenate([np.column_stack([middle, np.zeros(_DISCS)]), edge])
    return points, np.concatenate([np.full(_DISCS, inner), np.zeros(len(edge))])


@dataclass(frozen=True, eq=False)
class Stations:
    """Where a path may go: grid nodes (stations, anterior, right, 3) RAS with what ends there cost, first and last
    (stations, anterior, right), and the stations' rows in the corridor's grid."""

    rows: np.ndarray
    nodes: np.ndarray
    first: np.ndarray
    last: np.ndarray


def stations(room: Corridor, section: Section, upper: EndRegion, lower: EndRegion) -> Stations:
    """The places a path passes, whichever way the section is turned."""
    right, anterior, down = room.axes()
    rows = np.arange(0, len(down), max(round(STATION_MM / room.spacing), 1))
    nodes = _station_points(room, right, anterior, down[rows])
    first, last = (
        _end_cost(room, nodes, end, 0.5 * min(size)) for end, size in zip((upper, lower), end_sizes(section))
    )
    return Stations(rows, nodes, first, last)


def cheapest_path(room: Corridor, section: Section, back_deg: float, places: Stations) -> tuple[np.ndarray, float]:
    """(n, 3) RAS points of the cheapest path with its section turned to back_deg, and its cost.

    back_deg: 0 with the back facing posteriorly (strut in front), +90 facing the patient's left (strut at the right).
    Where no path is free the least bad one is returned.
    """
    return _cheapest(room, _cost(room, section, back_deg, places), places)


def cheapest_near(room: Corridor, section: Section, back_deg: float, places: Stations, path: np.ndarray) -> np.ndarray:
    """The same among paths that stay near a path (n, 3); that path itself where none of them ends where it may."""
    cost = _cost(room, section, back_deg, places)
    away, _ = cKDTree(_finely(path)).query(places.nodes, distance_upper_bound=_NEAR_MM)
    cost[~np.isfinite(away)] = np.inf
    found, least = _cheapest(room, cost, places)
    return found if np.isfinite(least) else path


def _finely(path: np.ndarray) -> np.ndarray:
    """Points on a path (n, 3), no farther apart than a station."""
    return np.concatenate([
        start + np.linspace(0.0, 1.0, int(np.linalg.norm(step) / STATION_MM) + 2)[:, None] * step
        for start, step in zip(path, np.diff(path, axis=0))
    ])  # fmt: skip


def _cost(room: Corridor, section: Section, back_deg: float, places: Stations) -> np.ndarray:
    """What it costs to pass each node."""
    right, anterior, _ = room.axes()
    cost = _section_cost(room, section, back_deg, places.rows)
    cost += _WEIGHT_ECCENTRIC * (right**2 + anterior[:, None] ** 2)
    return cost


def _cheapest(room: Corridor, cost: np.ndarray, places: Stations) -> tuple[np.ndarray, float]:
    centre = room.frame.centre(room.axes()[2][places.rows]) / room.spacing
    return _trace(cost, places.first, places.last, np.diff(centre, axis=0), room.spacing, places.nodes)


def _section_cost(room: Corridor, section: Section, back_deg: float, rows: np.ndarray) -> np.ndarray:
    """Penalty of the section's worst point at every node of these rows of the grid."""
    turn = np.deg2rad(back_deg)
    across, back = np.array([np.cos(turn), -np.sin(turn)]), np.array([-np.sin(turn), -np.cos(turn)])
    offsets, needs = (values[0] for values in section_probe(section).at(np.array([0.5])))
    moves = np.rint((offsets[:, :1] * across + offsets[:, 1:] * back) / room.spacing).astype(int)
    # Points that fall on the same node ask together for the most that any of them needs.
    cells = {tuple(move): float(needs[(moves == move).all(axis=1)].max()) for move in moves}
    reach = int(np.abs(moves).max())
    cost = np.zeros((len(rows), *room.never.shape[1:]), dtype=np.float32)
    for values, margin, weight in (
        (room.never, 0.0, _WEIGHT_NEVER),
        (room.rules, 0.0, _WEIGHT_RULE),
        (room.soft, _SOFT_MARGIN_MM, _WEIGHT_SOFT),
    ):
        padded = np.pad(values[rows], ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        worst = np.full(cost.shape, np.inf, dtype=np.float32)
        for (r, a), need in cells.items():
            high, wide = (slice(reach + by, reach + by + n) for by, n in zip((a, r), cost.shape[1:]))
            np.minimum(worst, padded[:, high, wide] - np.float32(need), out=worst)
        cost += weight * np.maximum(margin - worst, 0.0) ** 2
    return cost


def _station_points(room: Corridor, right: np.ndarray, anterior: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(stations, anterior, right, 3) RAS."""
    grid = np.stack(np.meshgrid(down, anterior, right, indexing="ij")[::-1], axis=-1)
    return room.frame.to_ras(grid.reshape(-1, 3)).reshape(grid.shape)


def _end_cost(room: Corridor, nodes: np.ndarray, end: EndRegion, radius: float) -> np.ndarray:
    """Cost of ending at each node; infinite away from the end's plane and outside its reach."""
    local = end.plate.to_local(nodes.reshape(-1, 3)).reshape(nodes.shape)
    allowed = _allowed(end, local)
    cost = np.where(allowed, _WEIGHT_END * (local[..., 0] ** 2 + local[..., 1] ** 2), np.inf)
    angle = np.linspace(0.0, 2.0 * np.pi, 9)[:-1, None]
    round_edge = radius * (np.cos(angle) * end.plate.right + np.sin(angle) * end.plate.anterior)
    edges = nodes[allowed][:, None] + round_edge
    worst = []
    for some in np.array_split(edges, max(len(edges) // _BRIDGES, 1)):
        bridges = end.bridges(some, 2)
        values = room.samples((room.rules, room.soft), bridges.reshape(-1, 3))
        worst.append(np.minimum([v.reshape(bridges.shape[:2]).min(axis=1) for v in values], 0.0))
    rules, soft = np.concatenate(worst, axis=1)
    cost[allowed] += _WEIGHT_RULE * rules**2 + _WEIGHT_SOFT * soft**2
    return cost


def end_nodes(room: Corridor, end: EndRegion) -> np.ndarray:
    """The corridor's nodes, as its fields are indexed, at which an axis may end."""
    right, anterior, down = room.axes()
    nodes = _station_points(room, right, anterior, down)
    return _allowed(end, end.plate.to_local(nodes.reshape(-1, 3)).reshape(nodes.shape))


def _allowed(end: EndRegion, local: np.ndarray) -> np.ndarray:
    """Whether an axis may end at places (..., 3) in the plate's coordinates."""
    allowed = np.abs(local[..., 2] - end.out_mm) <= 0.6 * STATION_MM + _ROUNDING_MM
    within: np.ndarray = allowed & (end.outside(local) <= _ROUNDING_MM)
    return within


def _trace(
    cost: np.ndarray, first: np.ndarray, last: np.ndarray, bend: np.ndarray, spacing: float, nodes: np.ndarray
) -> tuple[np.ndarray, float]:
    """Viterbi: at every station and cell the cheapest way to arrive, or to begin there; then back from the best end."""
    moves = [(a, r) for a in range(-_STEP_CELLS, _STEP_CELLS + 1) for r in range(-_STEP_CELLS, _STEP_CELLS + 1)]
    stations, height, width = cost.shape
    came = np.full(cost.shape, -1, dtype=np.int16)
    total = np.full(cost.shape, np.inf)
    total[0] = first[0] + cost[0]
    for i in range(1, stations):
        padded = np.pad(total[i - 1], _STEP_CELLS, constant_values=np.inf)
        best, choice = first[i].copy(), np.full((height, width), -1, dtype=np.int16)
        for k, (a, r) in enumerate(moves):
            slope = (r + bend[i - 1, 0]) ** 2 + (a + bend[i - 1, 1]) ** 2
            a0, r0 = _STEP_CELLS - a, _STEP_CELLS - r
            arrive = padded[a0 : a0 + height, r0 : r0 + width] + _WEIGHT_SLOPE * spacing**2 * slope
            better = arrive < best - _TIED
            best[better], choice[better] = arrive[better], k
        total[i], came[i] = best + cost[i], choice
    ends = total + last
    first_best = int(np.argmax(ends <= ends.min() + _TIED))
    i, a, r = (int(n) for n in np.unravel_index(first_best, ends.shape))
    least, path = float(ends[i, a, r]), []
    while True:
        path.append(nodes[i, a, r])
        if came[i, a, r] < 0:
            return np.array(path[::-1]), least
        move = moves[came[i, a, r]]
        i, a, r = i - 1, a - move[0], r - move[1]
