"""Which ball is the largest over each point of a grid."""

from __future__ import annotations

import math

import numpy as np

from ..field.compiled import compiled
from ..field.grid import Grid

_PAIRS_AT_ONCE = 2_000_000
_ONE_BALL_PER = 0.5  # balls whose centres lie closer than half a voxel cover the same points


def cover(grid: Grid, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """[k, j, i] mm: the radius of the largest of the balls that cover each grid point, 0 where none does.

    centres: (n, 3) mm; radii: (n,) mm. A point between two balls of one sheet may miss both by a hair: balls reach a
    tenth of a voxel further than their radius.
    """
    centres, radii = distinct(centres, radii, _ONE_BALL_PER * grid.spacing)
    result = np.zeros(grid.array_shape)
    reach = radii / grid.spacing + 0.1
    (compiled(paint_balls) or paint_balls_arrays)(grid.indices(centres), reach, radii, result)
    return result


def paint_balls(centres: np.ndarray, reach: np.ndarray, radii: np.ndarray, result: np.ndarray) -> None:
    """Raises result[k, j, i] to the radius of every ball within whose reach point (i, j, k) lies; voxels but radii."""
    nz, ny, nx = result.shape
    for ball in range(len(reach)):
        x, y, z, r, radius = centres[ball, 0], centres[ball, 1], centres[ball, 2], reach[ball], radii[ball]
        for k in range(max(0, math.ceil(z - r)), min(nz - 1, math.floor(z + r)) + 1):
            for j in range(max(0, math.ceil(y - r)), min(ny - 1, math.floor(y + r)) + 1):
                for i in range(max(0, math.ceil(x - r)), min(nx - 1, math.floor(x + r)) + 1):
                    if (i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2 <= r * r and radius > result[k, j, i]:
                        result[k, j, i] = radius


def paint_balls_arrays(centres: np.ndarray, reach: np.ndarray, radii: np.ndarray, result: np.ndarray) -> None:
    """As `paint_balls`, as array operations; the balls come in order of growing radius."""
    size = np.array(result.shape[::-1])
    flat = result.reshape(-1)
    width = np.floor(2.0 * reach).astype(np.int64) + 1
    ends = np.cumsum(width**3)
    begin = 0
    while begin < len(radii):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _PAIRS_AT_ONCE, side="right")))
        ball = np.repeat(np.arange(begin, end), width[begin:end] ** 3)
        w = width[ball]
        rest = np.arange(len(ball)) - (ends[ball] - w**3 - done)
        low = np.ceil(centres - reach[:, None]).astype(np.int64)[ball]
        index = low + np.stack([rest % w, rest // w % w, rest // (w * w)], axis=1)
        held = ((index >= 0) & (index < size)).all(axis=1)
        held &= ((index - centres[ball]) ** 2).sum(axis=1) <= reach[ball] ** 2
        i, j, k = index[held].T
        # Of assignments to one place the last stands: the largest ball's.
        flat[(k * size[1] + j) * size[0] + i] = radii[ball[held]]
        begin = end


def distinct(centres: np.ndarray, radii: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Of balls whose centres share a cube of the spacing (mm) the largest, in order of growing radius."""
    order = np.argsort(radii, kind="stable")
    cubes = np.floor(centres[order] / spacing).astype(np.int64)
    cubes -= cubes.min(axis=0)
    span = cubes.max(axis=0) + 1
    name = (cubes[:, 2] * span[1] + cubes[:, 1]) * span[0] + cubes[:, 0]
    _, last = np.unique(name[::-1], return_index=True)
    kept = order[np.sort(len(order) - 1 - last)]
    return centres[kept], radii[kept]
