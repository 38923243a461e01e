"""A cell repeated through space, as a field in millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..cells import Cell
from ..field.grid import Grid

_POINTS_AT_ONCE = 200_000  # a float32 array of them stays in a core's own cache


@dataclass(frozen=True, eq=False)
class Pattern:
    """A cell of length cell_mm, counted from origin (3,) mm."""

    cell: Cell
    cell_mm: float
    origin: np.ndarray

    def cut(self, domain: np.ndarray, grid: Grid, level: float) -> np.ndarray:
        """[k, j, i] float32 mm: the metal of that level inside a domain, given by distances on the grid; negative
        inside, near a distance where it is small."""
        result = np.empty(domain.shape, np.float32)
        for part, metal in self._parts(grid, level):
            np.maximum(metal, domain[part], out=result[part])
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
        """(n,) the cell's values at (n, 3) points, mm."""
        x, y, z = ((points - self.origin) / self.cell_mm).astype(np.float32).T
        return self.cell.field(x, y, z)[0]

    def _parts(self, grid: Grid, level: float) -> Iterator[tuple[slice, np.ndarray]]:
        """Planes of the grid and the metal of that level there, mm, without a domain."""
        x, y, z = (((axis - start) / self.cell_mm).astype(np.float32) for axis, start in zip(grid.axes(), self.origin))
        step = max(1, _POINTS_AT_ONCE // (len(x) * len(y)))
        for k in range(0, len(z), step):
            part = slice(k, min(k + step, len(z)))
            value, slope = self.cell.field(x[None, None, :], y[None, :, None], z[part, None, None])
            value -= np.float32(level)
            value *= np.float32(self.cell_mm)
            value /= slope
            yield part, value
