"""Surfaces for pictures: of meshes, of labelled structures and of screws. For looking at, never for measuring."""

from __future__ import annotations

import numpy as np
import vtk
from LatticeGeneratorLib.mesh.mesh import Mesh
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..case.model import Structure
from ..plan.plan import Screw

# Windowed sinc smoothing: takes the voxel steps off and leaves the shape (vtkWindowedSincPolyDataFilter's own advice).
_SMOOTHINGS = 20
_PASS_BAND = 0.06
# Voxels are put together up to this size for pictures, mm, or up to this share of the picture's height, some seven
# pixels: nothing smaller can be seen through what is translucent.
_COARSEST_MM, _COARSEST_PART = 1.3, 0.006
_SIDES = 32
# Radius of the driver's socket over the head's: only so that a head is known for one.
_SOCKET = 0.42


def mesh_surface(mesh: Mesh) -> vtk.vtkPolyData:
    """The mesh as VTK draws it, with normals that keep its sharp edges."""
    return _with_normals(_polydata(mesh.vertices, mesh.faces), split=True)


def structure_surface(structure: Structure, low: np.ndarray, high: np.ndarray) -> vtk.vtkPolyData | None:
    """The smooth surface of a structure within the box low to high (RAS mm), as it lies and resected; None outside."""
    matrix = structure.pose @ structure.mask.ijk_to_ras
    block = _block(structure.mask.voxels.shape, matrix, *_before_motions(structure, low, high))
    if block is None:
        return None
    voxels = structure.mask.voxels[block]
    offset = np.array([s.start for s in block[::-1]], dtype=float)
    voxels = _kept(voxels, matrix @ _scaled(np.ones(3), offset), structure)
    if not voxels.any():
        return None
    # Metal is opaque and its rods are smooth: every ripple shows.
    coarsest = 0.0 if structure.role == "metal" else max(_COARSEST_MM, _COARSEST_PART * (high[2] - low[2]))
    steps = np.maximum(np.floor(coarsest / np.linalg.norm(matrix[:3, :3], axis=0)), 1).astype(int)
    # The middle of a block of n voxels lies (n - 1) / 2 from the first one's.
    surface = _contour(_shares(voxels, steps), matrix @ _scaled(steps.astype(float), offset + 0.5 * (steps - 1)))
    if surface is not None and structure.motions:
        surface.SetPoints(_points(structure.carried(vtk_to_numpy(surface.GetPoints().GetData()).astype(float))))
    return surface


def screw_surface(screw: Screw) -> vtk.vtkPolyData:
    """A screw as planned: hemispherical head with a socket, core, and ridges at its pitch in place of the thread."""
    kind = screw.type
    under_head = kind.head_radius_mm
    outer, core = 0.5 * kind.diameter_mm, 0.5 * kind.core_mm
    arc = np.linspace(0.0, 0.5 * np.pi, 10)
    head_radius = 0.5 * kind.head_diameter_mm
    socket, deep = _SOCKET * head_radius, 0.5 * under_head
    profile = [(0.0, deep), (socket, deep), (socket, 0.0)]
    profile += [(head_radius * np.cos(a), under_head * np.sin(a)) for a in arc if head_radius * np.cos(a) > core]
    z, tip = under_head + 0.5, screw.length_mm
    while z < tip - outer - kind.pitch_mm:
        profile += [(core, z), (outer, z + 0.35 * kind.pitch_mm), (outer, z + 0.5 * kind.pitch_mm)]
        z += kind.pitch_mm
    profile += [(core, z), (core, tip - outer), (0.0, tip)]
    return _revolved(np.array(profile), np.asarray(screw.entry, dtype=float), np.asarray(screw.direction, dtype=float))


def surface_arrays(surface: vtk.vtkPolyData) -> tuple[np.ndarray, np.ndarray]:
    """(vertices (n, 3), faces (m, 3)) of a surface of triangles."""
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(float)
    return vertices, vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)


def tube(points: np.ndarray, radius_mm: float, closed: bool = False) -> vtk.vtkPolyData:
    """A round line through points (n, 3) RAS mm."""
    line = np.vstack([points, points[:1]]) if closed else points
    path = vtk.vtkPolyData()
    path.SetPoints(_points(line))
    cells = vtk.vtkCellArray()
    cells.InsertNextCell(len(line))
    for i in range(len(line)):
        cells.InsertCellPoint(i)
    path.SetLines(cells)
    rounded = vtk.vtkTubeFilter()
    rounded.SetInputData(path)
    rounded.SetRadius(radius_mm)
    rounded.SetNumberOfSides(12)
    rounded.CappingOn()
    rounded.Update()
    return rounded.GetOutput()


