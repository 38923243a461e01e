"""Where a domain is hollow a surface between grid points would leave it: there its distances are drawn back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from ..field.compiled import compiled
from ..field.grid import Grid
from ..mesh.half_edges import twins
from ..mesh.mesh import Mesh

BAND_STEPS = 1.74  # a cube that the border passes has no corner farther from it than its own diagonal, 1.7321 steps
# Measured on feet, creases, grooves, stars, gaps and heaps of boxes: by 1.75 times what was found at most 1.4 µm were
# left, where three creases meet in one cube, by twice 0.8 µm.
_DRAWN_BACK = 2.5
# What is wrong by less than this is left: a tenth of the 1 µm allowed, and ten times what single precision makes.
_FAINT_MM = 1e-4
_PLACES_PER_STEP = 4  # of the border; measured: with more nothing comes nearer to the 1 µm
_PLACES_AT_ONCE = 100_000
# A surface between grid points may leave the domain by so much before anything is drawn back: of the 1 µm allowed.
_BESIDE_MM = 0.8e-3
# What turns inwards rises, within a grid step, over the plane of the face before. Over a hollow, whose faces are
# smaller than a step, the surface between grid points rises half as much, beside a single crease a fifth.
_OVER_HOLLOW, _BESIDE_CREASE = 0.5, 0.2
_NOISE_MM = 2e-5  # what rounding a coordinate of 200 mm to float32 may raise a corner by


def is_hollow(mesh: Mesh, spacing: float) -> bool:
    """Whether a closed mesh turns inwards by more than a grid of this spacing can follow, or is in several pieces.

    What is left, convex but for faint creases, has no place that faces another from outside.
    """
    twin = twins(mesh.faces, len(mesh.vertices))
    if twin is None or 2 * len(mesh.vertices) - len(mesh.faces) != 4:  # Euler: one piece without holes
        return True
    axes = [np.ascontiguousarray(axis) for axis in mesh.vertices.T]
    a, b, c = mesh.faces.T
    (ux, vx), (uy, vy), (uz, vz) = ((axis[b] - axis[a], axis[c] - axis[a]) for axis in axes)
    normal = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    area = np.sqrt((normal * normal).sum(axis=0))
    normal /= np.maximum(area, 1e-300)
    # The corner across each edge, in the face beyond it.
    across = mesh.faces[:, [2, 0, 1]].ravel()[twin].reshape(-1, 3)
    rise = sum(n[:, None] * (axis[across] - axis[a][:, None]) for n, axis in zip(normal, axes)).ravel()
    turned = np.flatnonzero(rise > _NOISE_MM)
    start, end = mesh.faces.ravel()[turned], mesh.faces[:, [1, 2, 0]].ravel()[turned]
    edges = mesh.vertices[np.stack([start, end], axis=1)]
    height = area[twin[turned] // 3] / np.maximum(np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1), 1e-300)
    beside = _BESIDE_CREASE * rise[turned] * np.minimum(1.0, spacing / np.maximum(height, 1e-300))
    if (beside > _BESIDE_MM).any():
        return True
    fine = np.flatnonzero(height < spacing)
    middles = edges[fine].mean(axis=1)
    tree = cKDTree(mesh.vertices, compact_nodes=False, balanced_tree=False)
    for row, middle, seen in zip(fine, middles, tree.query_ball_point(middles, spacing)):
        above = (mesh.vertices[seen] - middle) @ normal[:, turned[row] // 3]
        if _OVER_HOLLOW * float(above.max(initial=0.0)) > _BESIDE_MM:
            return True
    return False


def draw_back(values: np.ndarray, grid: Grid, border: np.ndarray) -> None:
    """Raises distances [k, j, i] mm to a mesh at the corners of cubes in which they say that its border lies inside, in
    place: no surface then passes beyond the border, not even in gaps that no grid point lies in.

    border: (n, 3, 3) float64 triangles that make it up, in steps of the grid from its origin, so that parts of a grid
    see the same numbers. Of the planes at either end only a part of what they hang on is seen.
    """
    raised = np.zeros_like(values)
    longest = np.linalg.norm(np.roll(border, -1, axis=1) - border, axis=2).max(axis=1, initial=0.0)
    parts = np.maximum(1, np.ceil(_PLACES_PER_STEP * longest)).astype(np.int64)
    loop = compiled(lift_cubes)
    if loop is not None:
        loop(border, parts, np.array(grid.start), values, raised, _FAINT_MM)
    else:
        for places in _places(border, parts):
            _lift_cubes_at(places, grid, values, raised)
    raised *= np.float32(_DRAWN_BACK)
    values += raised


def lift_cubes(
    triangles: np.ndarray,
    parts: np.ndarray,
    start: np.ndarray,
    values: np.ndarray,
    raised: np.ndarray,
    faint: float,
) -> None:
    """Notes in raised[k, j, i] how deep any place of the triangles lies in a cube that has that corner; a loop for
    `compiled`.

    parts: (n,) into how many parts the sides of each are cut for its places; start: (3,) i, j and k of the first value;
    faint: mm that count as nothing. How deep a place may lie is told by the least that the values at its cube's corners
    may mean there. Along each axis in turn values go straight; across it the square that is left is parted along either
    diagonal, as a surface parts it: the product of both shares, which would leave it whole, is then one of its bounds
    (Fréchet).
    """
    nz, ny, nx = values.shape
    for t in range(triangles.shape[0]):
        ax, ay, az = triangles[t, 0, 0], triangles[t, 0, 1], triangles[t, 0, 2]
        bx, by, bz = triangles[t, 1, 0] - ax, triangles[t, 1, 1] - ay, triangles[t, 1, 2] - az
        cx, cy, cz = triangles[t, 2, 0] - ax, triangles[t, 2, 1] - ay, triangles[t, 2, 2] - az
        number = parts[t]
        for p in range(number + 1):
            for q in range(number + 1 - p):
                s, r = p / number, q / number
                x, y, z = ax + s * bx + r * cx, ay + s * by + r * cy, az + s * bz + r * cz
                i, j, k = math.floor(x), math.floor(y), math.floor(z)
                x, y, z = x - i, y - j, z - k
                i, j, k = i - start[0], j - start[1], k - start[2]
                if i < 0 or j < 0 or k < 0 or i > nx - 2 or j > ny - 2 or k > nz - 2:
                    continue
                v000, v001 = values[k, j, i], values[k, j, i + 1]
                v010, v011 = values[k, j + 1, i], values[k, j + 1, i + 1]
                v100, v101 = values[k + 1, j, i], values[k + 1, j, i + 1]
                v110, v111 = values[k + 1, j + 1, i], values[k + 1, j + 1, i + 1]
                least = np.inf
                for axis in range(3):
                    if axis == 0:
                        u, w = y, x
                        a, b = v000 + z * (v100 - v000), v001 + z * (v101 - v001)
                        c, d = v010 + z * (v110 - v010), v011 + z * (v111 - v011)
                    elif axis == 1:
                        u, w = z, x
                        a, b = v000 + y * (v010 - v000), v001 + y * (v011 - v001)
                        c, d = v100 + y * (v110 - v100), v101 + y * (v111 - v101)
                    else:
                        u, w = z, y
                        a, b = v000 + x * (v001 - v000), v010 + x * (v011 - v010)
                        c, d = v100 + x * (v101 - v100), v110 + x * (v111 - v110)
                    twist = a - b - c + d
                    both = max(u + w - 1.0, 0.0) if twist > 0.0 else min(u, w)
                    least = min(least, a + w * (b - a) + u * (c - a) + twist * both)
                if least < -faint:
                    for corner in range(8):
                        kk, jj, ii = k + corner // 4, j + corner // 2 % 2, i + corner % 2
                        raised[kk, jj, ii] = max(raised[kk, jj, ii], -least)


def _places(triangles: np.ndarray, parts: np.ndarray) -> Iterator[np.ndarray]:
    """The places (n, 3) of triangles (m, 3, 3) whose sides are cut into that many parts (m,)."""
    for number in np.unique(parts):
        weights = np.array([(number - p - q, p, q) for p in range(number + 1) for q in range(number + 1 - p)]) / number
        some = triangles[parts == number]
        at_once = max(1, _PLACES_AT_ONCE // len(weights))
        for begin in range(0, len(some), at_once):
            yield np.einsum("pc,tci->tpi", weights, some[begin : begin + at_once]).reshape(-1, 3)


def _lift_cubes_at(places: np.ndarray, grid: Grid, values: np.ndarray, raised: np.ndarray) -> None:
    """As `lift_cubes`, for places (n, 3), as array operations."""
    nx, ny, _ = grid.shape
    whole = np.floor(places)
    cubes = whole.astype(np.int64) - np.array(grid.start)
    held = ((cubes >= 0) & (cubes < np.array(grid.shape) - 1)).all(axis=1)
    cubes, within = cubes[held], (places - whole)[held].astype(np.float32).T[::-1]
    first = (cubes[:, 2] * ny + cubes[:, 1]) * nx + cubes[:, 0]
    corners = [(k * ny + j) * nx + i for k, j, i in np.ndindex(2, 2, 2)]
    around = np.stack([values.reshape(-1)[first + corner] for corner in corners]).reshape(2, 2, 2, -1)
    least = np.full(len(cubes), np.inf, np.float32)
    for axis in range(3):
        (a, b), (c, d) = around.take(0, axis) + within[axis] * (around.take(1, axis) - around.take(0, axis))
        u, w = (within[other] for other in range(3) if other != axis)
        twist = a - b - c + d
        both = np.where(twist > 0.0, np.maximum(u + w - np.float32(1.0), np.float32(0.0)), np.minimum(u, w))
        np.minimum(least, a + w * (b - a) + u * (c - a) + twist * both, out=least)
    deep = np.flatnonzero(least < np.float32(-_FAINT_MM))
    for corner in corners:
        np.maximum.at(raised.reshape(-1), first[deep] + corner, -least[deep])
