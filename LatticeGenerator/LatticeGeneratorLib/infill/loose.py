"""Loose chips and closed pores: what cutting a lattice to its domain leaves, and no kernel may let through."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError
from ..field.combine import sample
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..mesh.pieces import pieces_of


def attached(mesh: Mesh, grid: Grid, anchor_values: np.ndarray | None) -> tuple[Mesh, int]:
    """The pieces of a lattice that hold, with their closed pores filled, and the number of loose chips left out.

    anchor_values: [k, j, i] mm on the grid, the field of the solid the lattice will be joined to: the pieces that
    reach within half a grid step of it hold. None: the largest piece holds.
    Raises GeometryError if no piece does.
    """
    pieces = pieces_of(mesh)
    bodies = pieces.volumes > 0.0
    if anchor_values is None:
        holds = np.arange(len(bodies)) == int(np.argmax(pieces.volumes))
    else:
        near = sample(anchor_values, grid, mesh.vertices) <= 0.5 * grid.spacing
        holds = np.bincount(pieces.of_vertex, weights=near, minlength=len(bodies)) > 0
    holds &= bodies
    if not holds.any():
        raise GeometryError("no piece of the lattice reaches the solid it is joined to: let its domain overlap it")
    return pieces.only(holds), int((bodies & ~holds).sum())