def _before_motions(structure: Structure, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The box that holds what a structure's motions bring into the box low to high."""
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    both = np.concatenate([corners, structure.brought_back(corners)])
    return both.min(axis=0), both.max(axis=0)


def _block(shape: tuple[int, ...], matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[slice, ...] | None:
    """The part of a voxel array (k, j, i) that may lie in the box."""
    xs, ys, zs = np.transpose([low, high])
    corners = np.array([[x, y, z, 1.0] for x in xs for y in ys for z in zs])
    ijk = corners @ np.linalg.inv(matrix).T
    first = np.clip(np.floor(ijk[:, :3].min(axis=0)).astype(int), 0, None)[::-1]
    last = np.minimum(np.ceil(ijk[:, :3].max(axis=0)).astype(int)[::-1] + 1, shape)
    if np.any(last <= first):
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last))


def _scaled(steps: np.ndarray, offset: np.ndarray) -> np.ndarray:
    matrix = np.diag([*steps, 1.0])
    matrix[:3, 3] = offset
    return matrix


def _kept(voxels: np.ndarray, to_ras: np.ndarray, structure: Structure) -> np.ndarray:
    """The voxels that no planned resection removes."""
    for point, normal in structure.cuts:
        k, j, i = np.ogrid[tuple(slice(n) for n in voxels.shape)]
        linear = to_ras[:3, :3].T @ normal
        height = linear[0] * i + linear[1] * j + linear[2] * k + (to_ras[:3, 3] - point) @ normal
        voxels = voxels & (height < 0.0)
    return voxels


def _shares(voxels: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[k, j, i] float32: how much of each block of voxels, steps (3,) along i, j, k, is filled."""
    k, j, i = steps[::-1]
    padded = np.pad(voxels, [(0, -n % step) for n, step in zip(voxels.shape, (k, j, i))])
    parts = (padded[c::k, b::j, a::i] for c in range(k) for b in range(j) for a in range(i))
    return sum(parts, np.zeros((), dtype=np.float32)) / np.float32(steps.prod())


def _contour(shares: np.ndarray, to_ras: np.ndarray) -> vtk.vtkPolyData:
    padded = np.pad(shares, 1)
    image = vtk.vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.SetOrigin(-1.0, -1.0, -1.0)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(), deep=True))
    edges = vtk.vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 0.5)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    transform = vtk.vtkTransform()
    transform.SetMatrix(to_ras.ravel())
    placed = vtk.vtkTransformPolyDataFilter()
    placed.SetTransform(transform)
    placed.SetInputConnection(edges.GetOutputPort())
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(placed.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTHINGS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    surface = smooth.GetOutput()
    if np.linalg.det(to_ras[:3, :3]) < 0.0:
        turned = vtk.vtkReverseSense()
        turned.SetInputData(surface)
        turned.Update()
        surface = turned.GetOutput()
    return _with_normals(surface, split=False)


def _revolved(profile: np.ndarray, origin: np.ndarray, direction: np.ndarray) -> vtk.vtkPolyData:
    """A profile (m, 2) of (radius, along) turned about the line from origin along direction."""
    along = direction / np.linalg.norm(direction)
    across = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    across /= np.linalg.norm(across)
    other = np.cross(along, across)
    angle = np.arange(_SIDES) * (2.0 * np.pi / _SIDES)
    ring = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * other
    vertices = origin + profile[:, None, :1] * ring[None] + profile[:, None, 1:] * along
    index = np.arange(len(profile) * _SIDES).reshape(len(profile), _SIDES)
    a, b = index[:-1], np.roll(index[:-1], -1, axis=1)
    c, d = np.roll(index[1:], -1, axis=1), index[1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return _with_normals(_polydata(vertices.reshape(-1, 3), faces), split=True)


def _polydata(vertices: np.ndarray, faces: np.ndarray) -> vtk.vtkPolyData:
    cells = vtk.vtkCellArray()
    offsets = np.arange(len(faces) + 1, dtype=np.int64) * 3
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(faces, dtype=np.int64).ravel(), deep=True),
    )
    data = vtk.vtkPolyData()
    data.SetPoints(_points(vertices))
    data.SetPolys(cells)
    return data


def _points(vertices: np.ndarray) -> vtk.vtkPoints:
    points = vtk.vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, dtype=np.float32), deep=True))
    return points


def _with_normals(surface: vtk.vtkPolyData, split: bool) -> vtk.vtkPolyData:
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(surface)
    normals.SetSplitting(split)
    normals.SetFeatureAngle(40.0)
    normals.ConsistencyOff()
    normals.AutoOrientNormalsOff()
    normals.Update()
    return normals.GetOutput()
