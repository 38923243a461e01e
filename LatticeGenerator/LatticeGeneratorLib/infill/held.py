"""What of a lattice hangs together: loose chips of metal and closed pores, which cutting to a domain leaves."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import generate_binary_structure, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..field.slabs import Seams, Slab

# As `isosurface` joins them: metal along the axes alone, void also across the diagonals of squares.
METAL, VOID = generate_binary_structure(3, 1), generate_binary_structure(3, 2)


class Groups:
    """Groups of grid points that hang together over the slabs of a grid, which share their border planes and rows."""

    def __init__(self, structure: np.ndarray) -> None:
        self._structure = structure
        self._sizes: list[np.ndarray] = []
        self._marked: list[np.ndarray] = []
        self._links: list[np.ndarray] = []
        self._first = [0]
        self._seams: Seams[tuple[int, np.ndarray]] = Seams()

    def labels(self, points: np.ndarray) -> np.ndarray:
        """[k, j, i] int32: the group within the slab of each point of a bool array, from 1; 0 elsewhere."""
        labels = np.empty(points.shape, np.int32)
        # Along the axes alone it takes half the time, and what hangs together so needs no diagonals.
        if label(points, METAL, output=labels) > 1 and self._structure is not METAL:
            label(points, self._structure, output=labels)
        return labels

    def add(self, labels: np.ndarray, slab: Slab, marked: np.ndarray | None = None) -> None:
        """Takes in the next slab. marked: bool, of the same shape as its labels: its groups there are marked."""
        count, first = int(labels.max(initial=0)) + 1, self._first[-1]
        # Points that slabs share are counted once. The grid's last plane and row, which no other has, hold no metal.
        self._sizes.append(_counted(labels[:-1, :-1], count))
        flags = np.zeros(count, bool)
        if marked is not None:
            flags[labels[marked]] = True
        self._marked.append(flags)
        for seam, here in zip(self._seams.met(slab), (labels[0], labels[:, 0])):
            if seam is None:
                continue
            before, there = seam
            pairs = there.reshape(-1).astype(np.int64) * count + here.reshape(-1)
            # Along a row most pairs are that of the point before.
            a, b = np.divmod(np.unique(pairs[np.append(True, pairs[1:] != pairs[:-1])]), count)
            self._links.append(np.stack([a, b], axis=1)[a > 0] + [before, first])
        self._seams.leave(slab, (first, labels[-1].copy()), (first, labels[:, -1].copy()))
        self._first.append(first + count)

    def joined(self) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Of each slab the groups' numbers over all slabs; of each such number its points, and whether it is marked.

        Number 0 stands for what is in no group.
        """
        n = self._first[-1]
        # What is in no group is one group, that of the first slab's label 0.
        links = [np.stack([np.zeros(len(self._sizes), np.int64), np.array(self._first[:-1])], axis=1), *self._links]
        a, b = np.concatenate(links).T
        count, number = connected_components(
            coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n)), directed=False
        )
        sizes = np.bincount(number, np.concatenate(self._sizes), count).astype(np.int64)
        marked = np.bincount(number, np.concatenate(self._marked), count) > 0
        marked[0] = False
        return np.split(number, self._first[1:-1]), sizes, marked


def _counted(labels: np.ndarray, count: int) -> np.ndarray:
    """(count,) how many points have each label."""
    if count > 2:
        return np.bincount(labels.reshape(-1), minlength=count)
    held = int(np.count_nonzero(labels))
    return np.array([labels.size - held, held][:count])
