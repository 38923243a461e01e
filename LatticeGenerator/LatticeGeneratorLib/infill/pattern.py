"""A cell repeated through space, with what is solid beside it, as a field in millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..cells import Cell
from ..errors import GeometryError
from ..field.grid import Grid
from .graded import Porosities
from .places import Places
from .solids import Solids

_POINTS_AT_ONCE = 200_000  # a float32 array of them stays in a core's own cache


@dataclass(frozen=True, eq=False)
class Pattern:
    """A cell, where its copies lie, how porous they are (None: alike everywhere) and what is solid beside them.

    A level is one of the cell's values; where porosity varies, it is how far the values are above those of the wanted
    porosity.
    """

    cell: Cell
    places: Places
    porosities: Porosities | None = None
    solids: Solids | None = None

    def cut(self, domain: np.ndarray, grid: Grid, level: float) -> np.ndarray:
        """[k, j, i] float32 mm: the metal of that level inside a domain, given by distances on the grid; negative
        inside, near a distance where it is small."""
        result = np.empty(domain.shape, np.float32)
        for part, metal in self._parts(grid, level):
            border = domain[part] if self.solids is None else self.solids.border(domain[part], grid.planes(part))
            np.maximum(metal, border, out=result[part])
        return result

    def shares(self, domain: np.ndarray, grid: Grid, level: float) -> np.ndarray:
        """[k, j, i] float32: how much of each point's own cube is metal, 0 to 1, by how deep it lies in both metal and
        domain."""
        result = np.empty(domain.shape, np.float32)
        half, steps = np.float32(0.5), np.float32(1.0 / grid.spacing)
        for part, metal in self._parts(grid, level):
            for depth, share in ((metal, metal), (domain[part], result[part])):
                np.multiply(depth, -steps, out=share)
                share += half
                np.clip(share, 0.0, 1.0, out=share)
            result[part] *= metal
        return result

    def values(self, points: np.ndarray) -> np.ndarray:
        """(n,) the levels from which on (n, 3) points, mm, are metal of the lattice."""
        x, y, z, _ = self.places.at(points)
        values = self.cell.field(x, y, z)[0]
        return values if self.porosities is None else values - self.porosities.levels(self.porosities.at(points))

    def free(self, points: np.ndarray) -> np.ndarray:
        """(m, 3): those of (n, 3) points, mm, that are the lattice's. Raises GeometryError where none is."""
        free = points if self.solids is None else points[~self.solids.taken(points)]
        if not len(free):
            raise GeometryError("skin and frame leave nothing to fill: make them thinner, or fill a larger region")
        return free

    def _parts(self, grid: Grid, level: float) -> Iterator[tuple[slice, np.ndarray]]:
        """Planes of the grid and the metal of that level there, mm, without a domain."""
        nx, ny, nz = grid.shape
        step = max(1, _POINTS_AT_ONCE // (nx * ny))
        for k in range(0, nz, step):
            part = slice(k, min(k + step, nz))
            yield part, self._metal(grid.planes(part), level)

    def _metal(self, grid: Grid, level: float) -> np.ndarray:
        x, y, z, cell_mm = self.places.on(grid)
        metal, slope = self.cell.field(x, y, z)
        metal -= np.float32(level)
        if self.porosities is not None:
            metal -= self.porosities.levels(self.porosities.on(grid))
        metal *= np.float32(cell_mm) if isinstance(cell_mm, float) else cell_mm
        metal /= slope
        return metal if self.solids is None else self.solids.joined(metal, grid)
