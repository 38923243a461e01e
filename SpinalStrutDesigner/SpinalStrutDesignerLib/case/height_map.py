"""A bone surface as seen along a direction: one height for every column of a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .frame import Frame

Distance = Callable[[np.ndarray], np.ndarray]
LEAST_STEP = 0.3
"""mm between samples along a column where bone is near; the crossing itself is interpolated."""
CAUTION = 0.8
"""The part of the distance that is stepped over: a field kept on voxels is not quite exact between them."""


@dataclass(frozen=True, eq=False)
class HeightMap:
    """frame: where the grid lies; right, anterior: (nu,), (nv,) mm; heights: (nv, nu) mm along frame.out.

    NaN where a column holds no bone, +inf where bone stands above the top of the search.
    """

    frame: Frame
    right: np.ndarray
    anterior: np.ndarray
    heights: np.ndarray

    @property
    def cell(self) -> float:
        """mm between columns."""
        return float(self.right[1] - self.right[0])

    def columns(self) -> np.ndarray:
        """(nv, nu, 3) local coordinates, heights in the last."""
        v, u = np.meshgrid(self.anterior, self.right, indexing="ij")
        return np.stack([u, v, self.heights], axis=-1)


def height_map(distance: Distance, frame: Frame, reach: float, low: float, high: float, cell: float = 0.5) -> HeightMap:
    """The outermost surface between low and high (mm along frame.out) within reach (mm) of the frame's origin.

    distance: signed distance to the bone, negative inside.
    """
    count = int(np.ceil(reach / cell))
    ticks = np.arange(-count, count + 1) * cell
    v, u = np.meshgrid(ticks, ticks, indexing="ij")
    feet = frame.to_ras(np.stack([u, v, np.zeros_like(u)], axis=-1).reshape(-1, 3))
    heights = outermost(distance, feet, frame.out, low, high)
    return HeightMap(frame, ticks, ticks, heights.reshape(u.shape))


def outermost(distance: Distance, feet: np.ndarray, out: np.ndarray, low: float, high: float) -> np.ndarray:
    """Heights (n,) mm of the surface over feet: (n, 3) along out, NaN where there is none, +inf where it is above high.

    Each column is walked down from high in steps of what the distance field says is free.
    """
    heights = np.full(len(feet), np.nan)
    walking = np.arange(len(feet))
    at = np.full(len(feet), high)
    free = np.asarray(distance(feet + high * out))
    heights[free < 0] = np.inf
    walking, at, free = (a[free >= 0] for a in (walking, at, free))
    while len(walking):
        below = at - np.maximum(CAUTION * free, LEAST_STEP)
        there = np.asarray(distance(feet[walking] + below[:, None] * out))
        met = there < 0
        crossing = at - (at - below) * free / np.maximum(free - there, 1e-9)
        heights[walking[met]] = crossing[met]
        on = ~met & (below > low)
        walking, at, free = walking[on], below[on], there[on]
    heights[heights < low] = np.nan
    return heights
