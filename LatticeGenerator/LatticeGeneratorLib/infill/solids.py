"""What of a region is solid beside its lattice, as fields: layers under its faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..field.combine import smooth_union
from ..field.grid import Grid
from ..field.isosurface import clamp, contour, least_value
from ..field.sampled import Sampled
from ..field.slabs import Stitcher, enclosed, slabs_of
from ..mesh.mesh import Mesh
from .collect import Collected
from .domain_field import DomainField

Field = Callable[[Grid], np.ndarray]
"""Of a grid [k, j, i] float32 mm: negative inside."""

_FIRST_VERTICES = 50_000


@dataclass(frozen=True, eq=False)
class Layer:
    """depth: mm under the chosen faces; thickness: mm of it that the lattice leaves; solid: what of that is solid,
    but for windows; windows: where they are, None: there are none; fillet: mm, the radius with which the lattice meets
    it."""

    depth: Sampled
    thickness: float
    solid: Field
    windows: Field | None
    fillet: float

    def taken(self, grid: Grid) -> np.ndarray:
        """Negative where the lattice gives way, whether for solid or for a window."""
        values = self.depth.on(grid)
        values -= np.float32(self.thickness)
        return values

    def open(self, grid: Grid) -> np.ndarray | None:
        """Negative in its windows."""
        return None if self.windows is None else np.maximum(self.windows(grid), self.taken(grid))


@dataclass(frozen=True, eq=False)
class Solids:
    """All that is solid in a region and that its lattice meets."""

    layers: tuple[Layer, ...]

    def joined(self, metal: np.ndarray, grid: Grid) -> np.ndarray:
        """[k, j, i] mm: the metal of the lattice with all that is solid, and without what of it lies in windows."""
        windows = self._windows(grid)
        # The lattice ends a step within the layers: further in it would bulge out of what is solid.
        metal = np.maximum(metal, -self._taken(grid) - np.float32(grid.spacing))
        metal = smooth_union(metal, self._solid(grid), max(layer.fillet for layer in self.layers))
        return metal if windows is None else np.maximum(metal, -windows)

    def solid(self, grid: Grid) -> np.ndarray:
        """[k, j, i] mm: what is solid; one layer's windows go through all of them."""
        solid, windows = self._solid(grid), self._windows(grid)
        return solid if windows is None else np.maximum(solid, -windows)

    def _solid(self, grid: Grid) -> np.ndarray:
        return np.minimum.reduce([layer.solid(grid) for layer in self.layers])

    def _windows(self, grid: Grid) -> np.ndarray | None:
        open_ = [window for layer in self.layers if (window := layer.open(grid)) is not None]
        return np.minimum.reduce(open_) if open_ else None

    def _taken(self, grid: Grid) -> np.ndarray:
        return np.minimum.reduce([layer.taken(grid) for layer in self.layers])

    def taken(self, points: np.ndarray) -> np.ndarray:
        """(n,) bool: which of (n, 3) points are not the lattice's."""
        taken = np.zeros(len(points), bool)
        for layer in self.layers:
            taken |= layer.depth.at(points) < layer.thickness
        return taken

    def volumes(self, domain: DomainField) -> tuple[float, float]:
        """mm³ of a domain that are solid, and that the lattice leaves."""
        return _volume(domain, self.solid), _volume(domain, self._taken)

    def rest(self, domain: DomainField) -> Mesh:
        """What the lattice has for itself of a domain."""
        stitcher, collected, least = Stitcher(domain.grid), Collected(_FIRST_VERTICES), least_value(domain.grid)
        for slab in slabs_of(domain.grid):
            values = np.maximum(-self._taken(slab.grid), domain.on(slab))
            clamp(values, least)
            collected.add(stitcher.block(values, slab))
        return collected.mesh()


def _volume(domain: DomainField, field: Field) -> float:
    """mm³ of a domain that a field is negative in, measured as the lattice is."""
    total, least = 0.0, least_value(domain.grid)
    for slab in slabs_of(domain.grid):
        values = np.maximum(field(slab.grid), domain.on(slab)).astype(np.float32, copy=False)
        clamp(values, least)
        total += enclosed(*contour(values))
    return total * domain.grid.spacing**3
