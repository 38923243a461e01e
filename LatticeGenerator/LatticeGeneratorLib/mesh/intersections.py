"""Where a surface passes through itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..field.compiled import compiled
from .box_tree import LEAF, box_tree, leaves_reached
from .mesh import Mesh

_Meets = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
_PAIRS_AT_ONCE = 2_000_000
_GROUP = 8  # edges that look for faces together
# Ends of an edge that lie nearer to a face's plane than this touch it: on flat surfaces rounding alone tells sides.
_TOUCH_MM = 1e-9
_SLACK_MM = 1e-6  # boxes are taken larger by this, so that rounding drops no pair


def piercing_edges(mesh: Mesh) -> int:
    """Number of distinct edges that pass through the inside of a face with which they share no vertex."""
    return len(np.unique(piercings(mesh)[0], axis=0))


def piercings(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Every edge (n, 2) that passes through the inside of a face with which it shares no vertex, and that face (n,).

    Edges that end within 1e-9 mm of a face's plane touch it and do not pass through.

    Two faces that cross without touching in a vertex always do so where an edge of one pierces the other.
    """
    if len(mesh.faces) == 0:
        return np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
    edges = _edges(mesh)
    found = np.unique(_by_tree(mesh, edges) if compiled(leaves_reached) else _by_bins(mesh, edges), axis=0)
    return edges[found[:, 0]], found[:, 1]


def pierced_places(mesh: Mesh, edges: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) mm: where edges (n, 2) pass through faces (n,), as `piercings` gives them."""
    start, way = mesh.vertices[edges[:, 0]], np.subtract(*mesh.vertices[edges[:, ::-1].T])
    a, b, c = mesh.triangles[faces].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    along = np.einsum("ij,ij->i", normal, a - start) / np.einsum("ij,ij->i", normal, way)
    return start + along[:, None] * way


def _edges(mesh: Mesh) -> np.ndarray:
    """(n, 2) the mesh's edges, each once, lower vertex first, in order."""
    start, end = mesh.faces.ravel(), mesh.faces[:, [1, 2, 0]].ravel()
    keys = np.sort(np.minimum(start, end) * len(mesh.vertices) + np.maximum(start, end))
    keys = keys[np.append(True, keys[1:] != keys[:-1])]
    return np.stack(np.divmod(keys, len(mesh.vertices)), axis=1)


