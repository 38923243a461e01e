"""Whether a mesh is what a printer needs: one closed, oriented surface, before and after it is written to a file."""

from __future__ import annotations

import numpy as np

from .half_edges import fan_count, twins
from .intersections import piercing_edges
from .mesh import Mesh
from .pieces import pieces_of
from .weld import as_stl_reads

_AFTER = np.array([1, 2, 0])  # the corner that follows in a face


def closed_manifold_fault(mesh: Mesh) -> str | None:
    """What keeps the mesh from being a closed, oriented 2-manifold with positive volume, in words; None if nothing.

    Looks at: emptiness, coordinates that are not numbers, faces that use a vertex twice, open, non-manifold and
    inconsistently directed edges, vertices where two surfaces touch in a point, and the sign of the volume.
    """
    if len(mesh.faces) == 0:
        return "it is empty"
    if not np.isfinite(mesh.vertices).all():
        return f"{int((~np.isfinite(mesh.vertices)).any(axis=1).sum())} vertices are not finite numbers"
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        return "faces refer to vertices that do not exist"
    a, b, c = mesh.faces.T
    collapsed = int(((a == b) | (b == c) | (c == a)).sum())
    if collapsed:
        return f"{collapsed} faces are degenerate (two corners are one vertex)"
    twin = twins(mesh.faces, len(mesh.vertices))
    if twin is None:
        return _edge_fault(mesh)
    split = fan_count(mesh.faces, twin) - int((np.bincount(mesh.faces.ravel()) > 0).sum())
    if split:
        return f"non-manifold vertices: {split} surplus surfaces touch others in a single vertex"
    volume = mesh.volume
    if volume <= 0.0:
        return f"its volume is {volume:.6g} mm³: faces point inwards or the body is flat"
    return None


def stl_fault(mesh: Mesh) -> str | None:
    """As `closed_manifold_fault`, for the mesh as read back from STL: float32 vertices, equal ones merged.

    The turn from RAS to LPS changes signs only, so the answer holds for both.
    """
    fault = closed_manifold_fault(as_stl_reads(mesh))
    return f"after rounding to STL precision {fault}" if fault else None


def components(mesh: Mesh) -> list[Mesh]:
    """The separate surfaces of the mesh, largest absolute volume first; an inner void is a surface of its own."""
    if len(mesh.faces) == 0:
        return []
    pieces = pieces_of(mesh)
    largest_first = np.argsort(-np.abs(pieces.volumes), kind="stable")
    used = np.bincount(pieces.of_face, minlength=len(pieces.volumes)) > 0
    numbers = np.arange(len(pieces.volumes))
    return [pieces.only(numbers == number) for number in largest_first if used[number]]


def self_intersections(mesh: Mesh) -> int:
    """How many edges of the mesh pierce a face that they do not belong to or touch in a common vertex.

    Zero for a surface that nowhere passes through itself; faces that merely overlap in one plane are not counted.
    """
    return piercing_edges(mesh)


def _edge_fault(mesh: Mesh) -> str:
    """Names the edges that have one face, more than two, or two with the same direction."""
    start, end = mesh.faces.ravel(), mesh.faces[:, _AFTER].ravel()
    key = np.minimum(start, end) * len(mesh.vertices) + np.maximum(start, end)
    _, index, uses = np.unique(key, return_inverse=True, return_counts=True)
    balance = np.bincount(index, weights=np.where(start < end, 1.0, -1.0))
    faults = {
        "open": int((uses == 1).sum()),
        "non-manifold": int((uses > 2).sum()),
        "inconsistently directed": int(((uses == 2) & (balance != 0)).sum()),
    }
    first = int(np.flatnonzero((uses != 2) | (balance != 0))[0])
    place = mesh.vertices[start[np.flatnonzero(index == first)[0]]]
    counted = ", ".join(f"{count} {kind} edges" for kind, count in faults.items() if count)
    return f"{counted}, one at ({place[0]:.3f}, {place[1]:.3f}, {place[2]:.3f}) mm"
