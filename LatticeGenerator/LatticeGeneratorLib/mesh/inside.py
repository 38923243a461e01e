"""Which points a closed mesh encloses."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh

_PAIRS_AT_ONCE = 1_000_000


def winding_number(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """(n,) how often the surface winds round each (n, 3) point: 1 inside a closed mesh, 0 outside.

    Sum of the faces' solid angles (Van Oosterom and Strackee 1983) over 4π.
    """
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    triangles = mesh.triangles
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
