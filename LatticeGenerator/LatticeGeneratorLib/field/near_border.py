"""Distances to a border held in little memory: exactly where they are near it, elsewhere by the side alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class NearBorder:
    """shape: [k, j, i]; inside: one bit for each value, whether it is negative; places: of those that are neither
    `deep`, the least, nor `far`, the greatest, where distances are cut off; near: they."""

    shape: tuple[int, ...]
    inside: np.ndarray
    places: np.ndarray
    near: np.ndarray
    deep: np.float32
    far: np.float32

    @classmethod
    def of(cls, values: np.ndarray) -> NearBorder:
        """Of float32 values [k, j, i]."""
        # Where all lie on one side neither end is where distances are cut off.
        low, high = values.min(), values.max()
        low, high = low if low < 0.0 else np.float32(-np.inf), high if high >= 0.0 else np.float32(np.inf)
        places = np.flatnonzero((values != low) & (values != high))
        bits = np.packbits(values < 0.0)
        return cls(values.shape, bits, places.astype(np.uint32), values.reshape(-1)[places], low, high)

    def values(self) -> np.ndarray:
        """[k, j, i] float32: the values, to the last bit."""
        count = int(np.prod(self.shape))
        flat = np.where(np.unpackbits(self.inside, count=count).view(bool), self.deep, self.far)
        flat[self.places] = self.near
        return flat.reshape(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.inside.nbytes + self.places.nbytes + self.near.nbytes
