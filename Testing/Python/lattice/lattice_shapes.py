"""Shapes and independent measures that the workshop's tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from LatticeGeneratorLib.field.compiled import compiled
from LatticeGeneratorLib.mesh.mesh import Mesh
from scipy.spatial.transform import Rotation


def joined(*meshes: Mesh) -> Mesh:
    """All faces in one mesh, without any boolean."""
    first = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, first)])
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), faces)


def inverted(mesh: Mesh) -> Mesh:
    """The surface turned inside out."""
    return Mesh(mesh.vertices, mesh.faces[:, ::-1])


def moved(mesh: Mesh, offset: object) -> Mesh:
    """The mesh shifted by (3,) mm."""
    return Mesh(mesh.vertices + np.asarray(offset, float), mesh.faces)


def tetrahedron() -> Mesh:
    """The corner of a unit cube: volume 1/6."""
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    return Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))


def rigid(seed: int, reach: float = 20.0) -> np.ndarray:
    """A random 4x4 rigid matrix."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = rng.uniform(-reach, reach, 3)
    return matrix


def trimesh_of(mesh: Mesh):
    """The same mesh as trimesh sees it, nothing merged or repaired."""
    import trimesh

    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


@contextmanager
def without_numba() -> Iterator[None]:
    """Every loop takes the way it takes where numba is not installed."""
    present = sys.modules.pop("numba", None)
    sys.modules["numba"] = None  # type: ignore[assignment]
    compiled.cache_clear()
    try:
        yield
    finally:
        del sys.modules["numba"]
        if present is not None:
            sys.modules["numba"] = present
        compiled.cache_clear()


def voxels_inside(mesh: Mesh, lo: np.ndarray, hi: np.ndarray, step: float) -> np.ndarray:
    """Bool [k, j, i] of the voxels between lo and hi whose centres VTK's stencil finds in the mesh."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

    lo, hi = np.asarray(lo, float), np.asarray(hi, float)
    size = np.round((hi - lo) / step).astype(int)
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtk.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.faces.ravel(), deep=True))
    surface = vtk.vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    stencil = vtk.vtkPolyDataToImageStencil()
    stencil.SetInputData(surface)
    stencil.SetOutputOrigin(*(lo + 0.5 * step))
    stencil.SetOutputSpacing(step, step, step)
    stencil.SetOutputWholeExtent(0, int(size[0]) - 1, 0, int(size[1]) - 1, 0, int(size[2]) - 1)
    image = vtk.vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    return vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(size[::-1]) > 0
