"""How far points lie outside a closed surface."""

from __future__ import annotations

import numpy as np

from .inside import winding_number
from .mesh import Mesh
from .nearest import Nearest

# Where the nearest place is within a face its normal points at it, to rounding, and tells the side; that of a face less
# high than rounding can turn it, as booleans leave them, does not.
_ALONG_NORMAL, _LEAST_HEIGHT_MM = 1.0 - 1e-4, 1e-3


class Beyond:
    """A closed, oriented mesh made ready to be asked how far points lie outside it."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh, self._nearest = mesh, Nearest.of(mesh)
        triangles = self._nearest.triangles
        sides = np.roll(triangles, -1, axis=1) - triangles
        normals = np.cross(sides[:, 0], sides[:, 1])
        areas = np.linalg.norm(normals, axis=1)
        self._flat = areas < _LEAST_HEIGHT_MM * np.linalg.norm(sides, axis=2).max(axis=1)
        self._normals = normals / np.maximum(areas, 1e-300)[:, None]

    def of(self, points: np.ndarray, least_mm: float) -> np.ndarray:
        """(n,) mm: how far points (n, 3) lie outside, below 0 how deep inside; 0 within least_mm of the surface."""
        away, face = self._nearest.to(points)
        far = np.flatnonzero(away > least_mm)
        face = face[far]
        height = np.einsum("ni,ni->n", points[far] - self._nearest.triangles[face, 0], self._normals[face])
        outside = height > 0.0
        unsure = (np.abs(height) < _ALONG_NORMAL * away[far]) | self._flat[face]
        if unsure.any():
            outside[unsure] = winding_number(self._mesh, points[far[unsure]]) < 0.5
        beyond = np.zeros(len(points))
        beyond[far] = np.where(outside, away[far], -away[far])
        return beyond
