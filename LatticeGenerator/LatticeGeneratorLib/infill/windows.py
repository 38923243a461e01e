"""Round windows spread over a face, for powder to leave by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..errors import GeometryError
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..mesh.split import split_triangles

_APART_SHARE = 0.12  # of the distance between windows: how fine the places are that they are tried at
# On a small face windows find most room along its edge, on a large one side by side: both are tried.
_EDGEWARD = (0.0, 0.5, 2.0)
_BEYOND_MM = 1.0  # windows reach so far out of the face


@dataclass(frozen=True, eq=False)
class Windows:
    """Round holes. centres, inwards: (n, 3) on the face and unit vectors into the body; radius, depth: mm."""

    centres: np.ndarray
    inwards: np.ndarray
    radius: float
    depth: float

    def on(self, grid: Grid) -> np.ndarray:
        """[k, j, i] float32 mm: distance to the nearest window's round wall, negative in the window; cut off at two
        radii. Windows are as long as depth inwards, and longer than the face is uneven outwards."""
        far = 2.0 * self.radius
        result = np.full(grid.array_shape, far, np.float32)
        axes = grid.axes()
        for centre, inward in zip(self.centres, self.inwards):
            ends = np.stack([centre - _BEYOND_MM * inward, centre + self.depth * inward])
            low, high = ends.min(axis=0) - far, ends.max(axis=0) + far
            parts = [slice(*np.searchsorted(axis, (a, b))) for axis, a, b in zip(axes, low, high)]
            if any(part.start >= part.stop for part in parts):
                continue
            away = [
                (axis[part] - start).astype(np.float32).reshape(shape)
                for axis, part, start, shape in zip(axes, parts, centre, ((1, 1, -1), (1, -1, 1), (-1, 1, 1)))
            ]
            along = sum((a * np.float32(way) for a, way in zip(away, inward)), start=np.float32(0.0))
            square = sum((a * a for a in away), start=np.float32(0.0)) - along * along
            wall = np.sqrt(np.maximum(square, 0.0)) - np.float32(self.radius)
            ends_at = np.maximum(along - np.float32(self.depth), -along - np.float32(_BEYOND_MM))
            here = result[parts[2], parts[1], parts[0]]
            np.minimum(here, np.maximum(wall, ends_at), out=here)
        return result


def windows_in(face: Mesh, window_mm: float, bridge_mm: float, depth_mm: float) -> Windows:
    """Windows as close together on a face, open or closed, as the bridges between them and to its edge allow.

    Raises GeometryError where not one of them has room.
    """
    apart = window_mm + bridge_mm
    pieces = split_triangles(face.triangles, _APART_SHARE * apart)
    places = pieces.mean(axis=1)
    across = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])
    edge = _edge_points(face, _APART_SHARE * apart)
    room = np.full(len(places), np.inf) if not len(edge) else cKDTree(edge).query(places)[0]
    free = room >= 0.5 * window_mm + bridge_mm
    if not free.any():
        raise GeometryError(
            f"no window of {window_mm:g} mm with {bridge_mm:g} mm round it has room on the chosen faces: make "
            "windows or bridges smaller, or choose larger faces"
        )
    inner, room = places[free], np.where(np.isinf(room[free]), 0.0, room[free])
    tried = (_packed(inner, apart, share * room, first) for share in _EDGEWARD for first in _firsts(inner))
    chosen = inner[max(tried, key=len)]
    # The way through is that of the face around the window.
    near = cKDTree(places).query_ball_point(chosen, 0.5 * window_mm)
    normals = np.array([across[index].sum(axis=0) for index in near])
    inwards = -normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return Windows(chosen, inwards, 0.5 * window_mm, depth_mm)


def _firsts(places: np.ndarray) -> list[int]:
    """Indices of places to begin at: the middle one and the outermost ones."""
    away = places - places.mean(axis=0)
    along = away @ np.linalg.svd(away, full_matrices=False)[2].T
    ways = [along[:, 0] + sign * along[:, 1] for sign in (-1.0, 1.0)] + [along[:, 0], along[:, 1]]
    ends = [int(end) for way in ways for end in (way.argmin(), way.argmax())]
    return [int(np.linalg.norm(away, axis=1).argmin()), *ends]


def _packed(places: np.ndarray, apart: float, room: np.ndarray, first: int) -> list[int]:
    """Indices of places no two of which are nearer than that, each next to those before: nearly a honeycomb. room:
    (n,) what else a place costs."""
    from_first = np.linalg.norm(places - places[first], axis=1)
    nearest, chosen = np.full(len(places), np.inf), []
    following = first
    while True:
        chosen.append(following)
        nearest = np.minimum(nearest, np.linalg.norm(places - places[following], axis=1))
        # Of those with room the nearest to what is there; of equals, to within a grain, the one nearest the first.
        cost = np.where(nearest >= apart, nearest + room + 0.01 * from_first, np.inf)
        following = int(cost.argmin())
        if not np.isfinite(cost[following]):
            return chosen


def _edge_points(face: Mesh, apart: float) -> np.ndarray:
    """(n, 3) points along the edges that only one triangle has, as far apart."""
    start, end = face.faces.ravel(), np.roll(face.faces, -1, axis=1).ravel()
    key = np.minimum(start, end) * len(face.vertices) + np.maximum(start, end)
    _, first, uses = np.unique(key, return_index=True, return_counts=True)
    lone = first[uses == 1]
    if not len(lone):
        return np.zeros((0, 3))
    a, b = face.vertices[start[lone]], face.vertices[end[lone]]
    counts = np.ceil(np.linalg.norm(b - a, axis=1) / apart).astype(int) + 1
    which = np.repeat(np.arange(len(lone)), counts)
    share = np.concatenate([np.linspace(0.0, 1.0, n) for n in counts])[:, None]
    return a[which] * (1.0 - share) + b[which] * share
