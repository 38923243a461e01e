"""Which points a closed mesh encloses."""

from __future__ import annotations

import math

import numpy as np

from ..field.compiled import compiled
from .mesh import Mesh

_PAIRS_AT_ONCE = 1_000_000


def winding_number(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """(n,) how often the surface winds round each (n, 3) point: 1 inside a closed mesh, 0 outside.

    Sum of the faces' solid angles (Van Oosterom and Strackee 1983) over 4π.
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    triangles = mesh.triangles
    loop = compiled(summed_angles)
    if loop is not None:
        return loop(points, triangles)
    total = np.zeros(len(points))
    step = max(1, _PAIRS_AT_ONCE // max(len(triangles), 1))
    for begin in range(0, len(points), step):
        corners = triangles[None] - points[begin : begin + step, None, None]
        a, b, c = corners[:, :, 0], corners[:, :, 1], corners[:, :, 2]
        la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
        numerator = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
        denominator = la * lb * lc
        for first, second, length in ((a, b, lc), (b, c, la), (c, a, lb)):
            denominator += np.einsum("pfi,pfi->pf", first, second) * length
        total[begin : begin + step] = np.arctan2(numerator, denominator).sum(axis=1) / (2.0 * np.pi)
    return total


def summed_angles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """As `winding_number`, of triangles (m, 3, 3); a loop for `compiled`."""
    total = np.zeros(points.shape[0])
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        angles = 0.0
        for t in range(triangles.shape[0]):
            ax, ay, az = triangles[t, 0, 0] - x, triangles[t, 0, 1] - y, triangles[t, 0, 2] - z
            bx, by, bz = triangles[t, 1, 0] - x, triangles[t, 1, 1] - y, triangles[t, 1, 2] - z
            cx, cy, cz = triangles[t, 2, 0] - x, triangles[t, 2, 1] - y, triangles[t, 2, 2] - z
            la = math.sqrt(ax * ax + ay * ay + az * az)
            lb = math.sqrt(bx * bx + by * by + bz * bz)
            lc = math.sqrt(cx * cx + cy * cy + cz * cz)
            above = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
            below = la * lb * lc + (ax * bx + ay * by + az * bz) * lc
            below += (bx * cx + by * cy + bz * cz) * la + (cx * ax + cy * ay + cz * az) * lb
            angles += math.atan2(above, below)
        total[n] = angles / (2.0 * math.pi)
    return total
