"""What can be filled, read from the scene: models and segments as closed bodies, regions of interest as boxes."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ..errors import GeometryError
from ..infill.domain import checked_body
from ..infill.region import Within
from ..mesh.mesh import Mesh
from .models import mesh_from, mesh_of
from .place import matrix_of, to_world

_SURFACE = "Closed surface"


def body_of_model(node: Any) -> Mesh:
    """The closed body of a model node, RAS mm. Raises GeometryError where it is not closed or of several pieces."""
    return checked_body(mesh_of(node), f"the model '{node.GetName()}'")


def body_of_segment(node: Any, segment_id: str) -> Mesh:
    """The closed surface of a segment, RAS mm, smoothed as Slicer shows it; the segmentation is left as it is.

    Raises GeometryError where the segment is missing, empty or of several pieces.
    """
    import slicer

    source = node.GetSegmentation()
    name = segment_name(node, segment_id)
    # On a copy: a representation that a person did not ask for would be shown, and saved with the scene.
    copy = slicer.vtkSegmentation()
    copy.SetSourceRepresentationName(source.GetSourceRepresentationName())
    copy.CopyConversionParameters(source)
    made = copy.CopySegmentFromSegmentation(source, segment_id) and copy.CreateRepresentation(_SURFACE)
    surface = copy.GetSegment(segment_id).GetRepresentation(_SURFACE) if made else None
    if surface is None or surface.GetNumberOfPolys() == 0:
        raise GeometryError(f"the segment '{name}' is empty: paint it, or choose another one")
    return checked_body(mesh_from(surface).transformed(to_world(node)), f"the segment '{name}'")


def segment_name(node: Any, segment_id: str) -> str:
    """A segment's name. Raises GeometryError where there is no such segment."""
    segment = node.GetSegmentation().GetSegment(segment_id) if segment_id else None
    if segment is None:
        raise GeometryError(f"choose a segment of '{node.GetName()}'")
    return str(segment.GetName() or segment_id)


def box_of(roi: Any) -> Within:
    """The box of a region of interest, RAS mm. Raises GeometryError where it has no volume or is turned inside out."""
    to_world(roi)  # refuses transforms under which a box is none
    if roi.GetInsideOut():
        raise GeometryError(f"the region of interest '{roi.GetName()}' is turned inside out: turn it back")
    x, y, z = (float(edge) for edge in roi.GetSize())
    rows = matrix_of(roi.GetObjectToWorldMatrix())
    return Within(tuple(tuple(float(v) for v in row) for row in rows), (x, y, z))


def fit_box(roi: Any, body: Mesh) -> None:
    """Lays a region of interest round a body given in RAS mm, along the axes of the node's own coordinates."""
    import vtk

    points = body.transformed(np.linalg.inv(to_world(roi)))
    low, high = points.bounds
    roi.SetAndObserveObjectToNodeMatrix(vtk.vtkMatrix4x4())
    roi.SetCenter(*(0.5 * (low + high)).tolist())
    roi.SetSize(*(high - low).tolist())


def fingerprint_of_model(node: Any) -> str:
    """A digest of a model's surface and place, cheaper than reading it as a body."""
    return _digest(node, _of_surface(node.GetPolyData()))


def fingerprint_of_segment(node: Any, segment_id: str) -> str:
    """A digest of a segment's voxels (or surface) and place; empty where there is no such segment."""
    from vtk.util.numpy_support import vtk_to_numpy

    source = node.GetSegmentation()
    segment: Any = source.GetSegment(segment_id) if segment_id else None
    held = segment.GetRepresentation(source.GetSourceRepresentationName()) if segment is not None else None
    if held is None:
        return ""
    if held.IsA("vtkPolyData"):
        return _digest(node, _of_surface(held))
    scalars = held.GetPointData().GetScalars()
    if scalars is None:
        return ""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    held.GetImageToWorldMatrix(matrix)
    # Other segments may share the labelmap.
    voxels = vtk_to_numpy(scalars) == segment.GetLabelValue()
    return _digest(node, [np.packbits(voxels), matrix_of(matrix), np.array(held.GetExtent())])


def segment_state(node: Any, segment_id: str) -> tuple[int, bytes]:
    """What changes whenever a segment is edited or moved, told without reading its voxels. Raises GeometryError where
    there is no such segment."""
    segment_name(node, segment_id)
    source = node.GetSegmentation()
    held = source.GetSegment(segment_id).GetRepresentation(source.GetSourceRepresentationName())
    return 0 if held is None else held.GetMTime(), to_world(node).tobytes()


def _of_surface(surface: Any) -> list[np.ndarray]:
    from vtk.util.numpy_support import vtk_to_numpy

    if surface is None or surface.GetNumberOfPolys() == 0:
        return []
    return [vtk_to_numpy(surface.GetPoints().GetData()), vtk_to_numpy(surface.GetPolys().GetConnectivityArray())]


def _digest(node: Any, arrays: list[np.ndarray]) -> str:
    found = hashlib.sha256()
    try:
        arrays = [*arrays, to_world(node)]
    except GeometryError as error:
        found.update(str(error).encode())
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
