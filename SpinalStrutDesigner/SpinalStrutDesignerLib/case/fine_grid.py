"""A part of a CT on its own grid with the coarse axes divided, and back: slices thicker than they are fine in plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .labels import block_matrix
from .model import Mask, Volume


@dataclass(frozen=True, eq=False)
class FineGrid:
    """box: of the CT, slices k, j, i; parts: (3,) int, into how many each of its voxels is divided along k, j, i."""

    ct: Volume
    box: tuple[slice, slice, slice]
    parts: np.ndarray

    @classmethod
    def about(cls, ct: Volume, points: np.ndarray) -> FineGrid:
        """The grid that holds points: (n, 3) RAS mm. Raises ValueError where none of it lies in the CT."""
        ijk = ct.to_ijk(points)[:, ::-1]
        low = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, None)
        high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 1, ct.voxels.shape)
        if (high <= low).any():
            raise ValueError("the points lie outside the image")
        box = slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])
        step = ct.spacing[::-1]
        # An odd number each: half of a voxel is then never filled, which would leave its vote open.
        return cls(ct, box, 2 * (step / step.min() / 2.0 + 1e-6).astype(int) + 1)

    @property
    def step(self) -> np.ndarray:
        """(3,) mm along k, j, i."""
        return np.asarray(self.ct.spacing[::-1] / self.parts)

    @property
    def points(self) -> np.ndarray:
        """(k, j, i, 3) RAS mm."""
        k, j, i = np.meshgrid(*self._indices(), indexing="ij")
        return np.stack([i, j, k], axis=-1) @ self.ct.ijk_to_ras[:3, :3].T + self.ct.ijk_to_ras[:3, 3]

    def divided(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the box on this grid; between the slices its edge runs midway, as of shapes that blend."""
        if (self.parts == 1).all():
            return mask
        first = [part.start for part in self.box]
        at = np.meshgrid(*(i - a for i, a in zip(self._indices(), first, strict=True)), indexing="ij")
        return np.asarray(ndimage.map_coordinates(mask.astype(np.float32), at, order=1, mode="nearest") > 0.5)

    def voted(self, mask: np.ndarray) -> np.ndarray:
        """A mask of this grid on the box: the voxels that it fills by more than half."""
        sizes = [n for size, parts in zip(mask.shape, self.parts, strict=True) for n in (size // parts, parts)]
        return np.asarray(mask.reshape(sizes).mean(axis=(1, 3, 5)) > 0.5)

    def mask(self, voxels: np.ndarray) -> Mask:
        """What a mask of the box holds, cut to it."""
        tight = ndimage.find_objects(voxels.astype(np.uint8))[0]
        return Mask(voxels[tight], block_matrix(block_matrix(self.ct.ijk_to_ras, self.box), tight))

    def _indices(self) -> list[np.ndarray]:
        return [
            (np.arange((part.stop - part.start) * n) + 0.5) / n - 0.5 + part.start
            for part, n in zip(self.box, self.parts, strict=True)
        ]
