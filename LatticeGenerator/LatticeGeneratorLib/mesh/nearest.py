"""How far points are from a surface: exactly, to the triangles themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..field.compiled import compiled
from .box_tree import LEAF, box_tree
from .mesh import Mesh

_PAIRS_AT_ONCE = 500_000


@dataclass(frozen=True, eq=False)
class Nearest:
    """A surface made ready to be asked for distances. triangles: (m, 3, 3) in the tree's order; boxes and order: as
    `box_tree` gave them."""

    triangles: np.ndarray
    boxes: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> Nearest:
        """The surface of a mesh that has faces."""
        triangles = mesh.triangles
        boxes, order = box_tree(triangles)
        return cls(np.ascontiguousarray(triangles[order]), boxes, order)

    def to(self, points: np.ndarray, guess: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n,) mm: distance of points (n, 3) to the surface, and (n,) the place in `triangles` of a nearest one.

        Fastest with a good guess (n,) at those, or where points that follow one another lie close together.
        """
        points = np.ascontiguousarray(points, np.float64).reshape(-1, 3)
        descend = compiled(nearest_in_tree)
        if descend is not None:
            first = np.full(len(points), -1) if guess is None else np.ascontiguousarray(guess)
            return descend(points, first, self.boxes, self.triangles)
        return _by_levels(points, self.boxes, self.triangles)

    def between(self, corners: np.ndarray, near: np.ndarray) -> np.ndarray:
        """(n, 3, 3) mm, [n, i, j]: distance of corner i of corners (n, 3, 3) to triangle near[n, j] of near (n, 3)."""
        corners, near = np.ascontiguousarray(corners), np.ascontiguousarray(near)
        loop = compiled(corner_gaps)
        if loop is not None:
            return loop(corners, near, self.triangles)
        gaps = [distances_to(corners[:, i], self.triangles[near[:, j]]) for i in range(3) for j in range(3)]
        return np.stack(gaps, axis=1).reshape(-1, 3, 3)


def distances_to(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n,) mm: distance of points (n, 3) to triangles (n, 3, 3), each to its own."""
    a = triangles[:, 0]
    return np.sqrt(_squares(points - a, triangles[:, 1] - a, triangles[:, 2] - a))


def nearest_in_tree(
    points: np.ndarray, guess: np.ndarray, boxes: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `Nearest.to`: a loop for `compiled`. A search without a guess (-1) starts from what the one before found.

    Regions of the triangle's plane after Ericson, Real-Time Collision Detection, 5.1.5.
    """
    leaves = boxes.shape[0] // 2
    away, which = np.empty(points.shape[0]), np.empty(points.shape[0], np.int64)
    stack, reach = np.empty(128, np.int64), np.empty(128)
    last = 0
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        if guess[n] >= 0:
            last = guess[n]
        best, found = np.inf, last
        # The guess first, then from the root; -1 stands for the one triangle.
        stack[0], stack[1], reach[0], reach[1] = 1, -1, 0.0, 0.0
        height = 2
        while height > 0:
            height -= 1
            node = stack[height]
            if reach[height] >= best:
                continue
            if 0 < node < leaves:
                for side in range(2):
                    child = 2 * node + side
                    gx = max(boxes[child, 0] - x, 0.0, x - boxes[child, 3])
                    gy = max(boxes[child, 1] - y, 0.0, y - boxes[child, 4])
                    gz = max(boxes[child, 2] - z, 0.0, z - boxes[child, 5])
                    stack[height + side], reach[height + side] = child, gx * gx + gy * gy + gz * gz
                # The nearer child is looked into first.
                if reach[height] < reach[height + 1]:
                    stack[height], stack[height + 1] = stack[height + 1], stack[height]
                    reach[height], reach[height + 1] = reach[height + 1], reach[height]
                height += 2
                continue
            begin = LEAF * (node - leaves) if node > 0 else last
            end = min(begin + LEAF, triangles.shape[0]) if node > 0 else last + 1
            for t in range(begin, end):
                ax, ay, az = triangles[t, 0, 0], triangles[t, 0, 1], triangles[t, 0, 2]
                ux, uy, uz = triangles[t, 1, 0] - ax, triangles[t, 1, 1] - ay, triangles[t, 1, 2] - az
                vx, vy, vz = triangles[t, 2, 0] - ax, triangles[t, 2, 1] - ay, triangles[t, 2, 2] - az
                px, py, pz = x - ax, y - ay, z - az
                uu, uv, vv = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
                pu, pv = px * ux + py * uy + pz * uz, px * vx + py * vy + pz * vz
                bu, bv, cu, cv = pu - uu, pv - uv, pu - uv, pv - vv
                vc, vb, va = pu * bv - bu * pv, cu * pv - pu * cv, bu * cv - cu * bv
                if pu <= 0.0 and pv <= 0.0:
                    s, r = 0.0, 0.0
                elif bu >= 0.0 and bv <= bu:
                    s, r = 1.0, 0.0
                elif vc <= 0.0 and pu >= 0.0 and bu <= 0.0:
                    s, r = pu / (pu - bu), 0.0
                elif cv >= 0.0 and cu <= cv:
                    s, r = 0.0, 1.0
                elif vb <= 0.0 and pv >= 0.0 and cv <= 0.0:
                    s, r = 0.0, pv / (pv - cv)
                elif va <= 0.0 and bv - bu >= 0.0 and cu - cv >= 0.0:
                    r = (bv - bu) / ((bv - bu) + (cu - cv))
                    s = 1.0 - r
                else:
                    s, r = vb / (va + vb + vc), vc / (va + vb + vc)
                dx, dy, dz = px - s * ux - r * vx, py - s * uy - r * vy, pz - s * uz - r * vz
                square = dx * dx + dy * dy + dz * dz
                if square < best:
                    best, found = square, t
        away[n], which[n], last = math.sqrt(best), found, found
    return away, which


