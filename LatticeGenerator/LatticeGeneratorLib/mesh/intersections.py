"""Where a surface passes through itself."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh

_PAIRS_AT_ONCE = 2_000_000


def piercing_edges(mesh: Mesh) -> int:
    """Number of distinct edges that pass through the inside of a face with which they share no vertex.

    Two faces that cross without touching in a vertex always do so where an edge of one pierces the other. Faces and
    edges are sorted into cubic bins, and each edge is tried against the faces of its bins.
    """
    if len(mesh.faces) == 0:
        return 0
    edges = np.unique(np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    size = 2.0 * float(np.median(np.linalg.norm(np.diff(mesh.vertices[edges], axis=1), axis=2))) + 1e-9
    extent = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
    size = max(size, float(extent.max()) / 2000.0)
    origin = mesh.vertices.min(axis=0) - 1e-6
    counts = np.ceil((extent + 2e-6) / size).astype(np.int64) + 1
    face_bin, face_of = _binned(mesh.triangles, origin, size, counts)
    edge_bin, edge_of = _binned(mesh.vertices[edges], origin, size, counts)
    order = np.argsort(face_bin, kind="stable")
    face_bin, face_of = face_bin[order], face_of[order]
    first = np.searchsorted(face_bin, edge_bin, side="left")
    number = np.searchsorted(face_bin, edge_bin, side="right") - first
    pierced = np.zeros(len(edges), bool)
    for begin, end in _chunks(number, _PAIRS_AT_ONCE):
        repeat = number[begin:end]
        edge = np.repeat(edge_of[begin:end], repeat)
        offset = np.arange(repeat.sum()) - np.repeat(np.cumsum(repeat) - repeat, repeat)
        face = face_of[np.repeat(first[begin:end], repeat) + offset]
        corners = mesh.faces[face]
        apart = ~((corners[:, :, None] == edges[edge][:, None, :]).any(axis=(1, 2)))
        edge, face = edge[apart], face[apart]
        segment, triangle = mesh.vertices[edges[edge]], mesh.vertices[mesh.faces[face]]
        near = (segment.min(axis=1) <= triangle.max(axis=1)).all(axis=1)
        near &= (segment.max(axis=1) >= triangle.min(axis=1)).all(axis=1)
        pierced[edge[near][_pierces(segment[near], triangle[near])]] = True
    return int(pierced.sum())


def _binned(shapes: np.ndarray, origin: np.ndarray, size: float, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For (n, corners, 3) shapes, every (bin, shape) pair in which the shape's bounding box lies: two (p,) arrays."""
    low = np.floor((shapes.min(axis=1) - origin) / size).astype(np.int64)
    high = np.floor((shapes.max(axis=1) - origin) / size).astype(np.int64)
    span = high - low + 1
    number = span.prod(axis=1)
    shape = np.repeat(np.arange(len(shapes)), number)
    rest = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    i = rest % span[shape, 0]
    j = rest // span[shape, 0] % span[shape, 1]
    k = rest // (span[shape, 0] * span[shape, 1])
    place = low[shape] + np.stack([i, j, k], axis=1)
    return (place[:, 2] * counts[1] + place[:, 1]) * counts[0] + place[:, 0], shape


def _chunks(number: np.ndarray, limit: int) -> list[tuple[int, int]]:
    """Ranges of entries whose numbers add up to about `limit` each."""
    if len(number) == 0:
        return []
    part = np.cumsum(number) // limit
    cuts = np.flatnonzero(np.diff(part)) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(number)]))


def _pierces(segment: np.ndarray, triangle: np.ndarray) -> np.ndarray:
    """(n,) whether each (2, 3) segment passes through each (3, 3) triangle's inside (signed volumes)."""
    p, q = segment[:, 0], segment[:, 1]
    a, b, c = triangle[:, 0], triangle[:, 1], triangle[:, 2]
    normal = np.cross(b - a, c - a)
    at_p = np.einsum("ij,ij->i", normal, p - a)
    at_q = np.einsum("ij,ij->i", normal, q - a)
    direction = q - p
    ab = np.einsum("ij,ij->i", direction, np.cross(a - p, b - p))
    bc = np.einsum("ij,ij->i", direction, np.cross(b - p, c - p))
    ca = np.einsum("ij,ij->i", direction, np.cross(c - p, a - p))
    same_side = ((ab > 0) & (bc > 0) & (ca > 0)) | ((ab < 0) & (bc < 0) & (ca < 0))
    return (at_p * at_q < 0) & same_side
