"""A lattice as made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..mesh.mesh import Mesh
from .spec import LatticeSpec


@dataclass(frozen=True, eq=False)
class Lattice:
    """The closed mesh of a lattice cut to its domain, and how it came about.

    cell_mm: cell length, of a graded lattice at the start; level: of the cell's field, of a graded lattice above that
    of the wanted porosity; voxel_mm: grid spacing it was made on; porosity: share of the porous part, which is the
    domain without skin and frame, that is void, measured on this mesh; wanted: what that was to be, of a graded lattice
    on the mean; overall: share of the whole domain that is void, as made before it was joined to any solid;
    chips_removed: loose pieces that were left out; pores_closed: pores that no powder could have left, which were made
    solid; frame: 4x4 rigid, from cells along the axes, mm, with a corner at the origin, to RAS; None where cells differ
    from place to place or follow a face; porous: the porous part, None where it is all of the domain.
    """

    mesh: Mesh
    spec: LatticeSpec
    cell_mm: float
    level: float
    voxel_mm: float
    porosity: float
    chips_removed: int
    wanted: float
    overall: float
    pores_closed: int
    frame: np.ndarray | None
    porous: Mesh | None
