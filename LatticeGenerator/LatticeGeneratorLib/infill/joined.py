"""A lattice that becomes one body with the solid beyond its region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.sampled import Sampled, coarse_grid
from ..mesh.boolean import largest_component, printable, union
from ..mesh.mesh import Mesh
from ..mesh.untangle import untangled
from .lattice import Lattice
from .region import Region
from .solids import Layer

# The lattice is made so far into the solid, mm, that both share volume wherever they meet: more than a step of the
# usual grid of 0.05 to 0.1 mm, which bevels its ends by less than one.
OVERLAP_MM = 0.15
# Faces that lie in one another cannot be joined without slivers, so that there the lattice keeps clear of the solid's:
# its floor begins a little below the solid's border, and beside that border it is drawn in, from a little before it on,
# by 0.02 mm where both meet (clinical facts: the chord error that an implant's STL may have) and more below.
_BELOW_MM, _DRAWN_IN_MM, _BEFORE_MM = 0.04, 0.04, 0.02
# Of the solid: specks where a body is hardly thicker than its shell.
_LOST_SHARE = 1e-3
# How far within the region a place lies is sampled in steps of this, mm: exact where its border is flat.
_STEP_MM, _MOST_POINTS, _REACH_STEPS = 0.1, 4_000_000, 2.0


@dataclass(frozen=True)
class Joined:
    """What of the body lies beyond the region stays solid, and the lattice meets it with a fillet of that radius."""

    fillet_mm: float = 0.15

    def __post_init__(self) -> None:
        if not 0.0 <= self.fillet_mm < np.inf:
            raise GeometryError(f"the fillet to the solid must not be below 0 mm, as {self.fillet_mm:g} mm is")


@dataclass(frozen=True, eq=False)
class Rest:
    """What of a closed body lies beyond a region and stays solid; fillet_mm: with which the lattice meets it."""

    region: Region
    body: Mesh
    fillet_mm: float

    @cached_property
    def solid(self) -> Mesh:
        """It, closed. Raises GeometryError where there is none."""
        solid = self.region.beyond(self.body)
        if solid is None:
            raise GeometryError(
                "nothing of the body stays solid for the lattice to be joined to: choose a thinner shell, a layer or a "
                "box, or do not join it"
            )
        return solid

    @property
    def domain(self) -> Mesh:
        """The region with as much of the solid as the lattice reaches into."""
        return self.region.grown(OVERLAP_MM).of(self.body)

    def moved(self, matrix: np.ndarray) -> Rest:
        """The same moved by a 4x4 rigid matrix."""
        return Rest(self.region.moved(matrix), self.body.transformed(matrix), self.fillet_mm)

    def layer(self, domain: Mesh, reach: float) -> Layer:
        """What of a domain is solid; reach: mm away from it to which that is asked for."""
        grid = coarse_grid(*domain.bounds, _STEP_MM, _MOST_POINTS)
        reach = max(self.fillet_mm + _BELOW_MM, reach, OVERLAP_MM) + _REACH_STEPS * grid.spacing
        depth = Sampled(self.region.depth(self.body, grid, reach), grid)

        def solid(grid: Grid) -> np.ndarray:
            return depth.on(grid) + np.float32(_BELOW_MM)

        def drawn_in(grid: Grid) -> np.ndarray:
            return np.clip(np.float32(_BEFORE_MM) - depth.on(grid), 0.0, _DRAWN_IN_MM)

        return Layer(depth, 0.0, solid, None, self.fillet_mm, drawn_in)


def beside(domain: Mesh, away: Sampled) -> Mesh:
    """The border of a domain that reaches into a solid, but for what of it lies in there. away: mm from that solid."""
    outside = away.at(domain.triangles.mean(axis=1)) > -0.5 * OVERLAP_MM
    return Mesh(domain.vertices, domain.faces[outside])


def as_one(lattice: Lattice, solid: Mesh) -> Lattice:
    """The lattice and the solid that it reaches into as one body, which STL holds as it is; what of either hangs on
    nothing is left out and counted. Raises GeometryError where a part of the solid would be, or where the body would
    pass through itself."""
    whole = union([solid, lattice.mesh])
    body, loose = largest_component(whole)
    lost = whole.volume - body.volume
    if lost > _LOST_SHARE * solid.volume:
        raise GeometryError(
            f"{lost:.3g} mm³ of the body would hang on nothing, since no lattice holds it: change the region, or ask "
            "for smaller pores"
        )
    mesh, crossing = untangled(printable(body))
    if crossing:
        raise GeometryError(
            f"the lattice and the solid pass through each other at {crossing} corners where they were joined: change "
            "the region a little"
        )
    return replace(lattice, mesh=mesh, chips_removed=lattice.chips_removed + loose)
