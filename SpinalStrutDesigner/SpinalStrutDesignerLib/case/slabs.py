"""Work on large volumes slab by slab: numpy's copies of a whole one, 8 bytes a voxel, are what memory goes to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_SLAB_VOXELS = 6_000_000


def slabs(shape: tuple[int, ...], margin: int = 0) -> Iterator[tuple[slice, slice]]:
    """Slices of the first axis that make slabs of a few million voxels, and the same with a margin to both sides."""
    thick = max(_SLAB_VOXELS // (shape[1] * shape[2]), 1)
    for start in range(0, shape[0], thick):
        stop = min(start + thick, shape[0])
        yield slice(start, stop), slice(max(start - margin, 0), min(stop + margin, shape[0]))


def counted(numbers: np.ndarray, count: int) -> np.ndarray:
    """(count + 1,) how many voxels bear each number from 0 to count. numbers: (k, j, i) int, none of them higher."""
    sizes = np.zeros(count + 1, int)
    for part, _ in slabs(numbers.shape):
        sizes += np.bincount(numbers[part].ravel(), minlength=count + 1)
    return sizes


def looked_up(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(k, j, i) what the table (n,) holds for each voxel's number. numbers: (k, j, i) int below n."""
    found = np.empty(numbers.shape, table.dtype)
    for part, _ in slabs(numbers.shape):
        found[part] = table[numbers[part]]
    return found


def held_by(mask: np.ndarray, ijk_to_ras: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Slab by slab the voxels that a mask (k, j, i) holds: (n, 3) k, j, i, and their centres (n, 3) RAS mm."""
    for part, _ in slabs(mask.shape):
        kji = np.argwhere(mask[part]) + np.array([part.start, 0, 0])
        yield kji, kji[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
