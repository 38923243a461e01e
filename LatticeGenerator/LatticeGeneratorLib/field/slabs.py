"""A grid worked through in slabs, so that memory does not grow with it, and their surfaces made one mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import GeometryError
from .compiled import compiled
from .grid import Grid
from .isosurface import contour

# Measured: with more a slab's surface is too large for memory to be used again for the next one's.
POINTS_AT_ONCE = 300_000
# Each slab makes its last plane again for the next one: where planes are large, more points are taken to have several.
_FEWEST_PLANES, _WANTED_PLANES, _MOST_POINTS = 2, 8, 1_000_000


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
    wanted = min(_WANTED_PLANES, _MOST_POINTS // (nx * ny))
    planes = max(_FEWEST_PLANES, wanted, points_at_once // (nx * ny))
    return [slab_at(grid, first, min(first + planes, nz - 1)) for first in range(0, max(nz - 1, 1), planes)]


def layers_of(slab: Slab) -> list[Slab]:
    """The parts of a slab, its planes counted from its own first, whose surfaces are small enough to hold several."""
    nx, ny, nz = slab.grid.shape
    planes = max(1, POINTS_AT_ONCE // (nx * ny))
    return [slab_at(slab.grid, first, min(first + planes, nz - 1)) for first in range(0, max(nz - 1, 1), planes)]


def slab_at(grid: Grid, first: int, last: int) -> Slab:
    """The planes from first to last, both included."""
    nx, ny, _ = grid.shape
    return Slab(first, grid.part((0, 0, first), (nx, ny, last - first + 1)))


@dataclass(frozen=True, eq=False)
class Block:
    """What a slab adds to a surface: vertices that earlier blocks do not have, and faces.

    steps: (n, 3) float32, the vertices in grid steps from lower (3,) mm; spacing: mm; turn: 4x4 rigid, by which they
    are moved, or None; corners: (m, 3) of faces, whose numbers over all blocks are in `numbers`; volume: mm³ enclosed
    in the slab.
    """

    steps: np.ndarray
    lower: np.ndarray
    spacing: float
    corners: np.ndarray
    numbers: np.ndarray
    volume: float
    turn: np.ndarray | None = None

    @property
    def vertices(self) -> np.ndarray:
        """(n, 3) float64 mm."""
        vertices = np.empty(self.steps.shape)
        self.write(vertices, np.empty((0, 3), np.int64))
        return vertices

    @property
    def faces(self) -> np.ndarray:
        """(m, 3) with corners counted over all blocks."""
        return self.numbers[self.corners]

    def write(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        """Writes both where they are to stand, which spares a copy; no faces where there is no room for them."""
        (compiled(placed) or placed_arrays)(self.steps, self.lower, self.spacing, vertices)
        if self.turn is not None:
            vertices[:] = vertices @ self.turn[:3, :3].T + self.turn[:3, 3]
        if len(faces):
            (compiled(renumbered) or renumbered_arrays)(self.corners, self.numbers, faces)

    def turned(self, matrix: np.ndarray) -> Block:
        """The block moved by a 4x4 rigid matrix."""
        return replace(self, turn=matrix if self.turn is None else matrix @ self.turn)


@dataclass(frozen=True, eq=False)
class Cut:
    """The surface in one slab by itself. points, faces: as `contour` gives them; volume: enclosed, in cubes of a grid
    step."""

    points: np.ndarray
    faces: np.ndarray
    volume: float

    @classmethod
    def of(cls, values: np.ndarray) -> Cut:
        """The zero level of clamped float32 values [k, j, i] on a slab."""
        points, faces = contour(values)
        return cls(points, faces, enclosed(points, faces))


class Stitcher:
    """Makes one surface of those of successive slabs, by the vertices on the planes that they share."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._count = 0
        self._seam = np.zeros(0, np.int64)

    def block(self, cut: Cut, slab: Slab) -> Block:
        """The surface in the next slab, cut from values that are the same on shared planes."""
        points, faces = cut.points, cut.faces
        height = points[:, 2]
        # Points come plane by plane: those of the first lie before all that are a step higher, those of the last at
        # the end. Edges along k end off the planes: what lies on a plane lies on edges that both slabs have, in order.
        first = int(np.searchsorted(height, 1.0))
        shared = np.flatnonzero(height[:first] == 0.0)
        if len(shared) != len(self._seam):
            raise GeometryError(
                f"the surfaces of two slabs do not meet: {len(self._seam)} and {len(shared)} vertices lie between them"
            )
        number = np.arange(self._count - len(shared), self._count - len(shared) + len(points))
        places = points
        if len(shared):
            fresh = np.ones(first, bool)
            fresh[shared] = False
            number[:first] = np.cumsum(fresh) + (self._count - 1)
            number[shared] = self._seam
            places = np.concatenate([points[:first][fresh], points[first:]])
        self._seam = number[int(np.searchsorted(height, slab.grid.shape[2] - 1.0)) :].copy()
        self._count += len(places)
        volume = cut.volume * self._grid.spacing**3
        return Block(places, slab.grid.lower, self._grid.spacing, faces, number, volume)


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


def placed(steps: np.ndarray, lower: np.ndarray, spacing: float, vertices: np.ndarray) -> None:
    """Writes places, given in steps of a grid, in mm; a loop for `compiled`."""
    for n in range(steps.shape[0]):
        for axis in range(3):
            vertices[n, axis] = lower[axis] + spacing * np.float64(steps[n, axis])


def placed_arrays(steps: np.ndarray, lower: np.ndarray, spacing: float, vertices: np.ndarray) -> None:
    """As `placed`, as array operations."""
    np.multiply(steps, spacing, out=vertices)
    vertices += lower


def renumbered(corners: np.ndarray, numbers: np.ndarray, faces: np.ndarray) -> None:
    """Writes faces whose corners are counted anew; a loop for `compiled`."""
    for n in range(corners.shape[0]):
        for corner in range(3):
            faces[n, corner] = numbers[corners[n, corner]]


def renumbered_arrays(corners: np.ndarray, numbers: np.ndarray, faces: np.ndarray) -> None:
    """As `renumbered`, as an array operation. All numbers are in range; a mode that checks them needs a buffer."""
    np.take(numbers, corners, out=faces, mode="clip")