def corner_gaps(corners: np.ndarray, near: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """As `Nearest.between`: a loop for `compiled`. A point over the triangle's inside is as far as its plane, any other
    as far as the nearest side."""
    gaps = np.empty((corners.shape[0], 3, 3))
    for n in range(corners.shape[0]):
        for j in range(3):
            t = near[n, j]
            ax, ay, az = triangles[t, 0, 0], triangles[t, 0, 1], triangles[t, 0, 2]
            ux, uy, uz = triangles[t, 1, 0] - ax, triangles[t, 1, 1] - ay, triangles[t, 1, 2] - az
            vx, vy, vz = triangles[t, 2, 0] - ax, triangles[t, 2, 1] - ay, triangles[t, 2, 2] - az
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            nn = nx * nx + ny * ny + nz * nz
            for i in range(3):
                best, over = np.inf, nn > 0.0
                for side in range(3):
                    after = (side + 1) % 3
                    sx, sy, sz = triangles[t, side, 0], triangles[t, side, 1], triangles[t, side, 2]
                    ex, ey, ez = triangles[t, after, 0] - sx, triangles[t, after, 1] - sy, triangles[t, after, 2] - sz
                    px, py, pz = corners[n, i, 0] - sx, corners[n, i, 1] - sy, corners[n, i, 2] - sz
                    left = (ey * pz - ez * py) * nx + (ez * px - ex * pz) * ny + (ex * py - ey * px) * nz
                    over = over and left >= 0.0
                    length = ex * ex + ey * ey + ez * ez
                    share = min(max((px * ex + py * ey + pz * ez) / length, 0.0), 1.0) if length > 0.0 else 0.0
                    dx, dy, dz = px - share * ex, py - share * ey, pz - share * ez
                    best = min(best, dx * dx + dy * dy + dz * dz)
                if over:
                    height = nx * (corners[n, i, 0] - ax) + ny * (corners[n, i, 1] - ay) + nz * (corners[n, i, 2] - az)
                    gaps[n, i, j] = abs(height) / math.sqrt(nn)
                else:
                    gaps[n, i, j] = math.sqrt(best)
    return gaps


def _by_levels(points: np.ndarray, boxes: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `Nearest.to`, as array operations: all points go down the tree together, level by level.

    No triangle is nearer than its box, and none that counts is farther than the nearest corner.
    """
    limit = cKDTree(triangles.reshape(-1, 3)).query(points)[0] * (1.0 + 1e-9) + 1e-12
    away, which = np.empty(len(points)), np.zeros(len(points), np.int64)
    step = max(1, _PAIRS_AT_ONCE // 100)
    leaves = len(boxes) // 2
    for begin in range(0, len(points), step):
        some = points[begin : begin + step]
        point, node = np.arange(len(some)), np.ones(len(some), np.int64)
        while node[0] < leaves:
            point, node = np.repeat(point, 2), (2 * node[:, None] + np.arange(2)).ravel()
            gap = np.maximum(np.maximum(boxes[node, :3] - some[point], some[point] - boxes[node, 3:]), 0.0)
            met = np.einsum("ij,ij->i", gap, gap) <= limit[begin + point] ** 2
            point, node = point[met], node[met]
        triangle = (LEAF * (node - leaves)[:, None] + np.arange(LEAF)).ravel()
        point = np.repeat(point, LEAF)[triangle < len(triangles)]
        triangle = triangle[triangle < len(triangles)]
        distance = distances_to(some[point], triangles[triangle])
        nearest = np.lexsort((distance, point))
        nearest = nearest[np.diff(point[nearest], prepend=-1) > 0]
        away[begin : begin + step], which[begin : begin + step] = distance[nearest], triangle[nearest]
    return away, which


def _squares(p: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(n,) squared distances of points p (n, 3) to triangles with sides u and v (n, 3) from the origin."""
    uu, uv, vv, pu, pv = (np.einsum("ij,ij->i", *pair) for pair in ((u, u), (u, v), (v, v), (p, u), (p, v)))
    bu, bv, cu, cv = pu - uu, pv - uv, pu - uv, pv - vv
    vc, vb, va = pu * bv - bu * pv, cu * pv - pu * cv, bu * cv - cu * bv
    one, nought = np.ones_like(pu), np.zeros_like(pu)
    regions = [
        (pu <= 0.0) & (pv <= 0.0),
        (bu >= 0.0) & (bv <= bu),
        (vc <= 0.0) & (pu >= 0.0) & (bu <= 0.0),
        (cv >= 0.0) & (cu <= cv),
        (vb <= 0.0) & (pv >= 0.0) & (cv <= 0.0),
        (va <= 0.0) & (bv - bu >= 0.0) & (cu - cv >= 0.0),
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        along_bc = (bv - bu) / ((bv - bu) + (cu - cv))
        whole = va + vb + vc
        s = np.select(regions, [nought, one, pu / (pu - bu), nought, nought, 1.0 - along_bc], vb / whole)
        r = np.select(regions, [nought, nought, nought, one, pv / (pv - cv), along_bc], vc / whole)
    gap = p - s[:, None] * u - r[:, None] * v
    return np.einsum("ij,ij->i", gap, gap)
