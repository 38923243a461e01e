"""A grid worked through in slabs, so that memory does not grow with it, and their surfaces made one mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from .compiled import compiled
from .grid import Grid
from .isosurface import contour

POINTS_AT_ONCE = 400_000  # 12 MB for each float32 array on a slab
_FEWEST_PLANES = 8


@dataclass(frozen=True, eq=False)
class Slab:
    """Planes of a grid, counted from `first`; the last one is the next slab's first."""

    first: int
    grid: Grid

    @property
    def planes(self) -> slice:
        """Its planes in an array on the whole grid."""
        return slice(self.first, self.first + self.grid.shape[2])


def slabs_of(grid: Grid, points_at_once: int = POINTS_AT_ONCE) -> list[Slab]:
    """The slabs that a grid falls into, of about as many points each."""
    nx, ny, nz = grid.shape
    planes = max(_FEWEST_PLANES, points_at_once // (nx * ny))
    return [slab_at(grid, first, min(first + planes, nz - 1)) for first in range(0, max(nz - 1, 1), planes)]


def slab_at(grid: Grid, first: int, last: int) -> Slab:
    """The planes from first to last, both included."""
    nx, ny, _ = grid.shape
    return Slab(first, grid.part((0, 0, first), (nx, ny, last - first + 1)))


@dataclass(frozen=True, eq=False)
class Block:
    """What a slab adds to a surface: vertices (n, 3) float64 mm that earlier blocks do not have; faces (m, 3), whose
    corners are counted over all blocks; volume: mm³ enclosed in the slab."""

    vertices: np.ndarray
    faces: np.ndarray
    volume: float

    def turned(self, matrix: np.ndarray) -> Block:
        """The block moved by a 4x4 rigid matrix."""
        return Block(self.vertices @ matrix[:3, :3].T + matrix[:3, 3], self.faces, self.volume)


class Stitcher:
    """Makes one surface of those of successive slabs, by the vertices on the planes that they share."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._count = 0
        self._seam = np.zeros(0, np.int64)

    def block(self, values: np.ndarray, slab: Slab) -> Block:
        """The surface in the next slab. values: float32 [k, j, i] mm on it, clamped, the same on shared planes."""
        points, faces = contour(values)
        # Edges along k end off the planes: what lies on a plane lies on edges that both slabs have, in one order.
        shared = np.flatnonzero(points[:, 2] == 0.0)
        if len(shared) != len(self._seam):
            raise GeometryError(
                f"the surfaces of two slabs do not meet: {len(self._seam)} and {len(shared)} vertices lie between them"
            )
        fresh = np.ones(len(points), bool)
        fresh[shared] = False
        number = np.cumsum(fresh) + (self._count - 1)
        number[shared] = self._seam
        self._seam = number[points[:, 2] == np.float32(values.shape[0] - 1)]
        volume = enclosed(points, faces) * self._grid.spacing**3
        places = points if len(shared) == 0 else points[fresh]
        vertices = places.astype(np.float64)
        vertices *= self._grid.spacing
        vertices += slab.grid.lower
        self._count += len(places)
        return Block(vertices, number[faces], volume)


def enclosed(points: np.ndarray, faces: np.ndarray) -> float:
    """Volume within a surface that is closed but for holes in planes k = constant, in the cube of the points' unit.

    The flux of the field (x, 0, 0), to which such planes add nothing.
    """
    if not len(faces):
        return 0.0
    middle = np.float32(0.5) * (points[:, 0].min() + points[:, 0].max())
    return float((compiled(flux) or flux_arrays)(points, faces, middle))


def flux(points: np.ndarray, faces: np.ndarray, middle: float) -> float:
    """The flux of (x - middle, 0, 0) out of a surface; a loop for `compiled`."""
    total = 0.0
    for n in range(faces.shape[0]):
        a, b, c = points[faces[n, 0]], points[faces[n, 1]], points[faces[n, 2]]
        area = (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])
        total += area * (a[0] + b[0] + c[0] - 3.0 * middle)
    return total / 6.0


def flux_arrays(points: np.ndarray, faces: np.ndarray, middle: float) -> float:
    """As `flux`, as array operations."""
    x, y, z = (np.ascontiguousarray(axis) for axis in points.T)
    x -= np.float32(middle)
    a, b, c = (np.ascontiguousarray(corner) for corner in faces.T)
    ya, za = y[a], z[a]
    area = (y[b] - ya) * (z[c] - za)
    area -= (z[b] - za) * (y[c] - ya)
    reach = x[a]
    reach += x[b]
    reach += x[c]
    area *= reach
    return float(area.sum(dtype=np.float64)) / 6.0
