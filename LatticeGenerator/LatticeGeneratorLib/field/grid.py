"""The regular grid that fields are sampled on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError


@dataclass(frozen=True, eq=False)
class Grid:
    """An axis-aligned RAS grid: point (i, j, k) lies at origin + spacing · (i, j, k).

    origin: (3,) mm; spacing: mm, the same along all axes; shape: points (nx, ny, nz). Arrays on the grid are indexed
    [k, j, i], so their shape is `array_shape`.
    """

    origin: np.ndarray
    spacing: float
    shape: tuple[int, int, int]

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

    @property
    def upper(self) -> np.ndarray:
        """(3,) mm: the last grid point."""
        return self.origin + self.spacing * (np.array(self.shape) - 1)

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates in mm along x, y and z: (nx,), (ny,), (nz,)."""
        x, y, z = (start + self.spacing * np.arange(n) for start, n in zip(self.origin, self.shape))
        return x, y, z

    def points(self) -> np.ndarray:
        """(n, 3) mm: every grid point, in the order of a raveled [k, j, i] array."""
        x, y, z = self.axes()
        k, j, i = np.meshgrid(z, y, x, indexing="ij")
        return np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1)

    def planes(self, part: slice) -> Grid:
        """The grid of some of its planes, part.start to part.stop along z."""
        origin = self.origin + self.spacing * part.start * np.array([0.0, 0.0, 1.0])
        return Grid(origin, self.spacing, (*self.shape[:2], part.stop - part.start))

    def indices(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) fractional (i, j, k) of (n, 3) points in mm."""
        return (np.asarray(points, float) - self.origin) / self.spacing
