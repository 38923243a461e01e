"""Fields known on a coarse grid and asked for on a fine one, and distances that reach far from a surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..mesh.mesh import Mesh
from .combine import sample
from .distance import Distances
from .grid import Grid

# Within so many steps of a surface distances are exact. Those further off come from a grid of twice the step, where the
# same holds: between its points they are off by an eighth of its step's square for every unit of curvature, and where
# several places of the surface are equally near by up to a third of its step.
_NEAR_STEPS = 5.0
# There corners in cubes of half its step are made one beforehand, so that each grid costs less than the one before.
_MERGED_STEPS = 0.5


@dataclass(frozen=True, eq=False)
class Sampled:
    """values: [k, j, i] float32 on an axis-aligned grid; between its points they change evenly along each axis, and
    beyond it they are those of its border."""

    values: np.ndarray
    grid: Grid

    def on(self, grid: Grid) -> np.ndarray:
        """[k, j, i] float32: the field at the points of another grid."""
        result = self.values
        for axis, (places, start, count) in enumerate(zip(grid.axes()[::-1], self.grid.lower[::-1], result.shape)):
            if count == 1:
                result = np.repeat(result, len(places), axis=axis)
                continue
            steps = np.clip((places - start) / self.grid.spacing, 0.0, count - 1.0)
            low = np.minimum(steps.astype(np.int64), count - 2)
            share = (steps - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(3)])
            before = np.take(result, low, axis=axis)
            step = np.take(result, low + 1, axis=axis)
            step -= before
            step *= share
            step += before
            result = step
        return result

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) float64: the field at (n, 3) points, mm."""
        return sample(self.values, self.grid, points)


def coarse_grid(low: np.ndarray, high: np.ndarray, finest: float, most_points: int) -> Grid:
    """A grid around a box, as fine as it may be with so many points, but no finer than it need be."""
    spacing = max(finest, float(np.cbrt(np.prod(np.asarray(high) - low) / most_points)))
    return Grid.around(low, high, spacing)


def distance_to(surface: Mesh, grid: Grid, reach: float) -> Sampled:
    """How far the points of a grid are from a surface, open or closed, mm; cut off at about `reach`."""
    near = min(_NEAR_STEPS * grid.spacing, reach)
    values = Distances(surface).unsigned(grid, near)
    far = values >= np.float32(near)
    if near < reach and far.any():
        nx, ny, nz = (n // 2 + 2 for n in grid.shape)
        twice = Grid(grid.lower, 2.0 * grid.spacing, (nx, ny, nz))
        # A little further, or what lies just within reach would be drawn from what is cut off.
        beyond = distance_to(_merged(surface, twice.spacing), twice, reach + 2.0 * twice.spacing).on(grid)
        np.clip(beyond, np.float32(near), np.float32(reach), out=values, where=far)
    return Sampled(values, grid)


def signed_distance_to(body: Mesh, grid: Grid, reach: float) -> Sampled:
    """As `distance_to`, for a closed body: negative inside it."""
    values = distance_to(body, grid, reach).values
    np.negative(values, out=values, where=Distances(body).inside(grid))
    return Sampled(values, grid)


def _merged(surface: Mesh, step: float) -> Mesh:
    """A surface with fewer triangles, no place of which has moved by more than half a step, and little where flat."""
    size = _MERGED_STEPS * step
    places = np.floor((surface.vertices - surface.vertices.min(axis=0)) / size).astype(np.int64)
    span = places.max(axis=0) + 1
    _, cube = np.unique(places[:, 0] + span[0] * (places[:, 1] + span[1] * places[:, 2]), return_inverse=True)
    a, b, c = cube[surface.faces].T
    kept = (a != b) & (b != c) & (c != a)
    if not kept.any():
        return surface
    used = np.zeros(len(cube), bool)
    used[surface.faces] = True
    number = np.maximum(np.bincount(cube, used), 1.0)
    middles = [np.bincount(cube, used * axis) / number for axis in surface.vertices.T]
    return Mesh(np.stack(middles, axis=1), np.stack([a, b, c], axis=1)[kept])
