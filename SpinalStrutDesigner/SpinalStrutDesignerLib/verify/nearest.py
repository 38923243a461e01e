"""The least distance from a body to structures, found without evaluating every point of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh

from .raster import interior_points

Distance = Callable[[np.ndarray], np.ndarray]

_CELL_MM = 4.0
# A sampled distance may change a little faster than the way walked; cells are discarded only beyond this slack.
_SLACK_MM = 0.5
# Large triangles are sampled at this spacing. A structure of radius r is missed by at most spacing² / (6 r).
SURFACE_STEP_MM = 0.4
INTERIOR_STEP_MM = 0.5


@dataclass(frozen=True)
class Nearest:
    """The least value of a distance over a body, and where: RAS mm."""

    distance_mm: float
    point: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Samples:
    """Points of a body in cells of a few millimetres. points: (n, 3) RAS."""

    points: np.ndarray

    @cached_property
    def _cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Point order by cell, first point and count of each cell, cell centres, and their reach."""
        cell = np.floor((self.points - self.points.min(axis=0)) / _CELL_MM).astype(np.int64)
        size = cell.max(axis=0) + 1
        key = (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]
        order = np.argsort(key, kind="stable")
        _, first, count = np.unique(key[order], return_index=True, return_counts=True)
        low = np.minimum.reduceat(self.points[order], first, axis=0)
        high = np.maximum.reduceat(self.points[order], first, axis=0)
        return order, first, count, 0.5 * (low + high), 0.5 * np.linalg.norm(high - low, axis=1)

    def least(self, distance: Distance) -> Nearest:
        """The least distance over the points; exact for a function that changes no faster than the way walked."""
        order, first, count, centres, reach = self._cells
        middle = distance(centres)
        bound = float((middle + reach).min())
        chosen = np.flatnonzero(middle - reach <= bound + _SLACK_MM)
        index = order[_ranges(first[chosen], count[chosen])]
        values = distance(self.points[index])
        best = int(np.argmin(values))
        x, y, z = (float(v) for v in self.points[index[best]])
        return Nearest(float(values[best]), (x, y, z))

    def below(self, distance: Distance, limit: float) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the points with a distance under the limit, and their distances."""
        order, first, count, centres, reach = self._cells
        chosen = np.flatnonzero(distance(centres) - reach <= limit + _SLACK_MM)
        index = order[_ranges(first[chosen], count[chosen])]
        values = distance(self.points[index])
        return index[values < limit], values[values < limit]


def body_samples(mesh: Mesh) -> Samples:
    """Points on the surface and in the inside of a closed mesh: what it touches and what it swallows."""
    return Samples(np.concatenate([surface_points(mesh, SURFACE_STEP_MM), interior_points(mesh, INTERIOR_STEP_MM)]))


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


def _ranges(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Concatenated ranges first..first+count."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
