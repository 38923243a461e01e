"""A small block of a lattice as a surface, made while a person watches: some cells, as coarse as a picture may be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from ..cells import cell_named
from ..field.grid import Grid
from ..infill.pattern import Pattern
from ..infill.spec import LatticeSpec

CELLS_SHOWN = 2
"""Along each edge of the block."""

# Of a picture of 200 pixels: each pixel shows about one step.
_STEPS = 36
_KEPT = 24


@lru_cache(maxsize=_KEPT)
def block_of(cell: str, porosity: float) -> Any:
    """A vtkPolyData with normals: a cube of CELLS_SHOWN cells along each edge, each 1 long, its middle in the origin.

    Raises GeometryError where the cell does not exist.
    """
    kind = cell_named(cell)
    edge, spacing = float(CELLS_SHOWN), CELLS_SHOWN / _STEPS
    # Faces lie halfway between two planes of points, where a surface between them is exact.
    grid = Grid(np.full(3, -0.5 * (edge + spacing)), spacing, (_STEPS + 2,) * 3)
    pattern = Pattern(kind, 1.0, np.zeros(3))
    return _surface(pattern.cut(_cube(grid, edge), grid, kind.level(porosity)), grid)


def block_for(spec: LatticeSpec) -> Any:
    """The block of a wanted lattice, whose size a picture does not show. Raises GeometryError as the spec does."""
    spec.cell_mm  # noqa: B018  it raises where there is none
    return block_of(spec.cell, round(spec.porosity, 3))


def _cube(grid: Grid, edge: float) -> np.ndarray:
    """[k, j, i] float32: how far points lie outside a cube round the origin; negative inside."""
    x, y, z = ((np.abs(axis) - 0.5 * edge).astype(np.float32) for axis in grid.axes())
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
    contour.Update()
    return contour.GetOutput()
