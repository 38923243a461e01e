"""Where a domain is hollow a surface between grid points would leave it: there its distances are drawn back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..field.grid import Grid
from ..field.isosurface import clamp, contour, least_value
from ..mesh.beyond import Beyond
from ..mesh.half_edges import twins
from ..mesh.mesh import Mesh

# Where distances are drawn back they are compared in cubes that the border passes, within 1.74 steps of it.
BAND_STEPS = 2.0
# How far the surface between grid points may leave the domain before it is drawn back: of the 1 µm allowed, half.
_ALLOWED_MM = 0.5e-3
# Measured on the feet of implants, creases, grooves and stars: raised by so many times what a face leaves the domain
# by, the corners of its cube draw it back in the first round, 6 of some 7000 faces in the second.
_DRAWN_BACK = 2.5
_ON_BORDER_MM = 1e-4  # places as near count as on the border
# Where a face is tried: (n, 3) weights of its corners, a sixth of its sides apart.
_TRIED = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)]) / 6.0
_FACES_AT_ONCE = 20_000
_ROUNDS = 2
# What rounds do not draw back is left out: all corners of a cube that the border passes are then outside.
_LEFT_OUT_STEPS = 2.0
PLANES_BESIDE = _ROUNDS + 1  # a plane hangs on those that so many rounds reach
# A crease of this angle, or as many small ones as lie within a step, lifts the surface by a quarter of its rise over a
# step and less: those that lift it by less are not looked at.
_OF_RISE, _FAINT_MM = 0.25, 0.4e-3
_NOISE_MM = 2e-5  # what rounding a coordinate of 200 mm to float32 may raise a corner by


class Hollow:
    """The edges at which a closed mesh turns inwards by more than a grid of this spacing can follow."""

    def __init__(self, mesh: Mesh, spacing: float) -> None:
        height = hollow_edges(mesh, spacing)[:, :, 2]
        self._low, self._high = height.min(axis=1), height.max(axis=1)
        self._beyond = Beyond(mesh) if len(height) else None

    def reaches(self, grid: Grid) -> bool:
        """Whether any such edge comes near the grid's planes along z."""
        margin = (PLANES_BESIDE + 1.0) * grid.spacing
        return bool(((self._high >= grid.lower[2] - margin) & (self._low <= grid.upper[2] + margin)).any())

    def draw_back(self, values: np.ndarray, grid: Grid) -> None:
        """Raises distances [k, j, i] to the mesh at the corners of cubes whose surface leaves it, in place.

        That surface is measured, and anew where it was drawn back. Of the planes at either end `PLANES_BESIDE` see
        only a part of what they hang on.
        """
        assert self._beyond is not None
        changed = np.ones(grid.shape[2], bool)
        for _ in range(_ROUNDS):
            changed = self._raise(values, grid, changed, lambda beyond: _DRAWN_BACK * beyond)
        self._raise(values, grid, changed, lambda beyond: np.full_like(beyond, _LEFT_OUT_STEPS * grid.spacing))

    def _raise(
        self, values: np.ndarray, grid: Grid, changed: np.ndarray, by: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Raises the corners of cubes that touch changed planes; bool (nz,), the planes that are raised."""
        raised = np.zeros(values.shape, np.float32)
        for k in np.flatnonzero(changed[:-1] | changed[1:]):
            planes = slice(k, k + 2)
            cubes, beyond = self._leaving(values[planes].copy(), grid.planes(planes))
            for corner in np.ndindex(2, 2, 2):
                i, j, above = (cubes + corner).T
                np.maximum.at(raised, (k + above, j, i), by(beyond))
        values += raised
        return raised.any(axis=(1, 2))

    def _leaving(self, values: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) cubes (i, j, 0) of a layer in which a face leaves the mesh, and (n,) mm by how far."""
        clamp(values, least_value(grid))
        places, faces = contour(values)
        points = grid.lower + grid.spacing * places.astype(np.float64)
        triangles = points[faces]
        middles = triangles.mean(axis=1)
        # A face lies on the border where its corners and the middles of its sides and its own do.
        sides = 0.5 * (triangles + np.roll(triangles, 1, axis=1))
        off = self._beyond.of(np.concatenate([points, middles, *sides.transpose(1, 0, 2)]), _ON_BORDER_MM) != 0.0
        bent = np.flatnonzero(off[faces].any(axis=1) | off[len(points) :].reshape(4, -1).any(axis=0))
        beyond = np.zeros(len(bent))
        for first in range(0, len(bent), _FACES_AT_ONCE):
            some = slice(first, first + _FACES_AT_ONCE)
            tried = np.einsum("sc,fci->fsi", _TRIED, triangles[bent[some]])
            beyond[some] = self._beyond.of(tried.reshape(-1, 3), _ALLOWED_MM).reshape(-1, len(_TRIED)).max(axis=1)
        leaving = np.flatnonzero(beyond > 0.0)
        cubes = (middles[bent[leaving]] - grid.lower) / grid.spacing
        return cubes.astype(int), beyond[leaving]


def hollow_edges(mesh: Mesh, spacing: float) -> np.ndarray:
    """(n, 2, 3) mm: the edges over whose faces' planes the surface rises too much within a grid step."""
    twin = twins(mesh.faces, len(mesh.vertices))
    if twin is None:
        return mesh.vertices[np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])]
    axes = [np.ascontiguousarray(axis) for axis in mesh.vertices.T]
    a, b, c = mesh.faces.T
    (ux, vx), (uy, vy), (uz, vz) = ((axis[b] - axis[a], axis[c] - axis[a]) for axis in axes)
    normal = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx])
    area = np.sqrt((normal * normal).sum(axis=0))
    normal /= np.maximum(area, 1e-300)
    # The corner across each edge, in the face beyond it.
    beyond = mesh.faces[:, [2, 0, 1]].ravel()[twin].reshape(-1, 3)
    rise = sum(n[:, None] * (axis[beyond] - axis[a][:, None]) for n, axis in zip(normal, axes)).ravel()
    turned = np.flatnonzero(rise > _NOISE_MM)
    start, end = mesh.faces.ravel()[turned], mesh.faces[:, [1, 2, 0]].ravel()[turned]
    edges = mesh.vertices[np.stack([start, end], axis=1)]
    width = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1)
    height = area[twin[turned] // 3] / np.maximum(width, 1e-300)
    faces_in_a_step = spacing / np.maximum(height, 1e-300)
    over_step = rise[turned] * np.maximum(faces_in_a_step, faces_in_a_step**2)
    return edges[_OF_RISE * over_step > _FAINT_MM]
