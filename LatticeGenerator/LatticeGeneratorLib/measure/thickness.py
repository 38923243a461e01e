"""Pore size and strut thickness as made: mean diameter of the largest balls that cover the void, or the metal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ..field.distance import signed_distance
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from .balls import Surface, grown
from .cover import cover

_VOXEL_MM = 0.10
_MOST_POINTS = 600_000
_LARGEST_RADIUS_MM = 1.5


@dataclass(frozen=True)
class PoreSize:
    """Diameters in mm over all of the void: mean, 5th and 95th percentile, and the largest."""

    mean_mm: float
    p5_mm: float
    p95_mm: float
    largest_mm: float


@dataclass(frozen=True)
class Thickness:
    """Diameters in mm over all of the metal: 5th percentile, mean, and the least.

    least_mm is the 1st percentile: towards the sharp edge of a cut strut the thickness falls to nothing.
    """

    p5_mm: float
    mean_mm: float
    least_mm: float


def pore_size(body: Mesh, domain: Mesh, voxel_mm: float | None = None) -> PoreSize:
    """The pores of the body within the domain, as diameters of the largest balls that fit (local thickness).

    At each point of the void the size is that of the largest ball that covers it, holds no metal and has its centre
    in the domain; the ball itself may reach beyond. Right to 0.015 mm on slits, cylinders and spheres of known size.
    voxel_mm: spacing of the points, 0.1 mm if not given, coarser for large domains.
    """
    sizes = _local_diameters(body, domain, voxel_mm, 1.0)
    p5, p95 = np.percentile(sizes, [5, 95])
    return PoreSize(float(sizes.mean()), float(p5), float(p95), float(sizes.max()))


def strut_thickness(body: Mesh, domain: Mesh, voxel_mm: float | None = None) -> Thickness:
    """The thickness of the body's metal within the domain, measured as `pore_size` measures the void."""
    sizes = _local_diameters(body, domain, voxel_mm, -1.0)
    least, p5 = np.percentile(sizes, [1, 5])
    return Thickness(float(p5), float(sizes.mean()), float(least))


def _local_diameters(body: Mesh, domain: Mesh, voxel_mm: float | None, side: float) -> np.ndarray:
    """(n,) mm at the domain's grid points outside the body (side 1) or inside it (side -1)."""
    spacing = voxel_mm or max(_VOXEL_MM, float(np.cbrt(domain.volume / _MOST_POINTS)))
    grid = Grid.around(*domain.bounds, spacing, pad=3)
    inside_domain = signed_distance(domain, grid, 3.0 * spacing)
    wanted = (inside_domain < 0) & (side * signed_distance(body, grid, spacing) > 0)
    if not wanted.any():
        raise GeometryError("no void (or no metal) lies in the domain: thickness cannot be measured there")
    lo, hi = domain.bounds
    surface = Surface.of(body, spacing, lo - 2 * _LARGEST_RADIUS_MM, hi + 2 * _LARGEST_RADIUS_MM)
    points = grid.points()[wanted.ravel()]
    distance = np.zeros(grid.array_shape)
    distance[wanted] = surface.tree.query(points, distance_upper_bound=4 * _LARGEST_RADIUS_MM)[0]
    seeds = grid.points()[(wanted & _near_ridge(distance, spacing)).ravel()]
    largest = float(distance.max()) + spacing
    centres, radii = grown(seeds, surface, inside_domain, grid, largest)
    covered = cover(grid, centres, radii)[wanted]
    bare = covered == 0.0
    if bare.any():
        covered[bare] = grown(points[bare], surface, inside_domain, grid, largest)[1]
    return 2.0 * covered


def _near_ridge(distance: np.ndarray, spacing: float) -> np.ndarray:
    """Bool [k, j, i]: points from which the distance does not clearly grow towards any neighbour.

    Balls at all other points lie in a neighbour's ball.
    """
    ridge = np.ones(distance.shape, bool)
    padded = np.pad(distance, 1)
    nz, ny, nx = distance.shape
    for dk in range(3):
        for dj in range(3):
            for di in range(3):
                step = spacing * float(np.sqrt((dk - 1) ** 2 + (dj - 1) ** 2 + (di - 1) ** 2))
                if step > 0.0:
                    ridge &= padded[dk : dk + nz, dj : dj + ny, di : di + nx] - distance < 0.75 * step
    return ridge
