"""From a field to the closed surface of its inside."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from .grid import Grid

_LEAST_VALUE_MM = 1e-5  # measured: smaller values put vertices so close to a grid point that rounding merges them


def isosurface(values: np.ndarray, grid: Grid) -> Mesh:
    """The zero level of a field as a closed, oriented manifold, before and after rounding to STL.

    values: [k, j, i] mm, negative inside, sloping about 1 near the surface. What lies beyond the grid counts as
    outside. Separate pieces are all kept. Raises GeometryError if there is no inside.
    """
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    if values.shape != grid.array_shape:
        raise GeometryError(f"the field's shape {values.shape} is not its grid's {grid.array_shape}")
    padded, first = _bounded(values, grid.spacing)
    _clamp(padded, _least_value(grid))
    nz, ny, nx = padded.shape
    image = vtk.vtkImageData()
    image.SetDimensions(nx, ny, nz)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.reshape(-1), deep=False))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    surface = contour.GetOutput()
    index = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    faces = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    # VTK's faces look towards falling values; inside is negative, so they are turned round.
    return Mesh(grid.origin + grid.spacing * (index + first), faces[:, ::-1])


def _bounded(values: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """A float32 copy of the part of the field that holds its inside, in an outside border, and (3,) the (i, j, k)
    on the grid where it begins. Raises GeometryError if there is no inside."""
    inside = values < 0
    rows = np.any(inside, axis=2)
    reached = [
        np.flatnonzero(line) for line in (np.any(rows, axis=1), np.any(rows, axis=0), np.any(inside, axis=(0, 1)))
    ]
    if len(reached[0]) == 0:
        raise GeometryError("the field has no inside on its grid: nothing to make a surface of")
    low = np.array([int(line[0]) - 1 for line in reached])
    high = np.array([int(line[-1]) + 2 for line in reached])
    padded = np.full(high - low, spacing, np.float32)
    here = tuple(slice(max(a, 0), b) for a, b in zip(low, high))
    there = tuple(slice(s.start - a, s.start - a + n) for s, a, n in zip(here, low, values[here].shape))
    padded[there] = values[here]
    return padded, low[::-1]


def _least_value(grid: Grid) -> float:
    """The least |value| in mm that keeps vertices apart in float32, as coordinates and as grid indices."""
    farthest = np.float32(max(np.abs(grid.origin).max(), np.abs(grid.upper).max()))
    index = np.float32(max(grid.shape) + 2)
    return max(_LEAST_VALUE_MM, 8.0 * float(np.spacing(farthest)), 8.0 * grid.spacing * float(np.spacing(index)))


def _clamp(values: np.ndarray, least: float) -> None:
    """Moves values nearer to zero than `least` away from it, in place, each to its own side (zero is outside)."""
    np.copyto(values, np.float32(least), where=(values >= 0) & (values < least))
    np.copyto(values, np.float32(-least), where=(values < 0) & (values > -least))
