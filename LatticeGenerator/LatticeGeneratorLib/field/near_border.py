"""Distances to a border held in little memory: exactly where they are near it, elsewhere by the side alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class NearBorder:
    """shape: [k, j, i]; lengths: of runs of values that are all `deep`, the least of them, all `far`, where distances
    are cut off, or all others; kinds: of each run 1, 2 or 0 (3: far is the least); near: the others."""

    shape: tuple[int, ...]
    lengths: np.ndarray
    kinds: np.ndarray
    near: np.ndarray
    deep: np.float32
    far: np.float32

    @classmethod
    def of(cls, values: np.ndarray) -> NearBorder:
        """Of float32 values [k, j, i], in little memory where rows begin far from the border."""
        flat = values.reshape(-1)
        # What is drawn back may lie beyond where distances are cut off, so that the greatest need not be what is far.
        low, far = flat.min(), flat[0]
        kinds = (flat == low).view(np.uint8)
        kinds |= (flat == far).view(np.uint8) << np.uint8(1)
        starts = np.append(0, np.flatnonzero(kinds[1:] != kinds[:-1]) + 1)
        lengths = np.diff(starts, append=len(flat)).astype(np.uint32)
        return cls(values.shape, lengths, kinds[starts], flat[kinds == 0], low, far)

    def values(self) -> np.ndarray:
        """[k, j, i] float32: the values, to the last bit."""
        flat = np.repeat(np.array([self.far, self.deep, self.far, self.far])[self.kinds], self.lengths)
        flat[np.repeat(self.kinds == 0, self.lengths)] = self.near
        return flat.reshape(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.lengths.nbytes + self.kinds.nbytes + self.near.nbytes
