"""The least distance from a body to structures, found without evaluating every point of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .mesh import Mesh

Distance = Callable[[np.ndarray], np.ndarray]

_CELL_MM, _CELLS = 1.0, 4
# A sampled distance may change a little faster than the way walked; cells are discarded only beyond this slack.
_SLACK_MM = 0.5
# Distances to structures farther off than about 25 mm are lower bounds and may jump: cells do not tell of such points.
_STEADY_MM = 24.0
# Large triangles are sampled at this spacing. A structure of radius r is missed by at most spacing² / (6 r).
SURFACE_STEP_MM = 0.4
INTERIOR_STEP_MM = 0.5


@dataclass(frozen=True)
class Nearest:
    """The least value of a distance over a body, and where: RAS mm."""

    distance_mm: float
    point: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Boxes that hold points: first and count of what each holds, in order; centres (n, 3) RAS mm; reach (n,) mm to the
    farthest corner."""

    first: np.ndarray
    count: np.ndarray
    centres: np.ndarray
    reach: np.ndarray

    @classmethod
    def around(cls, key: np.ndarray, low: np.ndarray, high: np.ndarray) -> _Cells:
        """A cell for every run of one key: (n,) over boxes low to high, (n, 3) each."""
        first = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
        low, high = np.minimum.reduceat(low, first, axis=0), np.maximum.reduceat(high, first, axis=0)
        count = np.diff(first, append=len(key))
        return cls(first, count, 0.5 * (low + high), 0.5 * np.linalg.norm(high - low, axis=1))


@dataclass(frozen=True, eq=False)
class Samples:
    """Points of a body in cells of a millimetre, those in cells of four. points: (n, 3) RAS."""

    points: np.ndarray

    @cached_property
    def _cells(self) -> tuple[np.ndarray, _Cells, _Cells]:
        """The points' order, small cells of points in that order, and large cells of small ones."""
        small = np.floor((self.points - self.points.min(axis=0)) / _CELL_MM).astype(np.int64)
        large = _key(small // _CELLS)
        key = large * _CELLS**3 + _key(small % _CELLS, np.full(3, _CELLS))
        order = np.argsort(key, kind="stable")
        points, key = self.points[order], key[order]
        cells = _Cells.around(key, points, points)
        low, high = (side.reduceat(points, cells.first, axis=0) for side in (np.minimum, np.maximum))
        return order, cells, _Cells.around(key[cells.first] // _CELLS**3, low, high)

    def _where(self, distance: Distance, limit: Callable[[np.ndarray], float]) -> np.ndarray:
        """Indices of the points in cells that may hold a distance under the limit; limit: from what the distance in
        each cell is at most."""
        order, small, large = self._cells
        chosen = np.arange(len(large.first))
        for cells in (large, small):
            middle, reach = distance(cells.centres[chosen]), cells.reach[chosen]
            most = limit(middle + reach)
            if cells is large or most < _STEADY_MM:
                chosen = chosen[middle - reach <= most + _SLACK_MM]
            chosen = _ranges(cells.first[chosen], cells.count[chosen])
        return order[chosen]

    def least(self, distance: Distance) -> Nearest:
        """The least distance over the points; exact for a function that changes no faster than the way walked."""
        index = self._where(distance, lambda most: float(most.min()))
        values = distance(self.points[index])
        best = int(np.argmin(values))
        x, y, z = (float(v) for v in self.points[index[best]])
        return Nearest(float(values[best]), (x, y, z))

    def below(self, distance: Distance, limit: float) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the points with a distance under the limit, and their distances."""
        index = self._where(distance, lambda most: limit)
        values = distance(self.points[index])
        return index[values < limit], values[values < limit]


def body_samples(mesh: Mesh, inside: np.ndarray) -> Samples:
    """Points on the surface of a closed mesh and those inside it, (n, 3) RAS: what it touches and what it swallows."""
    return Samples(np.concatenate([surface_points(mesh, SURFACE_STEP_MM), inside]))


def surface_points(mesh: Mesh, step_mm: float) -> np.ndarray:
    """All vertices, and points at most step_mm apart on every triangle that is larger than that."""
    corners = mesh.triangles
    edges = corners - np.roll(corners, 1, axis=1)
    longest = np.sqrt(np.einsum("ijk,ijk->ij", edges, edges).max(axis=1))
    parts = np.ceil(longest / step_mm).astype(int)
    points = [mesh.vertices]
    for n in np.unique(parts[parts > 1]):
        i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        keep = i + j <= n
        weights = np.column_stack([i[keep], j[keep], n - i[keep] - j[keep]]) / n
        points.append(np.einsum("wc,tcx->twx", weights, corners[parts == n]).reshape(-1, 3))
    return np.concatenate(points)


def spread(mesh: Mesh, step_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) points of the surface about step_mm apart, and the unit normals (n, 3) of the triangles they lie on."""
    a, b, c = mesh.triangles.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    area = 0.5 * np.linalg.norm(normal, axis=1)
    kept = area > 1e-9
    a, b, c, normal, area = a[kept], b[kept], c[kept], normal[kept], area[kept]
    normal /= 2.0 * area[:, None]
    number = np.maximum(np.ceil(4.0 * area / step_mm**2), 1).astype(int)
    face = np.repeat(np.arange(len(area)), number)
    order = np.arange(len(face)) - np.repeat(np.cumsum(number) - number, number)
    # A sequence that fills the unit square evenly (Roberts, R2), the same for every triangle.
    u, v = ((0.5 + (order + 1) * step) % 1.0 for step in (0.7548776662466927, 0.5698402909980532))
    u, v = np.where(u + v > 1.0, 1.0 - u, u), np.where(u + v > 1.0, 1.0 - v, v)
    points = a[face] + u[:, None] * (b - a)[face] + v[:, None] * (c - a)[face]
    first = first_in_cells(points, step_mm)
    return points[first], normal[face[first]]


def first_in_cells(points: np.ndarray, cell_mm: float) -> np.ndarray:
    """(m,) ascending: of the points (n, 3) in each cell the first."""
    cells = np.floor(points / cell_mm).astype(np.int64)
    _, first = np.unique(_key(cells - cells.min(axis=0, initial=0)), return_index=True)
    return np.sort(first)


def _key(cell: np.ndarray, size: np.ndarray | None = None) -> np.ndarray:
    """(n,) a number for every cell of integers (n, 3)."""
    size = cell.max(axis=0, initial=0) + 1 if size is None else size
    return (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]


def _ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Concatenated ranges first..first+count."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
