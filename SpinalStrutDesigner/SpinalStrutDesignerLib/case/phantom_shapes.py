"""Signed distances of simple shapes on blocks of a voxel grid, from which the phantom is put together.

Distances are in mm, negative inside. Those of ellipses are approximate away from their surface, exact on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Block = tuple[slice, slice, slice]
Points = tuple[np.ndarray, np.ndarray, np.ndarray]
Place = Sequence[float] | np.ndarray


@dataclass(frozen=True, eq=False)
class Canvas:
    """An axis-aligned voxel grid: the RAS coordinates (mm) of its columns x (i), rows y (j) and slices z (k)."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns: arrays are indexed [k, j, i]."""
        return len(self.z), len(self.y), len(self.x)

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """4x4, voxel centre (i, j, k, 1) to RAS mm."""
        matrix = np.eye(4)
        for axis, line in enumerate((self.x, self.y, self.z)):
            matrix[axis, axis] = (line[-1] - line[0]) / (len(line) - 1)
            matrix[axis, 3] = line[0]
        return matrix

    def block(self, lo: Place, hi: Place) -> Block:
        """The part of the grid between two corners (RAS mm); empty where they miss it."""
        k, j, i = (_between(line, a, b) for line, a, b in zip((self.z, self.y, self.x), lo[::-1], hi[::-1]))
        return k, j, i

    def points(self, block: Block) -> Points:
        """Coordinates of a block's voxel centres as three arrays that broadcast to the block's shape."""
        k, j, i = block
        x, y, z = (line.astype(np.float32) for line in (self.x[i], self.y[j], self.z[k]))
        return x[None, None, :], y[None, :, None], z[:, None, None]


def _between(line: np.ndarray, lo: float, hi: float) -> slice:
    inside = np.flatnonzero((line >= lo) & (line <= hi))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def in_frame(points: Points, centre: np.ndarray, rotation: np.ndarray) -> Points:
    """Points seen from a frame whose unit axes are the columns of rotation."""
    x, y, z = (p - np.float32(c) for p, c in zip(points, centre))
    r = rotation.astype(np.float32)
    return tuple(r[0, n] * x + r[1, n] * y + r[2, n] * z for n in range(3))  # type: ignore[return-value]


def capsule(points: Points, start: Place, end: Place, radius: float, radius_end: float) -> np.ndarray:
    """A segment thickened to a radius at its start and another at its end (mm)."""
    x, y, z = (p - np.float32(s) for p, s in zip(points, start))
    bx, by, bz = (np.float32(e - s) for s, e in zip(start, end))
    t = np.clip((x * bx + y * by + z * bz) * np.float32(1.0 / max(bx * bx + by * by + bz * bz, 1e-9)), 0.0, 1.0)
    away = np.sqrt((x - t * bx) ** 2 + (y - t * by) ** 2 + (z - t * bz) ** 2)
    return away - (np.float32(radius) + t * np.float32(radius_end - radius))


def plate(points: Points, start: Place, end: Place, radius: float, radius_end: float, half_height: float) -> np.ndarray:
    """A capsule drawn out along z by half_height to either side: laminae and spinous processes."""
    x, y, z = points
    return capsule((x, y, z - np.clip(z, -half_height, half_height)), start, end, radius, radius_end)


def ellipse(x: np.ndarray, y: np.ndarray, semi_x: np.ndarray, semi_y: np.ndarray, power: float = 2.0) -> np.ndarray:
    """Distance in the plane to a (super)ellipse |x/a|^p + |y/b|^p = 1, measured along the ray from its centre."""
    reach = (np.abs(x / semi_x) ** power + np.abs(y / semi_y) ** power) ** np.float32(1.0 / power)
    reach = np.maximum(reach, np.float32(1e-3))
    return np.sqrt(x * x + y * y) * (1.0 - 1.0 / reach)


