"""A small block of a lattice as a surface, made while a person watches: some cells, as coarse as a picture may be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..cells import cell_named
from ..field.grid import Grid
from ..infill.along import Ramp
from ..infill.graded import Porosities
from ..infill.pattern import Pattern
from ..infill.places import Growing, Places, Regular
from ..infill.spec import LatticeSpec

CELLS_SHOWN, CELLS_SHOWN_GRADED = (2, 2, 2), (4, 2, 2)
"""Along the edges of the block: x, y, z."""

# Of a picture of 170 pixels: each shows about one step.
_STEPS_PER_CELL = 18
_KEPT = 24


def block_for(start: LatticeSpec, end: LatticeSpec | None = None) -> Any:
    """A vtkPolyData with normals: a block of a lattice in the size of its cells, its middle in the origin; with an end,
    what changes from one to the other along x, in the size of the mean of both cells.

    Raises GeometryError where one of them does not exist.
    """
    if end is None or end == start:
        start.cell_mm  # noqa: B018  it raises where there is no such lattice
        return _block(start.cell, round(start.porosity, 3), None, 1.0)
    # How large the cells are is not seen: only how much larger or smaller they become.
    ratio = round(end.cell_mm / start.cell_mm, 2)
    return _block(start.cell, round(start.porosity, 3), round(end.porosity, 3), ratio)


@lru_cache(maxsize=_KEPT)
def _block(cell: str, porosity: float, to_porosity: float | None, ratio: float) -> Any:
    kind, spacing = cell_named(cell), 1.0 / _STEPS_PER_CELL
    edges = np.array(CELLS_SHOWN if to_porosity is None else CELLS_SHOWN_GRADED, float)
    # Faces lie halfway between two planes of points, where a surface between them is exact.
    nx, ny, nz = (round(edge * _STEPS_PER_CELL) + 2 for edge in edges)
    grid = Grid(-0.5 * (edges + spacing), spacing, (nx, ny, nz))
    if to_porosity is None:
        pattern, level = Pattern(kind, Regular(1.0, np.zeros(3))), kind.level(porosity)
    else:
        ramp = Ramp(np.array([-0.5 * edges[0], 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), float(edges[0]))
        first = 2.0 / (1.0 + ratio)
        places: Places = Growing(np.zeros(3), ramp, first, first * ratio)
        densest = min(porosity, to_porosity)
        pattern, level = Pattern(kind, places, Porosities(kind, porosity, to_porosity, ramp, densest, None)), 0.0
    return _surface(pattern.cut(_box(grid, edges), grid, level), grid)


def _box(grid: Grid, edges: np.ndarray) -> np.ndarray:
    """[k, j, i] float32: how far points lie outside a box round the origin; negative inside."""
    x, y, z = ((np.abs(axis) - 0.5 * edge).astype(np.float32) for axis, edge in zip(grid.axes(), edges))
    return np.maximum(np.maximum(x[None, None, :], y[None, :, None]), z[:, None, None])


def _surface(values: np.ndarray, grid: Grid) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(*grid.shape)
    image.SetSpacing(*[grid.spacing] * 3)
    image.SetOrigin(*grid.lower)
    image.GetPointData().SetScalars(numpy_to_vtk(values.ravel()))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOn()
    contour.ComputeScalarsOff()
    whole = vtk.vtkPolyDataConnectivityFilter()  # what hangs on nothing at the block's faces is left out, as in a part
    whole.SetInputConnection(contour.GetOutputPort())
    whole.SetExtractionModeToLargestRegion()
    whole.Update()
    return whole.GetOutput()
