"""A lattice as made."""

from __future__ import annotations

from dataclasses import dataclass

from ..mesh.mesh import Mesh
from .spec import LatticeSpec


@dataclass(frozen=True, eq=False)
class Lattice:
    """The closed mesh of a lattice cut to its domain, and how it came about.

    cell_mm: cell length; level: of the cell's field; voxel_mm: grid spacing it was made on; porosity: share of the
    domain that is void, measured on this mesh; chips_removed: loose pieces that were left out.
    """

    mesh: Mesh
    spec: LatticeSpec
    cell_mm: float
    level: float
    voxel_mm: float
    porosity: float
    chips_removed: int