def ellipsoid(points: Points, centre: Place, semi: Place) -> np.ndarray:
    """An axis-aligned ellipsoid; the distance is scaled by its smallest half-axis."""
    x, y, z = ((p - np.float32(c)) / np.float32(s) for p, c, s in zip(points, centre, semi))
    return (np.sqrt(x * x + y * y + z * z) - 1.0) * np.float32(min(semi))


def smooth_minimum(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """Union with a fillet. Quadratic polynomial of Inigo Quilez, "Smooth minimum"."""
    blend = np.maximum(np.float32(radius) - np.abs(a - b), 0.0)
    return np.minimum(a, b) - blend * blend * np.float32(0.25 / radius)


def smooth_maximum(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """Intersection with a rounded edge."""
    return -smooth_minimum(-a, -b, radius)


@dataclass(frozen=True)
class Ripple:
    """A smooth irregular function of place, between about -1 and 1: three crossed waves of one length (mm)."""

    wavelength: float
    phases: tuple[float, ...]

    @classmethod
    def drawn(cls, rng: np.random.Generator, wavelength: float) -> Ripple:
        """A ripple with phases from the generator."""
        return cls(wavelength, tuple(float(p) for p in rng.uniform(0.0, 2.0 * np.pi, 3)))

    def at(self, points: Points) -> np.ndarray:
        """Values at points."""
        x, y, z = (p * np.float32(2.0 * np.pi / self.wavelength) for p in points)
        a, b, c = (np.float32(p) for p in self.phases)
        return (np.sin(x + a) + np.sin(0.8 * y + 0.6 * x + b) + np.sin(0.9 * z - 0.5 * y + c)) / np.float32(3.0)


def tube(canvas: Canvas, line: np.ndarray, radius: np.ndarray | float) -> Iterator[tuple[Block, np.ndarray]]:
    """Distance to a thickened polyline, one small block a segment. line: (n, 3) RAS mm; radius: (n,) or one."""
    radii = np.broadcast_to(np.asarray(radius, dtype=float), len(line))
    for start, end, r0, r1 in zip(line[:-1], line[1:], radii[:-1], radii[1:], strict=True):
        reach = max(r0, r1) + 1.0
        block = canvas.block(np.minimum(start, end) - reach, np.maximum(start, end) + reach)
        yield block, capsule(canvas.points(block), start, end, r0, r1)


def column(
    canvas: Canvas, line: np.ndarray, semi_x: np.ndarray | float, semi_y: np.ndarray | float
) -> tuple[Block, np.ndarray]:
    """Distance to a stack of axial ellipses about a line that rises with z. line: (n, 3) RAS mm, from low to high."""
    z = line[:, 2]
    k = _between(canvas.z, z[0], z[-1])
    heights = canvas.z[k]
    x0, y0 = (np.interp(heights, z, line[:, n]).astype(np.float32) for n in range(2))
    a, b = (np.interp(heights, z, np.broadcast_to(s, len(z))).astype(np.float32) for s in (semi_x, semi_y))
    if not len(heights):
        return (k, slice(0, 0), slice(0, 0)), np.empty((0, 0, 0), np.float32)
    lo = (float((x0 - a).min()) - 1.0, float((y0 - b).min()) - 1.0)
    hi = (float((x0 + a).max()) + 1.0, float((y0 + b).max()) + 1.0)
    block = (k, _between(canvas.y, lo[1], hi[1]), _between(canvas.x, lo[0], hi[0]))
    x, y, _ = canvas.points(block)
    x, y, a, b = x - x0[:, None, None], y - y0[:, None, None], a[:, None, None], b[:, None, None]
    return block, (np.sqrt((x / a) ** 2 + (y / b) ** 2) - 1.0) * np.minimum(a, b)


def smooth_line(points: np.ndarray, step: float = 3.0) -> np.ndarray:
    """A curve through points (n, 3), resampled about every step mm."""
    from scipy.interpolate import CubicSpline

    points = np.asarray(points, dtype=float)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return CubicSpline(length, points)(np.linspace(0.0, length[-1], max(2, round(length[-1] / step) + 1)))
