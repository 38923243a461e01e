"""Pore size and strut thickness as made: mean diameter of the largest balls that cover the void, or the metal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..errors import GeometryError
from ..field.distance import inside, signed_distance
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from .balls import Surface, grown, polished
from .cover import cover, distinct

_VOXEL_MM = 0.10
_MOST_POINTS = 1_000_000
LARGEST_RADIUS_MM = 1.5  # larger voids count as this size
_CUT_MM = 0.3  # the width of a strut
_FIRST_REACH_MM = 0.5  # a little over half a pore and a voxel


@dataclass(frozen=True)
class PoreSize:
    """Diameters in mm over all of the void: mean, 5th and 95th percentile, and the largest."""

    mean_mm: float
    p5_mm: float
    p95_mm: float
    largest_mm: float


@dataclass(frozen=True)
class Thickness:
    """Diameters in mm over the metal: 5th percentile, mean, and the least, which is the 1st percentile."""

    p5_mm: float
    mean_mm: float
    least_mm: float


@dataclass(frozen=True, eq=False)
class Layer:
    """A porous layer prepared for measuring its pores and its struts.

    surface: of the body, as far from the domain as matters; grid: its points; depth: [k, j, i] mm, the domain's signed
    distance, cut off at 4 voxels; metal: bool, in the body; distance: mm to the surface, contact: the number of its
    nearest point, both 0 outside the domain.
    """

    surface: Surface
    grid: Grid
    depth: np.ndarray
    metal: np.ndarray
    distance: np.ndarray
    contact: np.ndarray

    @classmethod
    def of(cls, body: Mesh, domain: Mesh, voxel_mm: float | None = None) -> Layer:
        """The body's layer within the domain. Raises GeometryError where no surface of the body is near.

        voxel_mm: spacing of the points, 0.1 mm if not given, coarser for large domains.
        """
        spacing = voxel_mm or max(_VOXEL_MM, float(np.cbrt(domain.volume / _MOST_POINTS)))
        # Points lie half a step within the domain's bounds, each in the middle of its share of it: on a flat side
        # itself rounding would decide which of them count.
        low, high = domain.bounds
        grid = Grid.around(low - 0.5 * spacing, high + 0.5 * spacing, spacing)
        depth = signed_distance(domain, grid, 4.0 * spacing)
        inner = depth < 0
        distance, contact = np.zeros(grid.array_shape), np.zeros(grid.array_shape, np.int64)
        surface, distance[inner], contact[inner] = _surface_around(body, domain, grid.points()[inner.ravel()], spacing)
        return cls(surface, grid, depth, inside(body, grid), distance, contact)

    def pores(self) -> PoreSize:
        """As `pore_size`."""
        sizes, _ = self._diameters(~self.metal & (self.depth < 0), 1.0)
        p5, p95 = np.percentile(sizes, [5, 95])
        return PoreSize(float(sizes.mean()), float(p5), float(p95), float(sizes.max()))

    def struts(self) -> Thickness:
        """As `strut_thickness`."""
        sizes, depths = self._diameters(self.metal & (self.depth < 0), -1.0)
        sizes = sizes[depths >= min(_CUT_MM, 0.5 * float(depths.max()))]
        least, p5 = np.percentile(sizes, [1, 5])
        return Thickness(float(p5), float(sizes.mean()), float(least))

    def _diameters(self, wanted: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
        """Local thickness at the wanted grid points (bool [k, j, i]), outside the body (side 1) or inside (side -1),
        and their depth below the domain's border: (n,) mm each."""
        if not wanted.any() or len(self.surface.points) == 0:
            raise GeometryError("body and domain do not share both metal and void: thickness cannot be measured there")
        grid, points = self.grid, self.grid.points()
        distance = np.where(wanted, self.distance, 0.0)
        ridge = wanted & _near_ridge(distance, grid.spacing)
        seeds, contact = points[ridge.ravel()], self.contact[ridge]
        largest = min(float(distance.max()) + grid.spacing, LARGEST_RADIUS_MM)
        centres, radii = grown(seeds, contact, self.surface, side, self.depth, grid, largest)
        few = distinct(centres, radii, 2.0 * grid.spacing)
        better, larger = polished(*few, self.surface, self.depth, grid)
        covered = cover(grid, np.concatenate([centres, better]), np.concatenate([radii, larger]))[wanted]
        bare = covered == 0.0
        if bare.any():
            # Close to the surface a point may lie in no ball by a hair: it has its neighbour's size.
            held = points[wanted.ravel()]
            covered[bare] = covered[~bare][cKDTree(held[~bare]).query(held[bare])[1]]
        return 2.0 * np.minimum(covered, LARGEST_RADIUS_MM), -self.depth[wanted]


def pore_size(body: Mesh, domain: Mesh, voxel_mm: float | None = None) -> PoreSize:
    """The pores of the body within the domain, as diameters of the largest balls that fit (local thickness).

    At each point of the void the size is that of the largest ball that covers it, holds no metal and has its centre
    in the domain; the ball itself may reach beyond. Right to 0.015 mm on slits, cylinders and spheres of known size.
    voxel_mm: spacing of the points, 0.1 mm if not given, coarser for large domains.
    """
    return Layer.of(body, domain, voxel_mm).pores()


def strut_thickness(body: Mesh, domain: Mesh, voxel_mm: float | None = None) -> Thickness:
    """The thickness of the body's metal within the domain, measured as `pore_size` measures the void.

    Metal within 0.3 mm of the domain's border is left out (in a thin domain, the outer half of it): a strut that is
    cut there ends in an edge, where the thickness of any body falls to nothing.
    """
    return Layer.of(body, domain, voxel_mm).struts()


def _surface_around(
    body: Mesh, domain: Mesh, points: np.ndarray, spacing: float
) -> tuple[Surface, np.ndarray, np.ndarray]:
    """The body's surface as far from the domain as balls centred in it reach, and of (n, 3) points the distance to it
    and the number of its nearest point.

    A ball centred in the domain is no larger than the greatest distance there, give or take a step of the grid.
    """
    reach = _FIRST_REACH_MM
    while True:
        surface = Surface.of(body, spacing, domain.bounds[0] - reach, domain.bounds[1] + reach)
        away, nearest = np.full(len(points), np.inf), np.zeros(len(points), np.int64)
        if len(surface.points):
            away, nearest = surface.tree.query(points)
        farthest = float(away.max(initial=0.0))
        needed = min(farthest + spacing, LARGEST_RADIUS_MM)
        if needed <= reach:
            return surface, np.minimum(away, LARGEST_RADIUS_MM), nearest
        # Beyond the reach distances are only known to be larger than it.
        reach = needed if farthest <= reach else min(2.0 * reach, LARGEST_RADIUS_MM)


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
