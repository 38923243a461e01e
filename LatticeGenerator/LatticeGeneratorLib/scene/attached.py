"""Surfaces and volumes of the scene that an order goes by, read once and again only when they have changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from ..errors import GeometryError
from ..infill.attached import Surface, Volume
from .models import mesh_of
from .place import matrix_of, to_world

Found = TypeVar("Found")

# An order names few of them, and a panel asks for them at every change.
_KEPT = 8
_MARGIN_VOXELS = 2
_kept: OrderedDict[Hashable, Any] = OrderedDict()


def surface_of(node: Any) -> Surface:
    """A model node's surface, RAS mm. Raises GeometryError where it holds none."""
    if node.GetPolyData() is None:
        raise GeometryError(f"the model '{node.GetName()}' holds no surface; choose another one")
    # VTK counts modifications of all objects together: no two states have the same number.
    return remembered((node.GetPolyData().GetMTime(), to_world(node).tobytes()), lambda: Surface.of(mesh_of(node)))


def volume_of(node: Any, bounds: np.ndarray) -> Volume:
    """The part of a scalar volume node round a box, bounds (2, 3) RAS mm; all of it is too much to hand over.

    Raises GeometryError where it holds no numbers there.
    """
    image = node.GetImageData()
    if scalars_of(node) is None:
        raise GeometryError(f"the volume '{node.GetName()}' holds no image: choose another one")
    if image.GetNumberOfScalarComponents() != 1:
        raise GeometryError(f"the volume '{node.GetName()}' is in colours: choose one of single values")
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ijk_to_ras = to_world(node) @ matrix_of(matrix)
    key = image.GetMTime(), ijk_to_ras.tobytes(), np.round(bounds, 1).tobytes()
    return remembered(key, lambda: _cut(node, ijk_to_ras, bounds))


def scalars_of(node: Any) -> Any:
    """The array of a volume node's numbers; None where it holds none, or there is no node."""
    image = None if node is None else node.GetImageData()
    return None if image is None else image.GetPointData().GetScalars()


def remembered(key: Hashable, make: Callable[[], Found]) -> Found:
    """What was made for that key before, else what is made now; few are kept."""
    if key not in _kept:
        _kept[key] = make()
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    found: Found = _kept[key]
    return found


def _cut(node: Any, ijk_to_ras: np.ndarray, bounds: np.ndarray) -> Volume:
    from vtk.util.numpy_support import vtk_to_numpy

    image = node.GetImageData()
    size = np.array(image.GetDimensions())
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(size[::-1])
    corners = np.stack(np.meshgrid(*bounds.T, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.linalg.solve(ijk_to_ras[:3, :3], (corners - ijk_to_ras[:3, 3]).T).T
    low = np.clip(np.floor(inside.min(axis=0)).astype(int) - _MARGIN_VOXELS, 0, size - 1)
    high = np.clip(np.ceil(inside.max(axis=0)).astype(int) + _MARGIN_VOXELS, low, size - 1)
    if (inside.max(axis=0) < 0.0).any() or (inside.min(axis=0) > size - 1).any():
        raise GeometryError(f"the volume '{node.GetName()}' does not reach the body: choose another one")
    i, j, k = (slice(a, b + 1) for a, b in zip(low, high))
    moved = ijk_to_ras.copy()
    moved[:3, 3] += ijk_to_ras[:3, :3] @ low
    return Volume.of(np.array(values[k, j, i], np.float32), moved)