def _by_tree(mesh: Mesh, edges: np.ndarray) -> np.ndarray:
    """(p, 2) numbers of edges and of the faces they pierce; needs numba."""
    triangles = mesh.triangles
    boxes, order = box_tree(triangles)
    # Edges are tried in the order of the faces in the tree, so that those of a group lie close together.
    place = np.empty(len(mesh.vertices), np.int64)
    place[mesh.faces[order]] = np.arange(len(order))[:, None]
    near = np.argsort(place[edges[:, 0]], kind="stable")
    segments = mesh.vertices[edges[near]]
    groups = np.arange(0, len(near), _GROUP)
    low = np.minimum.reduceat(segments.min(axis=1), groups)
    high = np.maximum.reduceat(segments.max(axis=1), groups)
    reach, pierce = compiled(leaves_reached), compiled(pierced_in_leaves)
    assert reach is not None and pierce is not None
    leaves, starts = reach(boxes, low, high)
    found = pierce(boxes[len(boxes) // 2 :], leaves, starts, triangles[order], mesh.faces[order], segments, edges[near])
    return np.stack([near[found[:, 0]], order[found[:, 1]]], axis=1)


def pierced_in_leaves(
    boxes: np.ndarray,
    leaves: np.ndarray,
    starts: np.ndarray,
    triangles: np.ndarray,
    faces: np.ndarray,
    segments: np.ndarray,
    edges: np.ndarray,
) -> np.ndarray:
    """(p, 2) numbers of edges and of the faces they pierce, of those in the leaves that each group of edges reaches.

    A loop for `compiled`. boxes: of the leaves; leaves, starts: as from `leaves_reached` for groups of _GROUP edges;
    triangles (m, 3, 3), faces (m, 3): in the tree's order; segments (n, 2, 3), edges (n, 2). Signed volumes as in
    `_pierces`.
    """
    found = np.empty((64, 2), np.int64)
    count = 0
    for e in range(edges.shape[0]):
        p, q = edges[e, 0], edges[e, 1]
        px, py, pz = segments[e, 0, 0], segments[e, 0, 1], segments[e, 0, 2]
        qx, qy, qz = segments[e, 1, 0], segments[e, 1, 1], segments[e, 1, 2]
        lx, ly, lz, hx, hy, hz = min(px, qx), min(py, qy), min(pz, qz), max(px, qx), max(py, qy), max(pz, qz)
        dx, dy, dz = qx - px, qy - py, qz - pz
        for n in range(starts[e // _GROUP], starts[e // _GROUP + 1]):
            leaf = leaves[n]
            if boxes[leaf, 0] > hx or boxes[leaf, 1] > hy or boxes[leaf, 2] > hz:
                continue
            if boxes[leaf, 3] < lx or boxes[leaf, 4] < ly or boxes[leaf, 5] < lz:
                continue
            for f in range(LEAF * leaf, min(LEAF * leaf + LEAF, faces.shape[0])):
                i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
                if i in (p, q) or j in (p, q) or k in (p, q):
                    continue
                ax, ay, az = triangles[f, 0, 0] - px, triangles[f, 0, 1] - py, triangles[f, 0, 2] - pz
                bx, by, bz = triangles[f, 1, 0] - px, triangles[f, 1, 1] - py, triangles[f, 1, 2] - pz
                cx, cy, cz = triangles[f, 2, 0] - px, triangles[f, 2, 1] - py, triangles[f, 2, 2] - pz
                ab = dx * (ay * bz - az * by) + dy * (az * bx - ax * bz) + dz * (ax * by - ay * bx)
                bc = dx * (by * cz - bz * cy) + dy * (bz * cx - bx * cz) + dz * (bx * cy - by * cx)
                if ab * bc <= 0.0:
                    continue
                ca = dx * (cy * az - cz * ay) + dy * (cz * ax - cx * az) + dz * (cx * ay - cy * ax)
                if ab * ca <= 0.0:
                    continue
                ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
                nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
                at_p = -(nx * ax + ny * ay + nz * az)
                at_q = nx * (dx - ax) + ny * (dy - ay) + nz * (dz - az)
                touch = _TOUCH_MM * math.sqrt(nx * nx + ny * ny + nz * nz)
                if at_p * at_q < 0.0 and abs(at_p) > touch and abs(at_q) > touch:
                    if count == found.shape[0]:
                        found = np.concatenate((found, np.empty_like(found)))
                    found[count, 0], found[count, 1] = e, f
                    count += 1
    return found[:count]


def _by_bins(mesh: Mesh, edges: np.ndarray) -> np.ndarray:
    """As `_by_tree`, as array operations: faces and edges are sorted into cubic bins, and each edge is tried
    against the faces of its bins."""
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
    found = [np.zeros((0, 2), np.int64)]
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
        through = _pierces(segments[edge], triangles[face])
        found.append(np.stack([edge[through], face[through]], axis=1))
    return np.concatenate(found)


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
    p = segment[:, 0]
    a, b, c = ((triangle[:, corner] - p).T for corner in range(3))
    d = (segment[:, 1] - p).T
    ab, bc, ca = _dot(d, _cross(a, b)), _dot(d, _cross(b, c)), _dot(d, _cross(c, a))
    same_side = (ab * bc > 0) & (ab * ca > 0)
    normal = _cross(b - a, c - a)
    at_p, at_q = -_dot(normal, a), _dot(normal, d - a)
    touch = _TOUCH_MM * np.sqrt(_dot(normal, normal))
    return same_side & (at_p * at_q < 0) & (np.abs(at_p) > touch) & (np.abs(at_q) > touch)


def _dot(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])
