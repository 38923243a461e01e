"""What of a region is solid beside its lattice, as fields: layers under its faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..field.ahead import ahead
from ..field.combine import smooth_union
from ..field.grid import Grid
from ..field.isosurface import clamp, contour, least_value
from ..field.sampled import Sampled
from ..field.slabs import Cut, Slab, Stitcher, enclosed, slabs_of
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
    it; drawn_in: mm by which all that is made keeps within the domain's border, None: it ends there."""

    depth: Sampled
    thickness: float
    solid: Field
    windows: Field | None
    fillet: float
    drawn_in: Field | None = None

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

    def border(self, domain: np.ndarray, grid: Grid) -> np.ndarray:
        """[k, j, i] mm: the distances of a domain, within which all stays."""
        for layer in self.layers:
            if layer.drawn_in is not None:
                domain = domain + layer.drawn_in(grid)
        return domain

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
        slabs, stitcher, collected = slabs_of(domain.grid), Stitcher(domain.grid), Collected(_FIRST_VERTICES)
        parts = ahead(lambda slab: Cut.of(_within(domain, slab, lambda grid: -self._taken(grid))), slabs)
        for part, slab in zip(parts, slabs):
            collected.add(stitcher.block(part, slab))
        return collected.mesh()


def _volume(domain: DomainField, field: Field) -> float:
    """mm³ of a domain that a field is negative in, measured as the lattice is."""
    parts = ahead(lambda slab: enclosed(*contour(_within(domain, slab, field))), slabs_of(domain.grid))
    return sum(parts) * domain.grid.spacing**3


def _within(domain: DomainField, slab: Slab, field: Field) -> np.ndarray:
    """[k, j, i] float32 mm, ready for a surface: what of a slab of the domain a field is negative in."""
    values = np.maximum(field(slab.grid), domain.on(slab)).astype(np.float32, copy=False)
    clamp(values, least_value(domain.grid))
    return values
