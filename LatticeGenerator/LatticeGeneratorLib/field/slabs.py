"""A grid worked through in slabs, so that memory does not grow with it, and their surfaces made one mesh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isqrt
from typing import Generic, TypeVar

import numpy as np

from ..errors import GeometryError
from .compiled import compiled
from .grid import Grid
from .isosurface import contour

# Measured: with more a slab's surface is too large for memory to be used again for the next one's.
POINTS_AT_ONCE = 300_000
# Each slab makes again what it shares with the next ones: the thinner it is, the more of it.
_FEWEST_STEPS = 2

Left = TypeVar("Left")


@dataclass(frozen=True, eq=False)
class Slab:
    """Rows along x of a grid: those from `row` on of the planes from `plane` on.

    Its last row and its last plane are also the first ones of the slabs that lie beyond them.
    """

    plane: int
    row: int
    grid: Grid

    @property
    def place(self) -> tuple[slice, slice]:
        """Its planes and rows in an array on the whole grid."""
        _, rows, planes = self.grid.shape
        return slice(self.plane, self.plane + planes), slice(self.row, self.row + rows)


def slabs_of(grid: Grid, points_at_once: int = POINTS_AT_ONCE) -> list[Slab]:
    """The slabs that a grid falls into, of about as many points each however large it is: row by row, then upwards."""
    nx, ny, nz = grid.shape
    steps = points_at_once // nx
    rows = _evenly(ny - 1, isqrt(steps))
    planes = _evenly(nz - 1, steps // rows)
    return [
        slab_at(grid, (k, min(k + planes, nz - 1)), (j, min(j + rows, ny - 1)))
        for k in range(0, max(nz - 1, 1), planes)
        for j in range(0, max(ny - 1, 1), rows)
    ]


def slab_at(grid: Grid, planes: tuple[int, int], rows: tuple[int, int]) -> Slab:
    """The planes and of them the rows from the first to the last, both included."""
    k, j = planes[0], rows[0]
    return Slab(k, j, grid.part((0, j, k), (grid.shape[0], rows[1] - j + 1, planes[1] - k + 1)))


def by_slab(steps: np.ndarray, slabs: list[Slab]) -> list[np.ndarray]:
    """Which of the places (n, 3), in steps from a grid's first point, lie in each of its slabs, in their order."""
    # All at once: to look at every place for each slab costs more than all else where slabs are many.
    planes, rows = (np.unique(firsts) for firsts in zip(*((slab.plane, slab.row) for slab in slabs)))
    number = (np.searchsorted(planes, steps[:, 2], "right") - 1) * len(rows)
    number += np.searchsorted(rows, steps[:, 1], "right") - 1
    order = np.argsort(number, kind="stable")
    return np.split(order, np.searchsorted(number[order], np.arange(1, len(slabs))))


def _evenly(steps: int, most: int) -> int:
    """How many of so many steps each part has, of parts nearly alike that have no more than `most`."""
    return max(ceil(steps / ceil(steps / max(most, 1))) if steps else 1, _FEWEST_STEPS)


class Seams(Generic[Left]):
    """What slabs, taken in their order, leave on the planes and rows that they share with later ones."""

    def __init__(self) -> None:
        self._above: dict[int, Left] = {}
        self._beyond: Left | None = None

    def met(self, slab: Slab) -> tuple[Left | None, Left | None]:
        """What was left on a slab's first plane and on its first row; None where these are the grid's own."""
        return self._above.get(slab.row), self._beyond if slab.row else None

    def leave(self, slab: Slab, plane: Left, row: Left) -> None:
        """Remembers what a slab leaves on its last plane and its last row."""
        self._above[slab.row], self._beyond = plane, row


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
    """The surface in one slab by itself. points, faces: as `contour` gives them, faces int32; volume: enclosed, in
    cubes of a grid step."""

    points: np.ndarray
    faces: np.ndarray
    volume: float

    @classmethod
    def of(cls, values: np.ndarray) -> Cut:
        """The zero level of clamped float32 values [k, j, i] on a slab."""
        points, faces = contour(values)
        # Several cuts are held at a time, and a slab has few points.
        return cls(points, faces.astype(np.int32), enclosed(points, faces))


class Stitcher:
    """Makes one surface of those of a grid's slabs, by the vertices on the planes and rows that they share."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._count = 0
        self._seams: Seams[np.ndarray] = Seams()

    def block(self, cut: Cut, slab: Slab) -> Block:
        """The surface in the next slab, cut from values that are the same where slabs meet."""
        points, faces = cut.points, cut.faces
        _, rows, planes = slab.grid.shape
        # Edges across a plane or row end off it: what lies on it lies on edges that both slabs have, in the same order.
        heights, depths = (np.ascontiguousarray(points[:, axis]) for axis in (2, 1))
        shared: list[tuple[np.ndarray, np.ndarray]] = []
        for along, seam in zip((heights, depths), self._seams.met(slab)):
            here = np.flatnonzero(along == 0.0)
            there = np.zeros(0, np.int64) if seam is None else seam
            if len(here) != len(there):
                raise GeometryError(
                    f"the surfaces of two slabs do not meet: {len(there)} and {len(here)} vertices lie between them"
                )
            shared.append((here, there))
        fresh = np.ones(len(points), bool)
        for here, _ in shared:
            fresh[here] = False
        number = np.cumsum(fresh)
        number += self._count - 1
        for here, there in shared:
            number[here] = there
        places = np.compress(fresh, points, axis=0)
        self._count += len(places)
        self._seams.leave(slab, number[heights == planes - 1.0], number[depths == rows - 1.0])
        volume = cut.volume * self._grid.spacing**3
        return Block(places, slab.grid.lower, self._grid.spacing, faces, number, volume)


def enclosed(points: np.ndarray, faces: np.ndarray) -> float:
    """Volume within a surface that is closed but for holes in planes along x, in the cube of the points' unit.

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
