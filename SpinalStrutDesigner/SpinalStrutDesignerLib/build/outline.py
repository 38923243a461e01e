"""Closed outlines in an endplate's plane, with their signed distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.field.combine import smooth_maximum
from scipy.ndimage import map_coordinates
from scipy.spatial import ConvexHull

from ..case.model import Endplate
from ..errors import GeometryError

# The distance is tabulated on this grid, mm; bilinear error of a distance is at most step / 8 at a corner.
_STEP_MM = 0.1
_MARGIN_MM = 12.0
# Places on the way from a footprint's edge to where it is nearest to the strut; between two of them it is straight.
_SHARES = np.linspace(0.0, 1.0, 33)
# Corners between the footprint's outline and its back margin, mm.
_CORNER_MM = 1.0


@dataclass(frozen=True, eq=False)
class Outline:
    """A region of the plate's plane (right, anterior): inside the closed polygon points (n, 2), shrunk by inset."""

    points: np.ndarray
    inset_mm: float = 0.0
    back_mm: float = -np.inf

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        low = self.points.min(axis=0) - _MARGIN_MM
        count = np.ceil((self.points.max(axis=0) + _MARGIN_MM - low) / _STEP_MM).astype(int) + 1
        x, y = (low[i] + _STEP_MM * np.arange(count[i]) for i in (0, 1))
        grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        distance = polygon_distance(self.points, grid) + self.inset_mm
        # The back margin is a straight edge; the corner it makes is rounded.
        distance = smooth_maximum(distance, self.back_mm - grid[:, 1], _CORNER_MM)
        return low, distance.reshape(len(x), len(y))

    def distance(self, plane: np.ndarray) -> np.ndarray:
        """Signed distance in mm at plane: (n, 2), negative inside; grown linearly beyond 12 mm outside."""
        low, table = self._table
        index = (plane - low) / _STEP_MM
        clipped = np.clip(index, 0, np.array(table.shape) - 1)
        beyond = np.linalg.norm(index - clipped, axis=1) * _STEP_MM
        return map_coordinates(table, clipped.T, order=1) + beyond

    @property
    def is_empty(self) -> bool:
        """True when the insets leave nothing."""
        return not bool((self._table[1] < 0.0).any())

    def edge(self, count: int = 96) -> np.ndarray:
        """(count, 2) points on the shrunk region's edge, seen from its deepest point."""
        low, table = self._table
        deepest = low + _STEP_MM * np.array(np.unravel_index(table.argmin(), table.shape))
        angle = 2.0 * np.pi * np.arange(count) / count
        ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        near, far = np.zeros(count), np.full(count, float(np.ptp(self.points, axis=0).max()))
        for _ in range(24):
            middle = 0.5 * (near + far)
            inside = self.distance(deepest + middle[:, None] * ray) < 0.0
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        return deepest + near[:, None] * ray

    def extent(self, azimuth_rad: float) -> float:
        """How far the outline reaches from the plate's centre towards an azimuth (0 anterior, + right), mm."""
        return float((self.points @ [np.sin(azimuth_rad), np.cos(azimuth_rad)]).max()) - self.inset_mm


def inset_outline(endplate: Endplate, ring_margin_mm: float, posterior_margin_mm: float) -> Outline:
    """The foot's footprint: the endplate's outline less its margins.

    Raises GeometryError when nothing is left.
    """
    points = endplate.to_local(endplate.outline)[:, :2]
    outline = Outline(points, ring_margin_mm, float(points[:, 1].min()) + posterior_margin_mm)
    if outline.is_empty:
        raise GeometryError(
            f"{endplate.level} {endplate.face} endplate ({endplate.width_mm:.1f} x {endplate.depth_mm:.1f} mm) leaves "
            f"no footprint within margins of {ring_margin_mm:g} and {posterior_margin_mm:g} mm; reduce the margins"
        )
    return outline


def bridgehead(edge: np.ndarray, section: np.ndarray, bridge_mm: float) -> np.ndarray:
    """(n, 2) edge of that part of a footprint from which a bridge leads to a strut's section (m, 2).

    edge: (n, 2), of the footprint. What lies farther from the section than its nearest place does, by more than
    bridge_mm, is drawn in towards that place until it does not.
    """
    if not len(edge):
        return edge
    middle, off = section.mean(axis=0), np.maximum(polygon_distance(section, edge), 0.0)
    over = polygon_distance(edge, middle[None])[0] < 0.0
    if off.max() - (0.0 if over else off.min()) <= bridge_mm:
        return edge
    nearest = middle if over else edge[off.argmin()]
    ways = edge[:, None] + _SHARES[:, None] * (nearest - edge)[:, None]
    away = np.maximum(polygon_distance(section, ways.reshape(-1, 2)).reshape(ways.shape[:2]), 0.0)
    beyond = away - away[:, -1:] - bridge_mm
    first = np.argmax(beyond <= 0.0, axis=1)
    row, before = np.arange(len(edge)), np.maximum(first - 1, 0)
    outer = np.maximum(beyond[row, before], 0.0)
    share = outer / np.maximum(outer - beyond[row, first], 1e-9)
    head: np.ndarray = ways[row, before] + share[:, None] * (ways[row, first] - ways[row, before])
    return head


def convex_hull(points: np.ndarray) -> Outline:
    """The convex region around points (n, 2)."""
    return Outline(points[ConvexHull(points).vertices])


def polygon_distance(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Exact signed distance (n,) from points (n, 2) to a closed polygon (m, 2), negative inside (even-odd rule)."""
    best = np.full(len(points), np.inf)
    inside = np.zeros(len(points), dtype=bool)
    x, y = points.T
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0)):
        edge = b - a
        length2 = float(edge @ edge)
        if length2 == 0.0:
            continue
        t = np.clip(((x - a[0]) * edge[0] + (y - a[1]) * edge[1]) / length2, 0.0, 1.0)
        np.minimum(best, (x - a[0] - t * edge[0]) ** 2 + (y - a[1] - t * edge[1]) ** 2, out=best)
        if a[1] != b[1]:
            crosses = (a[1] > y) != (b[1] > y)
            inside ^= crosses & (x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
    distance = np.sqrt(best)
    return np.where(inside, -distance, distance)
