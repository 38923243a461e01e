"""What the choices in a parameter node mean for how cells lie.

`parameters` is the module's wrapped parameter node, of whose fields these are read: lying, lyingTransform, lyingFace.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..infill.along import point_of
from ..infill.laid import UNTURNED, Conformal, Laid, Turned
from ..mesh.mesh import Mesh
from .attached import surface_of
from .place import matrix_of


def laid_of(parameters: Any, axes: np.ndarray) -> Laid:
    """How the cells shall lie. axes: 3x3, of the body, as columns. Raises GeometryError with the remedy."""
    if parameters.lying == "body":
        return _turned(axes)
    if parameters.lying == "transform":
        return _turned(_rotation(parameters.lyingTransform))
    if parameters.lying == "face":
        if parameters.lyingFace is None:
            raise GeometryError("choose the surface along which the cells shall lie")
        face = surface_of(parameters.lyingFace)
        return Conformal(face, _looks_to(face.mesh, parameters.lyingFace.GetName()))
    return UNTURNED


def own_axes(body: Mesh) -> np.ndarray:
    """3x3: the principal axes of a closed body's volume as columns, each named after that of RAS it is nearest to."""
    a, b, c = (body.triangles - body.vertices.mean(axis=0)).transpose(1, 0, 2)
    # Moments of the tetrahedra between the middle and each face.
    volumes = np.einsum("ni,ni->n", a, np.cross(b, c)) / 6.0
    total = a + b + c
    middle = (volumes[:, None] * total).sum(axis=0) / (4.0 * volumes.sum())
    moments = sum(np.einsum("n,ni,nj->ij", volumes, p, p) for p in (a, b, c, total)) / 20.0
    moments = moments - volumes.sum() * np.outer(middle, middle)
    axes = np.linalg.eigh(moments)[1]
    signs = list(product((1.0, -1.0), repeat=3))
    turns = (axes[:, list(order)] * ways for order in permutations(range(3)) for ways in signs)
    return max((turn for turn in turns if np.linalg.det(turn) > 0.0), key=np.trace)


def _turned(rotation: np.ndarray) -> Turned:
    x, y, z = (point_of(axis) for axis in rotation.T)
    return Turned((x, y, z))


def _rotation(node: Any) -> np.ndarray:
    import vtk

    if node is None:
        raise GeometryError("choose the transform by which the cells shall be turned")
    if not node.IsTransformToWorldLinear():
        raise GeometryError(f"'{node.GetName()}' warps: choose a linear transform to turn the cells by")
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToWorld(matrix)
    # Only how it turns is asked for: the nearest rotation, which a rounded matrix on disk is not quite.
    left, sizes, right = np.linalg.svd(matrix_of(matrix)[:3, :3])
    if np.linalg.det(left @ right) < 0.0 or sizes.max() > 1.001 * sizes.min():
        raise GeometryError(f"'{node.GetName()}' mirrors or shears: choose a transform that turns alone")
    return left @ right


def _looks_to(face: Mesh, name: str) -> tuple[float, float, float]:
    """The mean way a surface looks. Raises GeometryError where it looks all ways, as a closed one does."""
    a, b, c = face.triangles.transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    mean = normals.sum(axis=0)
    if np.linalg.norm(mean) < 0.2 * np.linalg.norm(normals, axis=1).sum():
        raise GeometryError(f"the surface '{name}' looks all ways: choose a patch of a body that cells can follow")
    return point_of(mean / np.linalg.norm(mean))
