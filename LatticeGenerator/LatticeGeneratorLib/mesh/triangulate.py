"""Triangles that fill a plane polygon."""

from __future__ import annotations

import numpy as np

from ..errors import GeometryError

_CROSSING = "the outline of {} corners crosses itself: it has no inside to fill; draw it without crossings"


def triangulated(polygon: np.ndarray) -> np.ndarray:
    """(n - 2, 3) corner indices of triangles that fill a simple polygon, by cutting ears; uses every corner.

    polygon: (n, 2), counter-clockwise. Raises GeometryError if the outline crosses itself.
    """
    if _crosses_itself(polygon):
        raise GeometryError(_CROSSING.format(len(polygon)))
    ring = list(range(len(polygon)))
    triangles = []
    while len(ring) > 3:
        corner = _best_ear(polygon, ring)
        if corner is None:
            raise GeometryError(_CROSSING.format(len(polygon)))
        triangles.append((ring[corner - 1], ring[corner], ring[(corner + 1) % len(ring)]))
        del ring[corner]
    return np.array([*triangles, tuple(ring)], dtype=np.int64)


def _crosses_itself(polygon: np.ndarray) -> bool:
    """Whether two sides pass through each other; sides that only touch do not."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    side = b - a
    start = _cross(side[:, None], a[None] - a[:, None])
    end = _cross(side[:, None], b[None] - a[:, None])
    parted = start * end < 0.0
    return bool((parted & parted.T).any())


def _best_ear(polygon: np.ndarray, ring: list[int]) -> int | None:
    """Position in the ring of the corner that cuts off the best-shaped triangle with no other corner inside."""
    b = polygon[ring]
    a, c = np.roll(b, 1, axis=0), np.roll(b, -1, axis=0)
    twice_area = _cross(b - a, c - b)
    longest = np.maximum(np.maximum(_square(b - a), _square(c - b)), _square(a - c))
    quality = twice_area / np.where(longest > 0, longest, 1.0)
    reflex = np.flatnonzero(twice_area <= 0)
    for corner in np.argsort(-quality, kind="stable"):
        if quality[corner] < 0:
            return None
        others = reflex[(reflex != corner) & (reflex != (corner - 1) % len(b)) & (reflex != (corner + 1) % len(b))]
        p = b[others]
        inside = (
            (_cross(b[corner] - a[corner], p - a[corner]) >= 0)
            & (_cross(c[corner] - b[corner], p - b[corner]) >= 0)
            & (_cross(a[corner] - c[corner], p - c[corner]) >= 0)
        )
        if not inside.any():
            return int(corner)
    return None


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def _square(u: np.ndarray) -> np.ndarray:
    return u[..., 0] ** 2 + u[..., 1] ** 2
