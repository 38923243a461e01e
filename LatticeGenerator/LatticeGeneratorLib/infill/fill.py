"""Filling a domain with a lattice that has the porosity and the pore size asked for."""

from __future__ import annotations

import numpy as np

from ..cells import cell_named
from ..errors import GeometryError
from ..field.distance import Distances
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..printing.printer import Printer
from ..progress import Progress, silent
from .design import Design
from .domain_field import FieldDomain, MeshDomain
from .feasible import cell_size_mm
from .infill import Infill
from .lattice import Lattice
from .spec import LatticeSpec

_VOXEL_MM = 0.10
_VOXELS_PER_STRUT = 2.5  # measured: the porosity of a strut's cell is right to 0.1 percentage point from 1.5 on
_VOXELS_PER_WALL = 1.5  # measured for sheets: the wall over the voxel at which it is right to 0.1 percentage point
_REACH_STEPS = 0.5  # a lattice reaches its anchor where it comes as near as this, in grid steps


def voxel_mm_of(design: Design) -> float:
    """The grid spacing fine enough for every kind of lattice in a design, at most 0.1 mm."""
    return min(voxel_mm_for(kind) for kind in design.kinds())


def voxel_mm_for(spec: LatticeSpec) -> float:
    """The grid spacing fine enough for the struts, or walls, of the wanted lattice, at most 0.1 mm."""
    sheet = cell_named(spec.cell).kind == "sheet"
    return min(_VOXEL_MM, spec.thickness_mm / (_VOXELS_PER_WALL if sheet else _VOXELS_PER_STRUT))


def fill(
    domain: Mesh,
    design: LatticeSpec | Design,
    progress: Progress = silent,
    *,
    anchor: Mesh | None = None,
    printer: Printer | None = None,
) -> Lattice:
    """The lattice in a closed domain.

    anchor: the closed solid the lattice will be joined to, of itself that of the design's rest; every piece that
    reaches it is kept. Without an anchor only the largest piece is. printer: whose limits count; the default one if not
    given.
    Raises GeometryError if what is wanted cannot be printed or the domain is too small for it.
    """
    return prepared(domain, design, anchor=anchor, printer=printer).lattice(progress)


def prepared(
    domain: Mesh, design: LatticeSpec | Design, *, anchor: Mesh | None = None, printer: Printer | None = None
) -> Infill:
    """A closed domain about to be filled, as by `fill`; its `stream` gives the surface without holding it."""
    wanted = design if isinstance(design, Design) else Design(design)
    wanted.check_printable(printer)
    voxel, turn = voxel_mm_of(wanted), wanted.laid.lattice_to_ras
    if not np.array_equal(turn, np.eye(4)):
        # All is done along the axes of the cells, and what comes out is turned back.
        domain, wanted = domain.transformed(turn.T), wanted.along_cells()
        anchor = None if anchor is None else anchor.transformed(turn.T)
    field = MeshDomain(domain, voxel)
    pattern = wanted.pattern(domain, 0.5 * (field.grid.lower + field.grid.upper), voxel)
    if anchor is None and wanted.rest is not None:
        anchor = wanted.rest.solid
    if anchor is None:
        return Infill(field, wanted.spec, None, pattern, turn)
    solid = Distances(anchor).ready(voxel)
    part = None
    if wanted.rest is not None and pattern.solids is not None:
        part = pattern.solids.rest(field).transformed(turn)
    reached = _REACH_STEPS * voxel
    return Infill(field, wanted.spec, lambda slab: solid.signed(slab.grid, voxel) <= reached, pattern, turn, part)


def fill_field(
    domain_values: np.ndarray,
    grid: Grid,
    spec: LatticeSpec,
    anchor_values: np.ndarray | None = None,
    progress: Progress = silent,
    *,
    measured_in: Mesh | None = None,
) -> Lattice:
    """As `fill`, for a domain (and anchor) given as fields on a grid: [k, j, i] mm, negative inside.

    The domain's must be distances at least within 2 grid steps of their zero level. measured_in: the closed part of the
    domain whose porosity is to be as wanted; None: all of it.
    """
    cell_size_mm(spec)
    if not (domain_values < 0).any():
        raise GeometryError("the domain of the lattice is empty: make the porous layer thicker or the foot larger")
    domain = FieldDomain(domain_values, grid)
    if anchor_values is None:
        return Infill(domain, spec, measured_in=measured_in).lattice(progress)
    near = domain.cropped(anchor_values) <= _REACH_STEPS * grid.spacing
    return Infill(domain, spec, lambda slab: near[slab.place], measured_in=measured_in).lattice(progress)
