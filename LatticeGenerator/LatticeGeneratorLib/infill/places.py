"""Where in the cells of a lattice the places of space are: evenly repeated, growing along something, or bent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import GeometryError
from ..field.distance import inside
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from .along import Ramp, Share

# How far, as a share, a cell may be longer or shorter than asked for because its neighbours are: beyond it the laws of
# the cell, which hold for cubes, no longer say how thick its struts are. Measured: see test_lattice_grading.py.
MOST_DISTORTION = 0.30
_TRIED = 40  # places along the longest edge of a domain at which distortion is looked at

InCells = tuple[np.ndarray, np.ndarray, np.ndarray, "np.ndarray | float"]
"""x, y, z float32 in cells, in shapes that broadcast, and mm a cell."""


class Places(Protocol):
    """A way from mm to cells."""

    def on(self, grid: Grid) -> InCells:
        """The points of a grid [k, j, i]."""

    def at(self, points: np.ndarray) -> InCells:
        """(n, 3) points, mm."""


@dataclass(frozen=True, eq=False)
class Regular:
    """Cells of one size, mm, counted from origin (3,) mm."""

    cell_mm: float
    origin: np.ndarray

    def on(self, grid: Grid) -> InCells:
        """As `Places`."""
        x, y, z = (((axis - start) / self.cell_mm).astype(np.float32) for axis, start in zip(grid.axes(), self.origin))
        return x[None, None, :], y[None, :, None], z[:, None, None], self.cell_mm

    def at(self, points: np.ndarray) -> InCells:
        """As `Places`."""
        x, y, z = ((points - self.origin) / self.cell_mm).astype(np.float32).T
        return x, y, z, self.cell_mm


@dataclass(frozen=True, eq=False)
class Growing:
    """Cells whose number a mm goes evenly from 1 / start_mm to 1 / end_mm along a ramp, counted from origin (3,) mm.

    Along the ramp they are counted one by one, so that each is as long as it should be; across it they stay in line
    round the axis through the origin, and lean the more the further from it.
    """

    origin: np.ndarray
    ramp: Ramp
    start_mm: float
    end_mm: float

    def on(self, grid: Grid) -> InCells:
        """As `Places`."""
        x, y, z = (
            (axis - start).astype(np.float32).reshape(shape)
            for axis, start, shape in zip(grid.axes(), self.origin, ((1, 1, -1), (1, -1, 1), (-1, 1, 1)))
        )
        return self._of(x, y, z, self.ramp.along(*grid.axes()))

    def at(self, points: np.ndarray) -> InCells:
        """As `Places`."""
        x, y, z = (points - self.origin).astype(np.float32).T
        return self._of(x, y, z, ((points - self.ramp.start) @ self.ramp.direction).astype(np.float32))

    def distortion(self, points: np.ndarray) -> np.ndarray:
        """(n,) by what share of its length a cell at each of (n, 3) points leans over its neighbour."""
        along = (points - self.ramp.start) @ self.ramp.direction
        across = points - self.origin - np.outer((points - self.origin) @ self.ramp.direction, self.ramp.direction)
        share = self.ramp.of(along)
        dense = 1.0 / self.start_mm + (1.0 / self.end_mm - 1.0 / self.start_mm) * share
        change = abs(1.0 / self.end_mm - 1.0 / self.start_mm) / self.ramp.length
        changing = (along > 0.0) & (along < self.ramp.length)
        return np.where(changing, np.linalg.norm(across, axis=1) * change / dense, 0.0)

    def _of(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, along: np.ndarray) -> InCells:
        dense, counted = self._counted(along)
        middle = float((self.origin - self.ramp.start) @ self.ramp.direction)
        counted = counted - self._counted(np.array(middle))[1]
        # What is counted along the ramp replaces what the size at the place alone would say.
        extra = (counted - (along - middle) * dense).astype(np.float32)
        dense = dense.astype(np.float32)
        i, j, k = (float(part) for part in self.ramp.direction)
        return (
            x * dense + np.float32(i) * extra,
            y * dense + np.float32(j) * extra,
            z * dense + np.float32(k) * extra,
            1.0 / dense,
        )

    def _counted(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells a mm so far along, and how many there are from the ramp's start up to there."""
        along = along.astype(np.float64)
        length, first, more = self.ramp.length, 1.0 / self.start_mm, 1.0 / self.end_mm - 1.0 / self.start_mm
        share = np.clip(along / length, 0.0, 1.0)
        # The integral of the share: half its square within the ramp, and one to one beyond.
        counted = first * along + more * (0.5 * length * share**2 + np.maximum(along - length, 0.0))
        return first + more * share, counted


@dataclass(frozen=True, eq=False)
class Scaled:
    """Cells whose number a mm goes evenly from 1 / start_mm to 1 / end_mm with a share, counted from origin (3,) mm.

    A place is as many cells from the origin as its own size of cell says; where that changes far from the origin, the
    cells are distorted.
    """

    origin: np.ndarray
    share: Share
    start_mm: float
    end_mm: float

    def on(self, grid: Grid) -> InCells:
        """As `Places`."""
        x, y, z = (
            (axis - start).astype(np.float32).reshape(shape)
            for axis, start, shape in zip(grid.axes(), self.origin, ((1, 1, -1), (1, -1, 1), (-1, 1, 1)))
        )
        return self._of(x, y, z, self.share.on(grid))

    def at(self, points: np.ndarray) -> InCells:
        """As `Places`."""
        x, y, z = (points - self.origin).astype(np.float32).T
        return self._of(x, y, z, self.share.at(points).astype(np.float32))

    def distortion(self, points: np.ndarray) -> np.ndarray:
        """(n,) by what share a cell at each of (n, 3) points is longer or shorter than it should be: |x| |∇L| / L."""
        step = 0.25
        change = [self._dense(points + move) - self._dense(points - move) for move in 0.5 * step * np.eye(3)]
        slope = np.linalg.norm(change, axis=0) / step
        return np.linalg.norm(points - self.origin, axis=1) * slope / self._dense(points)

    def _dense(self, points: np.ndarray) -> np.ndarray:
        return 1.0 / self.start_mm + (1.0 / self.end_mm - 1.0 / self.start_mm) * self.share.at(points)

    def _of(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, share: np.ndarray) -> InCells:
        dense = share * np.float32(1.0 / self.end_mm - 1.0 / self.start_mm) + np.float32(1.0 / self.start_mm)
        return x * dense, y * dense, z * dense, 1.0 / dense


def growing(domain: Mesh, origin: np.ndarray, share: Share, start_mm: float, end_mm: float) -> Places:
    """Cells that go from one size to another over a closed domain. Raises GeometryError if they are distorted beyond
    MOST_DISTORTION."""
    if abs(start_mm - end_mm) < 1e-9:
        return Regular(start_mm, origin)
    kind = Growing if isinstance(share, Ramp) else Scaled
    places = kind(origin, share, start_mm, end_mm)  # type: ignore[arg-type]
    low, high = domain.bounds
    grid = Grid.around(low, high, float((high - low).max()) / _TRIED)
    most = float(places.distortion(grid.points()[inside(domain, grid).reshape(-1)]).max(initial=0.0))
    if most > MOST_DISTORTION:
        raise GeometryError(
            f"cells that go from {start_mm:.2f} to {end_mm:.2f} mm so fast would be distorted by {100 * most:.0f} %, "
            f"more than {100 * MOST_DISTORTION:.0f} %: let them change over a longer way or less, or keep one size of "
            "cell and change the porosity"
        )
    return places
