"""Where a lattice may be, as distances to the border of its domain, slab by slab."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from ..field.ahead import ahead
from ..field.distance import Distances
from ..field.grid import Grid
from ..field.isosurface import bounded, clamp, contour, least_value
from ..field.kept import Kept
from ..field.near_border import NearBorder
from ..field.slabs import Slab, enclosed, slabs_of
from ..mesh.mesh import Mesh
from .hollow import BAND_STEPS, draw_back, is_hollow

# A surface passes between neighbours only, so that no distance beyond one grid step is ever looked at.
_BAND_STEPS = 1.01
# What lies deeper is as deep as any lattice: it must not hide how deep in its metal a point lies.
_DEEP_STEPS = 8.0
# Bodies are mostly a whole number of steps long: neither end then lies on a plane.
_ASIDE_STEPS = 0.382
# One to two kilobytes for a square millimetre of border: of all but the largest domains every slab is kept.
_KEPT_BYTES = 8_000_000


class DomainField(Protocol):
    """A domain on a grid whose border lies outside it."""

    @property
    def grid(self) -> Grid:
        """The grid."""

    @property
    def volume(self) -> float:
        """mm³ of the domain."""

    def on(self, slab: Slab) -> np.ndarray:
        """[k, j, i] float32 mm, not to be changed: distance to the border, negative inside, exact within a step."""


class MeshDomain:
    """The inside of a closed mesh, drawn back where it is hollow so far that no face between grid points leaves it."""

    def __init__(self, mesh: Mesh, spacing: float) -> None:
        low, high = mesh.bounds
        # Faces along the axes are not to lie on the grid's planes, where rounding alone says which side a point is on.
        self.grid = Grid.around(low - _ASIDE_STEPS * spacing, high, spacing)
        self.volume = mesh.volume
        with ThreadPoolExecutor(1) as beside:
            hollow = beside.submit(is_hollow, mesh, spacing)
            self._distances = Distances(mesh).ready(spacing)
            self._hollow = hollow.result()
        # Distances cost more than anything else that is done to a slab, but memory is not to grow with the domain.
        self._kept: Kept[NearBorder] = Kept(_KEPT_BYTES)

    def on(self, slab: Slab) -> np.ndarray:
        """As `DomainField`."""
        name = slab.plane, slab.row, slab.grid.shape
        return self._kept.get(name, lambda: NearBorder.of(self._made(slab.grid))).values()

    def _made(self, grid: Grid) -> np.ndarray:
        if not self._hollow:
            return self._deepened(self._distances.signed(grid, _BAND_STEPS * grid.spacing), _BAND_STEPS)
        # What is drawn back on a row hangs on the rows beside it too: slabs must agree on those they share.
        nx, ny, nz = grid.shape
        wide = grid.part((0, -1, -1), (nx, ny + 2, nz + 2))
        values = self._distances.signed(wide, BAND_STEPS * grid.spacing)
        draw_back(values, wide, self._distances.border(wide))
        return self._deepened(np.ascontiguousarray(values[1:-1, 1:-1]), BAND_STEPS)

    def _deepened(self, values: np.ndarray, band_steps: float) -> np.ndarray:
        spacing = self.grid.spacing
        # Far from the origin single precision moves what lies nearer to the border away from it: not outwards.
        np.copyto(values, np.float32(0.0), where=(values < 0.0) & (values > np.float32(-least_value(self.grid))))
        np.copyto(values, np.float32(-_DEEP_STEPS * spacing), where=values <= np.float32(-band_steps * spacing))
        return values


class FieldDomain:
    """The inside of a field: values [k, j, i] mm on a grid, negative inside, distances at least within 2 steps of the
    zero level. Raises GeometryError if it has no inside."""

    def __init__(self, values: np.ndarray, grid: Grid) -> None:
        self._values, self.grid = bounded(values, grid)
        self._first = np.rint(grid.indices(self.grid.lower)).astype(int)
        self.volume = sum(ahead(self._volume_in, slabs_of(self.grid))) * self.grid.spacing**3

    def on(self, slab: Slab) -> np.ndarray:
        """As `DomainField`."""
        return self._values[slab.place]

    def _volume_in(self, slab: Slab) -> float:
        part = self.on(slab).copy()
        clamp(part, least_value(self.grid))
        return enclosed(*contour(part))

    def cropped(self, values: np.ndarray) -> np.ndarray:
        """Other values on the grid the field was given on, on its own; its border has the nearest ones."""
        axes = [
            np.clip(np.arange(n) + first, 0, size - 1)
            for n, first, size in zip(self._values.shape, self._first[::-1], values.shape)
        ]
        return values[np.ix_(*axes)]
