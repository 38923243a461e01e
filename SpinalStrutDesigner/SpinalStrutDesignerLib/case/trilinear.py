"""Values on a block of nodes, told between them: compiled where numba is installed, by scipy elsewhere."""

from __future__ import annotations

import math

import numpy as np
from LatticeGeneratorLib.field.compiled import compiled
from scipy import ndimage


def interpolated(values: np.ndarray, ras_to_ijk: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) of float32 values [k, j, i], trilinear, at points (n, 3) RAS mm; NaN outside the block's nodes."""
    found = np.empty(len(points))
    (compiled(between_nodes) or between_nodes_arrays)(values, ras_to_ijk, points, found)
    return found


def between_nodes(values: np.ndarray, inverse: np.ndarray, points: np.ndarray, found: np.ndarray) -> None:
    """Writes the values at points to found; a loop for `compiled`. Sums in double, in scipy's order, and rounds to
    float32 as scipy does, so that both give the same numbers."""
    depth, height, width = values.shape
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        k = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2] * z + inverse[2, 3]
        j = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2] * z + inverse[1, 3]
        i = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2] * z + inverse[0, 3]
        if not (0.0 <= k <= depth - 1 and 0.0 <= j <= height - 1 and 0.0 <= i <= width - 1):
            found[n] = np.nan
            continue
        k0, j0, i0 = math.floor(k), math.floor(j), math.floor(i)
        # At the last node the next one has no weight.
        k1, j1, i1 = min(k0 + 1, depth - 1), min(j0 + 1, height - 1), min(i0 + 1, width - 1)
        k, j, i = k - k0, j - j0, i - i0
        total = values[k0, j0, i0] * (1.0 - k) * (1.0 - j) * (1.0 - i)
        total += values[k0, j0, i1] * (1.0 - k) * (1.0 - j) * i
        total += values[k0, j1, i0] * (1.0 - k) * j * (1.0 - i)
        total += values[k0, j1, i1] * (1.0 - k) * j * i
        total += values[k1, j0, i0] * k * (1.0 - j) * (1.0 - i)
        total += values[k1, j0, i1] * k * (1.0 - j) * i
        total += values[k1, j1, i0] * k * j * (1.0 - i)
        total += values[k1, j1, i1] * k * j * i
        found[n] = np.float32(total)


def between_nodes_arrays(values: np.ndarray, inverse: np.ndarray, points: np.ndarray, found: np.ndarray) -> None:
    """The same, whole arrays at a time."""
    kji = to_kji(inverse, points)
    inside = np.ones(len(points), dtype=bool)
    for row, size in zip(kji, values.shape):
        inside &= (row >= 0) & (row <= size - 1)
    found[:] = np.nan
    found[inside] = ndimage.map_coordinates(values, kji[:, inside], order=1, mode="nearest")


def to_kji(inverse: np.ndarray, points: np.ndarray) -> np.ndarray:
    """RAS points (n, 3) to continuous voxel coordinates (3, n), k first; inverse: RAS to ijk, 4x4.

    Written out: a matrix product of so narrow matrices costs more, and libraries split it over threads.
    """
    x, y, z = np.ascontiguousarray(points.T)
    return np.stack([inverse[r, 0] * x + inverse[r, 1] * y + inverse[r, 2] * z + inverse[r, 3] for r in (2, 1, 0)])
