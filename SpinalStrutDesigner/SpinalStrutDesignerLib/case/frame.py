"""A local frame in the patient: an origin and the unit axes right, anterior and out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length one."""
    return np.asarray(vector, dtype=float) / np.linalg.norm(vector)


def projected(points: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(..., k) how far points (..., 3) lie along each of the axes (k, 3).

    Written out: a matrix product of so narrow matrices costs more, and numpy hands it to several threads, which wait
    for each other longer than they work.
    """
    x, y, z = np.ascontiguousarray(np.moveaxis(np.asarray(points, dtype=float), -1, 0))
    return np.stack([a * x + b * y + c * z for a, b, c in axes], axis=-1)


@dataclass(frozen=True, eq=False)
class Frame:
    """origin: (3,) RAS mm; right, anterior (patient's) and out: (3,) orthonormal. out is up or down the spine."""

    origin: np.ndarray
    right: np.ndarray
    anterior: np.ndarray
    out: np.ndarray

    @classmethod
    def along(cls, origin: np.ndarray, out: np.ndarray, anterior: np.ndarray) -> Frame:
        """The frame whose out axis is given, and whose anterior axis is the given direction made square to it.

        right is the patient's: of the two directions square to both, the one nearer to the image's right. So the axes
        are right-handed where out points up the spine, left-handed where it points down.
        """
        out = unit(out)
        anterior = unit(anterior - out * (anterior @ out))
        right = np.cross(anterior, out)
        return cls(np.asarray(origin, dtype=float), right if right[0] >= 0 else -right, anterior, out)

    @property
    def rows(self) -> np.ndarray:
        """(3, 3), a local axis in each row."""
        return np.stack([self.right, self.anterior, self.out])

    def at(self, origin: np.ndarray) -> Frame:
        """The same axes elsewhere."""
        return replace(self, origin=np.asarray(origin, dtype=float))

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) RAS to (right, anterior, out) mm."""
        return projected(points - self.origin, self.rows)

    def to_ras(self, local: np.ndarray) -> np.ndarray:
        """(n, 3) (right, anterior, out) mm to RAS."""
        return projected(local, self.rows.T) + self.origin
