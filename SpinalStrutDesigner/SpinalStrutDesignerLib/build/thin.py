"""Fins too thin to print: what bone leaves of a foot where two surfaces come close."""

from __future__ import annotations

import numpy as np
from LatticeGeneratorLib.field.grid import Grid
from LatticeGeneratorLib.field.isosurface import isosurface
from scipy.spatial import cKDTree

# Half the recommended printed wall of titanium (clinical facts: 0.4 mm minimum, 0.6 structural, 1.0 recommended).
HALF_WALL_MM = 0.5
# What a ball of that radius leaves of a sharp edge where two faces meet at a right angle is 0.41 of its radius; this
# share keeps such edges and takes everything that stands out farther.
_EDGE_SHARE = 0.5
_REACH_MM = HALF_WALL_MM * (1.0 + _EDGE_SHARE)
# Balls are tried up to this radius, so that where they become smaller than half a wall is between two known ones, mm.
_LARGEST_MM = 2.0 * HALF_WALL_MM
# A ball may reach through the surface by this much, mm: the normals of a sampled surface err, and on a flat face with
# normals off by an angle e the ball that touches it reaches through by e² / 2 of its radius.
_THROUGH_MM = 0.02
# A bound: each step makes a ball smaller, and in the implants measured seven steps were the most needed.
_STEPS = 20


def without_fins(values: np.ndarray, step_mm: float) -> np.ndarray:
    """The field of a solid, [k, j, i] mm negative inside, without what stands out from its thick parts as a fin.

    Thick is where a ball of 1.0 mm diameter fits (a morphological opening); what lies farther from there than an edge
    of a thick part can is cut away. Measured between surfaces, not grid points, so that it does not matter where the
    grid lies.
    """
    if not (values < 0.0).any():
        return values
    points, inward, faces = _surface(values, step_mm)
    if len(points) == 0:
        return values
    radii = _ball_radii(points, inward)
    narrow = np.flatnonzero(radii < HALF_WALL_MM)
    if len(narrow) == 0:
        return values
    near = _near(values.shape, points[narrow], step_mm)
    places = step_mm * near[:, ::-1]
    core = _core(points, inward, radii, faces)
    # Farther than this the surface cannot lie between a point and its neighbour.
    beyond = _REACH_MM + 2.0 * step_mm
    away = np.full(len(places), beyond)
    if len(core):
        away = np.minimum(cKDTree(core).query(places, distance_upper_bound=beyond)[0], beyond)
    opened = values.copy()
    opened[tuple(near.T)] = np.maximum(opened[tuple(near.T)], away - _REACH_MM)
    return opened


def _surface(values: np.ndarray, step_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 3) mm of the zero level, (x, y, z) from the first grid point, their unit normals inwards (n, 3), and
    its triangles (m, 3); open where the solid goes on beyond the grid."""
    grid = Grid(np.zeros(3), step_mm, values.shape[::-1])
    mesh = isosurface(values, grid)
    held = np.all((mesh.vertices >= 0.0) & (mesh.vertices <= grid.upper), axis=1)
    faces = mesh.faces[held[mesh.faces].all(axis=1)]
    a, b, c = mesh.vertices[faces].transpose(1, 0, 2)
    across = np.cross(c - a, b - a)
    corners, count = faces.ravel(), len(held)
    inward = np.column_stack([np.bincount(corners, np.repeat(along, 3), count) for along in across.T])
    used = np.linalg.norm(inward, axis=1) > 0.0
    inward = inward[used] / np.linalg.norm(inward[used], axis=1, keepdims=True)
    return mesh.vertices[used], inward, (np.cumsum(used) - 1)[faces]


def _ball_radii(points: np.ndarray, inward: np.ndarray) -> np.ndarray:
    """(n,) mm: the largest ball inside that touches the surface at each of its points (n, 3), at most _LARGEST_MM.

    The shrinking ball of Ma, Bae and Choi (2012): a ball that holds another point is made to pass through it.
    """
    radii = np.full(len(points), _LARGEST_MM)
    tree = cKDTree(points)
    tried = np.arange(len(points))
    for _ in range(_STEPS):
        distance, nearest = tree.query(points[tried] + radii[tried, None] * inward[tried])
        held = distance < radii[tried] - _THROUGH_MM
        tried, nearest = tried[held], nearest[held]
        if len(tried) == 0:
            break
        way = points[nearest] - points[tried]
        radii[tried] = np.einsum("ij,ij->i", way, way) / (2.0 * np.einsum("ij,ij->i", way, inward[tried]))
    return radii


def _core(points: np.ndarray, inward: np.ndarray, radii: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(p, 3) points, close together, of the boundary of where a ball of half a wall may have its centre.

    Below the surface's points that bear such a ball, the middles of edges and triangles between them, and the places on
    other edges as far as which one is borne.
    """
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    thick = radii >= HALF_WALL_MM
    a, b = edges.T
    both, last = edges[thick[a] & thick[b]], edges[thick[a] != thick[b]]
    a, b = last.T
    share = ((HALF_WALL_MM - radii[a]) / (radii[b] - radii[a]))[:, None]
    whole = faces[thick[faces].all(axis=1)]

    def between(values: np.ndarray) -> np.ndarray:
        ends = (1.0 - share) * values[a] + share * values[b]
        return np.concatenate([values[thick], values[both].mean(axis=1), values[whole].mean(axis=1), ends])

    normals = between(inward)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return between(points) + HALF_WALL_MM * normals / np.maximum(lengths, 1e-12)


def _near(shape: tuple[int, ...], points: np.ndarray, step_mm: float) -> np.ndarray:
    """(p, 3) the grid points, as (k, j, i), that may lie in a fin or just outside one whose surface has points (n, 3).

    Where a point's nearest place on the surface bears a ball of half a wall, the core is within reach.
    """
    reach = int(np.ceil(HALF_WALL_MM / step_mm)) + 1
    along = np.arange(-reach, reach + 1)
    ball = np.stack(np.meshgrid(along, along, along, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = ball[(ball**2).sum(axis=1) <= (reach + 0.5) ** 2]
    centres = np.unique(np.rint(points[:, ::-1] / step_mm).astype(np.int64), axis=0)
    marked = np.zeros(shape, bool)
    for offset in ball:
        index = centres + offset
        held = ((index >= 0) & (index < shape)).all(axis=1)
        marked[tuple(index[held].T)] = True
    return np.argwhere(marked)
