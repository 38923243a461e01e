"""Structures from closed surfaces in STL files, turned into voxels as the labels are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import vtk
from LatticeGeneratorLib.mesh.check import closed_manifold_fault
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.stl import read_stl
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..errors import CaseError, GeometryError
from .distance import tightened
from .model import Mask, Structure, Volume
from .roles import meaning_of

Surface = str | Path | tuple[str | Path, str] | tuple[str | Path, str, str]

# Finer than this the voxels show nothing that printing keeps; coarser, vessels lose their shape.
_FINEST_MM, _COARSEST_MM = 0.5, 1.0
_MOST_VOXELS = 30_000_000
# A surface may reach this far out of the CT (its outermost voxels have half a voxel beyond their centres).
_SLACK_MM = 2.0


def structures_of_surfaces(surfaces: Sequence[Surface], ct: Volume) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures in STL files, each a path, (path, name) or (path, name, role), and those with no known role.

    Without a name the file's name is taken. Raises CaseError when a surface is not closed or lies outside the CT.
    """
    structures, unknown = [], []
    for surface in surfaces:
        path, name, role = _parts(surface)
        mesh = _closed_mesh(path)
        _check_place(mesh, ct, path)
        meaning = meaning_of(name, role, f"surface '{path}'")
        if meaning.role is None:
            unknown.append(f"'{name}' (surface '{path}')")
            continue
        mask = tightened(voxelised(mesh, float(np.clip(ct.spacing.min(), _FINEST_MM, _COARSEST_MM))))
        structures.append(Structure(meaning.name, meaning.role, mask, None, meaning.level))
    return tuple(structures), tuple(unknown)


def voxelised(mesh: Mesh, spacing: float) -> Mask:
    """The voxels of an upright grid whose centres a closed mesh encloses; spacing in mm, larger for huge meshes."""
    low, high = mesh.bounds
    spacing = max(spacing, float(np.prod(high - low + 2 * spacing) / _MOST_VOXELS) ** (1 / 3))
    count = np.ceil((high - low) / spacing).astype(int) + 3
    matrix = np.diag([spacing, spacing, spacing, 1.0])
    matrix[:3, 3] = low - spacing * (count - 1 - (high - low) / spacing) / 2
    stencil = vtk.vtkPolyDataToImageStencil()
    # Millimetres become voxels first: the stencil works on whole numbers with a tolerance of its own.
    stencil.SetInputData(_polydata(Mesh((mesh.vertices - matrix[:3, 3]) / spacing, mesh.faces)))
    stencil.SetOutputWholeExtent(0, int(count[0]) - 1, 0, int(count[1]) - 1, 0, int(count[2]) - 1)
    stencil.SetTolerance(0.0)
    image = vtk.vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    voxels = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(count[::-1])
    return Mask(voxels.astype(bool), matrix)


def _parts(surface: Surface) -> tuple[Path, str, str]:
    if isinstance(surface, (str, Path)):
        return Path(surface), Path(surface).stem, ""
    path, name, *role = surface
    return Path(path), name, role[0] if role else ""


def _closed_mesh(path: Path) -> Mesh:
    if not path.is_file():
        raise CaseError(f"there is no surface file '{path}'")
    try:
        mesh = read_stl(path)
    except GeometryError as error:
        raise CaseError(f"the surface '{path}' cannot be read: {error}") from error
    fault = closed_manifold_fault(mesh)
    if fault:
        raise CaseError(f"the surface '{path}' is not closed ({fault}); close its holes, or give a label map instead")
    return mesh


def _check_place(mesh: Mesh, ct: Volume, path: Path) -> None:
    if _within(mesh.vertices, ct):
        return
    low, high = (bound.round(1).tolist() for bound in mesh.bounds)
    corner = np.array(ct.voxels.shape[::-1]) - 1.0
    ends = np.array([[a, b, c, 1.0] for a in (0, corner[0]) for b in (0, corner[1]) for c in (0, corner[2])])
    box = (ends @ ct.ijk_to_ras.T)[:, :3]
    if _within(mesh.vertices * [-1.0, -1.0, 1.0], ct):
        hint = "with left-right and front-back turned round it would fit: its header names the wrong frame (LPS or RAS)"
    elif _within(mesh.vertices * 1000.0, ct):
        hint = "a thousand times larger it would fit: it is in metres; export it in millimetres"
    else:
        hint = "export it in the frame of this CT (LPS unless the header says SPACE=RAS), in millimetres"
    raise CaseError(
        f"the surface '{path}' lies outside the CT: it reaches from {low} to {high} RAS mm, the CT from "
        f"{box.min(axis=0).round(1).tolist()} to {box.max(axis=0).round(1).tolist()}; {hint}"
    )


def _within(vertices: np.ndarray, ct: Volume) -> bool:
    ijk = ct.to_ijk(vertices)
    slack = _SLACK_MM / ct.spacing
    return bool(np.all((ijk >= -slack) & (ijk <= np.array(ct.voxels.shape[::-1]) - 1 + slack)))


def _polydata(mesh: Mesh) -> vtk.vtkPolyData:
    points = vtk.vtkPoints()
    points.SetDataTypeToDouble()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtk.vtkCellArray()
    offsets = np.arange(0, 3 * len(mesh.faces) + 1, 3, dtype=np.int64)
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(mesh.faces.ravel(), deep=True))
    polydata = vtk.vtkPolyData()
    polydata.SetPoints(points)
    polydata.SetPolys(cells)
    return polydata
