"""Combining fields: bodies given by functions that are negative inside, in millimetres."""

from __future__ import annotations

import numpy as np

from .grid import Grid


def smooth_union(a: np.ndarray, b: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """The field of both bodies, with a fillet of the radius (mm) in the groove where they meet.

    Where the surfaces meet at a right angle the fillet is a true circle of that radius; further from it than the
    radius both surfaces stay where they were. The radius may vary from point to point: an array like a and b.
    Formula: hg_sdf, opUnionRound (Mercury, 2015).
    """
    if np.ndim(radius) == 0 and radius <= 0.0:
        return np.minimum(a, b)
    fillet = np.hypot(np.maximum(radius - a, 0.0), np.maximum(radius - b, 0.0))
    return np.maximum(np.minimum(a, b), radius) - fillet


def smooth_maximum(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """The field of what both bodies share, with the edge where they meet rounded to the radius (mm)."""
    return -smooth_union(-a, -b, radius)


def smooth_difference(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """The field of body a without body b, with the edge between them rounded to the radius (mm)."""
    return smooth_maximum(a, -b, radius)


def sample(values: np.ndarray, grid: Grid, points: np.ndarray) -> np.ndarray:
    """(n,) float64: the field at (n, 3) points in mm, trilinear between grid points.

    Beyond the grid the value is that of the nearest point on its border.
    """
    size = np.array(grid.shape)
    place = np.clip(grid.indices(points), 0.0, size - 1.0)
    low = np.minimum(place.astype(np.int64), np.maximum(size - 2, 0))
    fx, fy, fz = (place - low).T
    nx, ny, _ = grid.shape
    step = np.minimum(size - 1, 1) * np.array([1, nx, nx * ny])
    flat = np.ascontiguousarray(values).reshape(-1)
    base = low[:, 0] + nx * (low[:, 1] + ny * low[:, 2])
    result = np.zeros(len(base))
    for dz, wz in ((0, 1.0 - fz), (step[2], fz)):
        for dy, wy in ((0, 1.0 - fy), (step[1], fy)):
            for dx, wx in ((0, 1.0 - fx), (step[0], fx)):
                result += wz * wy * wx * flat[base + dx + dy + dz]
    return result
