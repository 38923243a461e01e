"""Blocks of a grid that may hold something, so that costly fields are evaluated only there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from LatticeGeneratorLib.field.grid import Grid


def blocks_holding(grid: Grid, sizes: Sequence[int], may_hold: Callable[[np.ndarray, float], np.ndarray]) -> np.ndarray:
    """(n, 3) first (i, j, k) of the smallest blocks of grid points that may hold something.

    sizes: points along a block's side, each a multiple of the next. may_hold: for centres (m, 3) mm and the radius in
    mm of the balls about them that hold the blocks, (m,) bool. Blocks within those that hold nothing are not asked for.
    """
    first = _starts([(0, n) for n in grid.shape], sizes[0])
    for number, size in enumerate(sizes):
        if number:
            inner = _starts([(0, sizes[number - 1])] * 3, size)
            first = (first[:, None, :] + inner).reshape(-1, 3)
            first = first[(first < grid.shape).all(axis=1)]
        across = grid.spacing * (size - 1)
        first = first[may_hold(grid.origin + grid.spacing * first + 0.5 * across, 0.5 * across * np.sqrt(3.0))]
    return first


def block_points(grid: Grid, first: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in a flat [k, j, i] array (p,), and positions (p, 3) mm, of the grid points in blocks from `first`."""
    offsets = _starts([(0, size)] * 3, 1)
    index = [(first[:, None, axis] + offsets[:, axis]).ravel() for axis in range(3)]
    held = np.flatnonzero((index[0] < grid.shape[0]) & (index[1] < grid.shape[1]) & (index[2] < grid.shape[2]))
    i, j, k = (along[held] for along in index)
    points = np.column_stack([axis[along] for axis, along in zip(grid.axes(), (i, j, k))])
    return (k * grid.shape[1] + j) * grid.shape[0] + i, points


def _starts(ranges: Sequence[tuple[int, int]], step: int) -> np.ndarray:
    """(n, 3) every combination of steps through three ranges, the last running fastest."""
    return np.stack(np.meshgrid(*[np.arange(a, b, step) for a, b in ranges], indexing="ij"), axis=-1).reshape(-1, 3)
