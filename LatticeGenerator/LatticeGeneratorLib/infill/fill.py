"""Filling a domain with a lattice that has the porosity and the pore size asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cells import cell_named
from ..errors import GeometryError
from ..field.distance import Distances
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..progress import Progress, silent
from .design import Design
from .domain_field import FieldDomain, MeshDomain
from .feasible import cell_size_mm
from .infill import Infill
from .lattice import Lattice
from .spec import LatticeSpec

_VOXEL_MM = 0.10
_VOXELS_PER_STRUT = 2.5  # measured: the porosity is right to 0.1 percentage point from 1.5 voxels a strut
_REACH_STEPS = 0.5  # a lattice reaches its anchor where it comes as near as this, in grid steps


def voxel_mm_of(design: Design) -> float:
    """The grid spacing fine enough for the struts of every kind of lattice in a design, at most 0.1 mm."""
    return min(voxel_mm_for(kind) for kind in design.kinds())


def voxel_mm_for(spec: LatticeSpec) -> float:
    """The grid spacing fine enough for the struts of the wanted lattice, at most 0.1 mm."""
    strut = cell_size_mm(spec) * cell_named(spec.cell).strut_per_cell(spec.porosity)
    return min(_VOXEL_MM, strut / _VOXELS_PER_STRUT)


def fill(
    domain: Mesh, design: LatticeSpec | Design, progress: Progress = silent, *, anchor: Mesh | None = None
) -> Lattice:
    """The lattice in a closed domain.

    anchor: the closed solid the lattice will be joined to; every piece that reaches it is kept. Without an anchor
    only the largest piece is.
    Raises GeometryError if what is wanted cannot be printed or the domain is too small for it.
    """
    wanted = design if isinstance(design, Design) else Design(design)
    voxel = voxel_mm_of(wanted)
    turn = wanted.laid.lattice_to_ras
    if np.array_equal(turn, np.eye(4)):
        return _filled(domain, wanted, voxel, anchor, progress)
    anchor = None if anchor is None else anchor.transformed(turn.T)
    made = _filled(domain.transformed(turn.T), wanted.along_cells(), voxel, anchor, progress)
    return replace(made, mesh=made.mesh.transformed(turn))


def _filled(domain: Mesh, design: Design, voxel: float, anchor: Mesh | None, progress: Progress) -> Lattice:
    """As `fill`, all along the axes of the cells."""
    field = MeshDomain(domain, voxel)
    pattern = design.pattern(domain, 0.5 * (field.grid.lower + field.grid.upper))
    if anchor is None:
        return Infill(field, design.spec, pattern=pattern).lattice(progress)
    solid = Distances(anchor)
    return Infill(
        field, design.spec, lambda slab: solid.signed(slab.grid, voxel) <= _REACH_STEPS * voxel, pattern
    ).lattice(progress)


def fill_field(
    domain_values: np.ndarray,
    grid: Grid,
    spec: LatticeSpec,
    anchor_values: np.ndarray | None = None,
    progress: Progress = silent,
) -> Lattice:
    """As `fill`, for a domain (and anchor) given as fields on a grid: [k, j, i] mm, negative inside.

    The domain's must be distances at least within 2 grid steps of their zero level.
    """
    if not (domain_values < 0).any():
        raise GeometryError("the domain of the lattice is empty: make the porous layer thicker or the foot larger")
    domain = FieldDomain(domain_values, grid)
    if anchor_values is None:
        return Infill(domain, spec).lattice(progress)
    near = domain.cropped(anchor_values) <= _REACH_STEPS * grid.spacing
    return Infill(domain, spec, lambda slab: near[slab.planes]).lattice(progress)
