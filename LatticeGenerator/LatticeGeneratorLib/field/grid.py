"""The regular grid that fields are sampled on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError


@dataclass(frozen=True, eq=False)
class Grid:
    """An axis-aligned RAS grid: point (i, j, k) lies at origin + spacing · (start + (i, j, k)).

    origin: (3,) mm; spacing: mm, the same along all axes; shape: points (nx, ny, nz); start: what is counted from,
    other than 0 for a part of another grid, so that both give the same numbers at the same places. Arrays on the grid
    are indexed [k, j, i], so their shape is `array_shape`.
    """

    origin: np.ndarray
    spacing: float
    shape: tuple[int, int, int]
    start: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", np.asarray(self.origin, dtype=np.float64).reshape(3))
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        if not self.spacing > 0.0 or min(self.shape) < 1:
            raise GeometryError(f"a grid needs spacing and points, not {self.spacing} mm and {self.shape} points")

    @classmethod
    def around(cls, lo: np.ndarray, hi: np.ndarray, spacing: float, pad: int = 2) -> Grid:
        """The grid that covers the box from lo to hi, each (3,) mm, with `pad` points beyond it on every side."""
        lo, hi = np.asarray(lo, float), np.asarray(hi, float)
        origin = lo - pad * spacing
        nx, ny, nz = np.ceil((hi - lo) / spacing - 1e-9).astype(int) + 1 + 2 * pad
        return cls(origin, float(spacing), (int(nx), int(ny), int(nz)))

    @property
    def array_shape(self) -> tuple[int, int, int]:
        """(nz, ny, nx): the shape of arrays on this grid."""
        return self.shape[2], self.shape[1], self.shape[0]

    def part(self, start: tuple[int, int, int], shape: tuple[int, int, int]) -> Grid:
        """The grid's points from (i, j, k) = start on, which may lie beyond its border."""
        i, j, k = (a + b for a, b in zip(self.start, start))
        return Grid(self.origin, self.spacing, shape, (i, j, k))

    @property
    def lower(self) -> np.ndarray:
        """(3,) mm: the first grid point."""
        return self.origin + self.spacing * np.array(self.start)

    @property
    def upper(self) -> np.ndarray:
        """(3,) mm: the last grid point."""
        return self.origin + self.spacing * (np.array(self.start) + np.array(self.shape) - 1)

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates in mm along x, y and z: (nx,), (ny,), (nz,)."""
        x, y, z = (
            low + self.spacing * np.arange(first, first + n)
            for low, first, n in zip(self.origin, self.start, self.shape)
        )
        return x, y, z

    def points(self) -> np.ndarray:
        """(n, 3) mm: every grid point, in the order of a raveled [k, j, i] array."""
        x, y, z = self.axes()
        k, j, i = np.meshgrid(z, y, x, indexing="ij")
        return np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1)

    def planes(self, part: slice) -> Grid:
        """The grid of some of its planes, part.start to part.stop along z."""
        return self.part((0, 0, part.start), (*self.shape[:2], part.stop - part.start))

    def indices(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) fractional (i, j, k) of (n, 3) points in mm."""
        return (np.asarray(points, float) - self.origin) / self.spacing - np.array(self.start)
