"""From a field to the closed surface of its inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from .grid import Grid

_LEAST_VALUE_MM = 1e-5  # measured: smaller values put vertices so close to a grid point that rounding merges them


def isosurface(values: np.ndarray, grid: Grid) -> Mesh:
    """The zero level of a field as a closed, oriented manifold, before and after rounding to STL.

    values: [k, j, i] mm, negative inside, sloping about 1 near the surface. What lies beyond the grid counts as
    outside. Separate pieces are all kept: what is inside hangs together along the grid's axes alone, what is outside
    also across the diagonals of its squares. Raises GeometryError if there is no inside.
    """
    padded, bounds = bounded(values, grid)
    clamp(padded, least_value(grid))
    with _threaded():
        points, faces = contour(padded)
    return Mesh(bounds.lower + grid.spacing * points.astype(np.float64), faces)


def contour(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The zero level of a clamped float32 block [k, j, i]: (n, 3) float32 places in grid steps, (m, 3) faces that
    look out of what is negative. Open where negative values reach the block's border.

    The places come row by row (k, then j), in each row those on its own edges, then those on the edges along j, then
    those along k.
    """
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    nz, ny, nx = values.shape
    image = vtk.vtkImageData()
    image.SetDimensions(nx, ny, nz)
    # VTK's faces look towards falling values, and what lies above the level is what it parts at diagonals.
    raised = np.negative(values)
    image.GetPointData().SetScalars(numpy_to_vtk(raised.reshape(-1), deep=False))
    surface = vtk.vtkFlyingEdges3D()
    surface.SetInputData(image)
    surface.SetValue(0, 0.0)
    surface.ComputeNormalsOff()
    surface.ComputeGradientsOff()
    surface.ComputeScalarsOff()
    surface.Update()
    made = surface.GetOutput()
    if made.GetNumberOfPolys() == 0:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int64)
    return (
        vtk_to_numpy(made.GetPoints().GetData()),
        vtk_to_numpy(made.GetPolys().GetConnectivityArray()).reshape(-1, 3),
    )


@contextmanager
def _threaded() -> Iterator[None]:
    """VTK works in as many threads as it may, also where it was built to work in one; the numbers are the same."""
    from vtk import vtkSMPTools

    usual = vtkSMPTools.GetBackend()
    if usual == "Sequential":
        vtkSMPTools.SetBackend("STDThread")
    try:
        yield
    finally:
        vtkSMPTools.SetBackend(usual)


def bounded(values: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """A float32 copy of the part of the field that holds its inside, in an outside border, and the grid it lies on.

    Raises GeometryError if there is no inside, or the field is not on the grid.
    """
    if values.shape != grid.array_shape:
        raise GeometryError(f"the field's shape {values.shape} is not its grid's {grid.array_shape}")
    inside = values < 0
    rows = np.any(inside, axis=2)
    reached = [
        np.flatnonzero(line) for line in (np.any(rows, axis=1), np.any(rows, axis=0), np.any(inside, axis=(0, 1)))
    ]
    if len(reached[0]) == 0:
        raise GeometryError("the field has no inside on its grid: nothing to make a surface of")
    low = np.array([int(line[0]) - 1 for line in reached])
    high = np.array([int(line[-1]) + 2 for line in reached])
    padded = np.full(high - low, grid.spacing, np.float32)
    here = tuple(slice(max(a, 0), b) for a, b in zip(low, high))
    there = tuple(slice(s.start - a, s.start - a + n) for s, a, n in zip(here, low, values[here].shape))
    padded[there] = values[here]
    nz, ny, nx = padded.shape
    i, j, k = low[::-1].tolist()
    return padded, grid.part((i, j, k), (nx, ny, nz))


def least_value(grid: Grid) -> float:
    """The least |value| in mm that keeps vertices apart in float32, as coordinates and as grid indices."""
    farthest = np.float32(max(np.abs(grid.lower).max(), np.abs(grid.upper).max()))
    index = np.float32(max(grid.shape) + 2)
    return max(_LEAST_VALUE_MM, 8.0 * float(np.spacing(farthest)), 8.0 * grid.spacing * float(np.spacing(index)))


def clamp(values: np.ndarray, least: float) -> None:
    """Moves values nearer to zero than `least` away from it, in place, each to its own side (zero is outside)."""
    near = np.flatnonzero(np.abs(values) < least)
    flat = values.reshape(-1)
    flat[near] = np.where(flat[near] < 0.0, -least, least)
