"""A finished mesh seen along parallel rays: where each ray of a regular grid enters and leaves the metal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Mesh

from .patches import Patches

# Rays must not graze edges of meshes that lie on round coordinates; the shift is an irrational share of a step.
_SHIFT = np.array([0.1180339887, 0.0901699437])


@dataclass(frozen=True, eq=False)
class Rays:
    """Crossings of a grid of rays, sorted along each ray.

    frame: (3, 3) rows are the grid's two directions and the ray's; origin: (3,) RAS of grid point (0, 0) before the
    shift; shape: rays along both directions. ray: (n,) number of the ray (row-major); at: (n,) mm along it from origin;
    enters: (n,) True where the ray goes into the metal; steep: (n,) cosine of the angle between ray and surface normal.
    """

    frame: np.ndarray
    origin: np.ndarray
    step: float
    shape: tuple[int, int]
    ray: np.ndarray
    at: np.ndarray
    enters: np.ndarray
    steep: np.ndarray

    def points(self, ray: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(n, 3) RAS of places along rays."""
        plane = np.column_stack(np.divmod(ray, self.shape[1])) * self.step + _SHIFT * self.step
        return self.origin + np.column_stack([plane, at]) @ self.frame

    @property
    def chords(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ray, start and end in mm of every stretch of metal."""
        depth = np.cumsum(np.where(self.enters, 1, -1))
        first = np.searchsorted(self.ray, self.ray)
        depth = depth - (depth[first] - np.where(self.enters[first], 1, -1))
        starts = np.flatnonzero(self.enters & (depth == 1))
        ends = np.flatnonzero(~self.enters & (depth == 0))
        # A ray through a vertex may lose one crossing; such rays are left out whole, and neighbours tell the same.
        bad = np.unique(self.ray[(depth < 0) | (depth > 1)])
        starts, ends = starts[~np.isin(self.ray[starts], bad)], ends[~np.isin(self.ray[ends], bad)]
        size = int(np.prod(self.shape))
        uneven = np.flatnonzero(
            np.bincount(self.ray[starts], minlength=size) != np.bincount(self.ray[ends], minlength=size)
        )
        starts, ends = starts[~np.isin(self.ray[starts], uneven)], ends[~np.isin(self.ray[ends], uneven)]
        return self.ray[starts], self.at[starts], self.at[ends]


def cast(mesh: Mesh, frame: np.ndarray, origin: np.ndarray, step: float, low: np.ndarray, high: np.ndarray) -> Rays:
    """Rays along frame[2] on a grid of frame[0], frame[1] coordinates low..high (2,) about origin, step mm apart."""
    origin = np.asarray(origin, dtype=float) + np.asarray(low, dtype=float) @ frame[:2]
    count = np.ceil((np.asarray(high) - low) / step).astype(int) + 1
    shape = (int(count[0]), int(count[1]))
    local = (mesh.vertices - origin) @ frame.T
    plane = local[:, :2] / step - _SHIFT
    corners = plane[mesh.faces]
    first = np.maximum(np.ceil(corners.min(axis=1)), 0).astype(int)
    last = np.minimum(np.floor(corners.max(axis=1)), np.array(shape) - 1).astype(int)
    size = np.maximum(last - first + 1, 0)
    hit = np.flatnonzero(size.prod(axis=1) > 0)
    times = size[hit].prod(axis=1)
    face = np.repeat(hit, times)
    number = np.arange(len(face)) - np.repeat(np.cumsum(times) - times, times)
    cell = first[face] + np.column_stack(np.divmod(number, size[face, 1]))
    a, b, c = (corners[face, i] for i in range(3))
    ab, bc, ca = _side(a, b, cell), _side(b, c, cell), _side(c, a, cell)
    inside = ((ab >= 0) & (bc >= 0) & (ca >= 0)) | ((ab <= 0) & (bc <= 0) & (ca <= 0))
    total = ab + bc + ca
    inside &= total != 0.0
    face, cell, total = face[inside], cell[inside], total[inside]
    heights = local[mesh.faces[face], 2]
    share = np.column_stack([bc[inside], ca[inside], ab[inside]]) / total[:, None]
    at = (share * heights).sum(axis=1)
    ray = cell[:, 0] * shape[1] + cell[:, 1]
    order = np.lexsort((at, ray))
    # Twice the projected over twice the true area is the cosine between ray and normal.
    corner = mesh.vertices[mesh.faces[face]]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    steep = np.abs(total) * step**2 / np.maximum(area, 1e-12)
    return Rays(
        frame, origin, step, shape, ray[order], at[order], (total * np.linalg.det(frame) < 0.0)[order], steep[order]
    )


def cast_at(
    patches: Patches, frame: np.ndarray, origin: np.ndarray, step: float, low: np.ndarray, high: np.ndarray
) -> Rays:
    """As `cast`, on a mesh in patches: only those in the way are looked at."""
    near = patches.in_beam(frame, origin, np.asarray(low) - step, np.asarray(high) + 2.0 * step)
    return cast(near, frame, origin, step, low, high)


def interior_points(mesh: Mesh, step: float) -> np.ndarray:
    """(n, 3) RAS points inside a closed mesh on a grid of step mm: each stands for step³ mm³."""
    low, high = mesh.bounds
    rays = cast(mesh, np.eye(3), np.array([0.0, 0.0, low[2]]), step, low[:2], high[:2])
    ray, start, end = rays.chords
    first, last = np.ceil(start / step - 0.5).astype(int), np.ceil(end / step - 0.5).astype(int)
    times = np.maximum(last - first, 0)
    number = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    at = (first.repeat(times) + number + 0.5) * step
    return rays.points(ray.repeat(times), at)


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
