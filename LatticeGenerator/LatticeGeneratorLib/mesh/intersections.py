"""Where a surface passes through itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .mesh import Mesh

_Meets = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
_PAIRS_AT_ONCE = 2_000_000
_SLACK_MM = 1e-6  # cubes are taken larger by this, so that rounding drops no pair


def piercing_edges(mesh: Mesh) -> int:
    """Number of distinct edges that pass through the inside of a face with which they share no vertex."""
    return len(np.unique(piercings(mesh)[0], axis=0))


def piercings(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Every edge (n, 2) that passes through the inside of a face with which it shares no vertex, and that face (n,).

    Two faces that cross without touching in a vertex always do so where an edge of one pierces the other. Faces and
    edges are sorted into cubic bins, and each edge is tried against the faces of its bins.
    """
    if len(mesh.faces) == 0:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    pairs = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    keys = np.unique(pairs[:, 0] * len(mesh.vertices) + pairs[:, 1])
    edges = np.stack(np.divmod(keys, len(mesh.vertices)), axis=1)
    size = 2.0 * float(np.median(np.linalg.norm(np.diff(mesh.vertices[edges], axis=1), axis=2))) + 1e-9
    extent = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
    size = max(size, float(extent.max()) / 2000.0)
    origin = mesh.vertices.min(axis=0) - 1e-6
    counts = np.ceil((extent + 2e-6) / size).astype(np.int64) + 1
    triangles, segments = mesh.triangles, mesh.vertices[edges]
    face_bin, face_of = _binned(triangles, origin, size, counts, _plane_meets)
    edge_bin, edge_of = _binned(segments, origin, size, counts, _segment_meets)
    order = np.argsort(face_bin, kind="stable")
    face_bin, face_of = face_bin[order], face_of[order]
    first = np.searchsorted(face_bin, edge_bin, side="left")
    number = np.searchsorted(face_bin, edge_bin, side="right") - first
    face_low, face_high = _bounds(triangles)
    edge_low, edge_high = _bounds(segments)
    found: list[np.ndarray] = []
    for begin, end in _chunks(number, _PAIRS_AT_ONCE):
        repeat = number[begin:end]
        edge = np.repeat(edge_of[begin:end], repeat)
        offset = np.arange(repeat.sum()) - np.repeat(np.cumsum(repeat) - repeat, repeat)
        face = face_of[np.repeat(first[begin:end], repeat) + offset]
        for axis in range(3):
            near = edge_low[axis][edge] <= face_high[axis][face]
            near &= edge_high[axis][edge] >= face_low[axis][face]
            edge, face = edge[near], face[near]
        apart = ~((mesh.faces[face][:, :, None] == edges[edge][:, None, :]).any(axis=(1, 2)))
        edge, face = edge[apart], face[apart]
        segment, triangle = segments[edge], triangles[face]
        near = (segment.min(axis=1) <= triangle.max(axis=1)).all(axis=1)
        near &= (segment.max(axis=1) >= triangle.min(axis=1)).all(axis=1)
        through = _pierces(segment[near], triangle[near])
        found.append(np.stack([edge[near][through], face[near][through]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 2), np.int64)
    return edges[pairs[:, 0]], pairs[:, 1]


def _binned(
    shapes: np.ndarray, origin: np.ndarray, size: float, counts: np.ndarray, meets: _Meets
) -> tuple[np.ndarray, np.ndarray]:
    """For (n, corners, 3) shapes, every (bin, shape) pair in which the shape meets the bin: two (p,) arrays."""
    low = np.floor((shapes.min(axis=1) - origin) / size).astype(np.int64)
    high = np.floor((shapes.max(axis=1) - origin) / size).astype(np.int64)
    span = high - low + 1
    number = span.prod(axis=1)
    bins, owners = [], []
    for begin, end in _chunks(number, _PAIRS_AT_ONCE):
        count = number[begin:end]
        shape = np.repeat(np.arange(begin, end), count)
        rest = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        i = rest % span[shape, 0]
        j = rest // span[shape, 0] % span[shape, 1]
        k = rest // (span[shape, 0] * span[shape, 1])
        place = low[shape] + np.stack([i, j, k], axis=1)
        kept = meets(shapes[shape], origin + (place + 0.5) * size, 0.5 * size)
        place, shape = place[kept], shape[kept]
        bins.append((place[:, 2] * counts[1] + place[:, 1]) * counts[0] + place[:, 0])
        owners.append(shape)
    return np.concatenate(bins), np.concatenate(owners)


def _plane_meets(triangles: np.ndarray, centres: np.ndarray, half: float) -> np.ndarray:
    """(n,) whether the plane of each (3, 3) triangle meets the cube about each centre."""
    a = triangles[:, 0]
    normal = np.cross(triangles[:, 1] - a, triangles[:, 2] - a)
    away = np.abs(np.einsum("ij,ij->i", normal, centres - a))
    return away <= (half + _SLACK_MM) * np.abs(normal).sum(axis=1)


def _segment_meets(segments: np.ndarray, centres: np.ndarray, half: float) -> np.ndarray:
    """(n,) whether each (2, 3) segment meets the cube about each centre, within whose bounds its own lie.

    The separating axes left to try are those across the segment and a side of the cube.
    """
    reach = 0.5 * (segments[:, 1] - segments[:, 0])
    middle = 0.5 * (segments[:, 0] + segments[:, 1]) - centres
    span = np.abs(reach)
    meets = np.ones(len(segments), bool)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        across = np.abs(middle[:, i] * reach[:, j] - middle[:, j] * reach[:, i])
        meets &= across <= (half + _SLACK_MM) * (span[:, i] + span[:, j])
    return meets


def _bounds(shapes: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Lowest and highest coordinate of each shape along each axis, in single precision, rounded outwards."""
    low, high = (shapes.min(axis=1).T.astype(np.float32), shapes.max(axis=1).T.astype(np.float32))
    down, up = np.nextafter(low, np.float32(-np.inf)), np.nextafter(high, np.float32(np.inf))
    return list(np.ascontiguousarray(down)), list(np.ascontiguousarray(up))


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
