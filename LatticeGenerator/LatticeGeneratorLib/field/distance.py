"""Exact signed distance from a closed mesh to the grid points near it."""

from __future__ import annotations

import math

import numpy as np

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..mesh.split import split_triangles
from .compiled import compiled
from .distance_arrays import lower_squares, tally_crossings
from .grid import Grid

_TRIANGLE_VOXELS = 8.0  # larger triangles are split, so that their bounding boxes hold little but their own band
# So large they are held, and split further only near the grid that is asked for.
_HELD_VOXELS = 5.0 * _TRIANGLE_VOXELS


class Distances:
    """A closed mesh made ready to be asked for distances on several grids."""

    def __init__(self, mesh: Mesh) -> None:
        self._whole = _Heap(mesh.triangles)
        self._held: tuple[float, _Heap] | None = None

    def ready(self, spacing: float) -> Distances:
        """Itself, made ready for grids of this spacing: otherwise that is done when it is first asked on one."""
        if self._held is None or self._held[0] != spacing:
            whole = self._whole.triangles
            held = split_triangles(whole, _HELD_VOXELS * spacing)
            self._held = spacing, self._whole if held is whole else _Heap(held)
        return self

    def signed(self, grid: Grid, band_mm: float) -> np.ndarray:
        """As `signed_distance`."""
        distance = self.unsigned(grid, band_mm)
        np.negative(distance, out=distance, where=self.inside(grid))
        return distance

    def unsigned(self, grid: Grid, band_mm: float) -> np.ndarray:
        """[k, j, i] float32 mm: distance to the surface on whichever side, cut off at band_mm."""
        if not band_mm > 0.0:
            raise GeometryError(f"a distance band must be wider than 0, not {band_mm} mm")
        held = self.ready(grid.spacing)._held
        assert held is not None
        band = band_mm / grid.spacing
        squares = np.full(grid.array_shape, band * band, np.float32)
        small = split_triangles(held[1].near(grid, band_mm), _TRIANGLE_VOXELS * grid.spacing)
        (compiled(spread_squares) or lower_squares)(_in_steps(small, grid), band, squares)
        distance = np.sqrt(squares, out=squares)
        distance *= np.float32(grid.spacing)
        return distance

    def border(self, grid: Grid) -> np.ndarray:
        """(n, 3, 3): small triangles that make up the surface between the grid's rows, in steps from its origin."""
        held = self.ready(grid.spacing)._held
        assert held is not None
        small = split_triangles(held[1].near(grid, 0.0), _TRIANGLE_VOXELS * grid.spacing)
        return (small - grid.origin) / grid.spacing

    def inside(self, grid: Grid) -> np.ndarray:
        """As `inside`."""
        nx, ny, nz = grid.shape
        crossings = np.zeros((nz, ny, nx + 1), np.int16)
        # Those that end on a row must not be missed for rounding.
        triangles = self._whole.near(grid, 0.5 * grid.spacing)
        (compiled(count_crossings) or tally_crossings)(_in_steps(triangles, grid), crossings)
        np.cumsum(crossings, axis=2, dtype=crossings.dtype, out=crossings)
        return crossings[:, :, :nx] > 0


class _Heap:
    """Triangles (n, 3, 3) mm, in the order of where they begin along z."""

    def __init__(self, triangles: np.ndarray) -> None:
        low, high = _reach(triangles, 2)
        order = np.argsort(low)
        self.triangles = triangles[order]
        self._low, self._high = low[order], high[order]
        self._front, self._back = _reach(self.triangles, 1)
        self._tallest = float((high - low).max(initial=0.0))

    def near(self, grid: Grid, reach: float) -> np.ndarray:
        """(m, 3, 3) mm: those that come as near as reach to the grid's rows."""
        (_, front, low), (_, back, high) = grid.lower - reach, grid.upper + reach
        here = slice(*np.searchsorted(self._low, [low - self._tallest, high]))
        held = self._high[here] >= low
        held &= self._back[here] >= front
        held &= self._front[here] <= back
        return self.triangles[here][held]


def _reach(triangles: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) mm each: where triangles begin and end along an axis."""
    a, b, c = triangles[:, :, axis].T
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _in_steps(triangles: np.ndarray, grid: Grid) -> np.ndarray:
    """Triangles (n, 3, 3) mm in voxels, with the grid's first point at zero."""
    # Whole steps are taken away without rounding, so that parts of one grid agree where they meet.
    return (triangles - grid.origin) / grid.spacing - np.array(grid.start)


def signed_distance(mesh: Mesh, grid: Grid, band_mm: float) -> np.ndarray:
    """[k, j, i] float32 mm: distance to the mesh's surface, negative inside, cut off at ±band_mm.

    Exact (to float32) wherever it is less than the band. Inside is where the surface winds round a point, so bodies
    that overlap in one mesh count as their union, and a surface turned inwards as a void.
    """
    return Distances(mesh).signed(grid, band_mm)


def inside(mesh: Mesh, grid: Grid) -> np.ndarray:
    """Bool [k, j, i]: the grid points that a closed mesh's surface winds round, exactly; cheaper than the distance."""
    return Distances(mesh).inside(grid)


def count_crossings(triangles: np.ndarray, crossings: np.ndarray) -> None:
    """Adds to crossings[k, j, i] the sense in which triangles are crossed by the x-line (j, k) just before point i.

    triangles: (n, 3, 3) in voxels. An edge is always computed from its lower end to its upper, so that two triangles
    agree on which of them a line through their common edge belongs to.
    """
    nz, ny, nx = crossings.shape[0], crossings.shape[1], crossings.shape[2] - 1
    cut = np.empty(2)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        # The x component of the normal: which way the line crosses.
        area = (b[1] - a[1]) * (c[2] - a[2]) - (c[1] - a[1]) * (b[2] - a[2])
        if area == 0.0:
            continue
        sense = -1 if area > 0.0 else 1
        k0 = max(0, math.ceil(min(a[2], b[2], c[2])))
        k1 = min(nz - 1, math.floor(max(a[2], b[2], c[2])))
        for k in range(k0, k1 + 1):
            found = 0
            for corner in range(3):
                p, q = triangles[t, corner], triangles[t, (corner + 1) % 3]
                if (p[2] > k) != (q[2] > k):
                    if p[2] > q[2]:
                        p, q = q, p
                    cut[found] = p[1] + (q[1] - p[1]) * ((k - p[2]) / (q[2] - p[2]))
                    found += 1
            if found < 2:
                continue
            j0 = max(0, math.ceil(min(cut[0], cut[1])))
            j1 = min(ny, math.ceil(max(cut[0], cut[1])))
            for j in range(j0, j1):
                u = ((j - a[1]) * (c[2] - a[2]) - (k - a[2]) * (c[1] - a[1])) / area
                v = ((b[1] - a[1]) * (k - a[2]) - (b[2] - a[2]) * (j - a[1])) / area
                x = a[0] + u * (b[0] - a[0]) + v * (c[0] - a[0])
                crossings[k, j, min(max(math.ceil(x), 0), nx)] += sense


def spread_squares(triangles: np.ndarray, band: float, squares: np.ndarray) -> None:
    """Lowers squares[k, j, i] to the squared distance of point (i, j, k) to each triangle within the band.

    triangles: (n, 3, 3) in voxels. Regions of the triangle's plane after Ericson, Real-Time Collision Detection, 5.1.5.
    """
    nz, ny, nx = squares.shape
    for t in range(triangles.shape[0]):
        ax, ay, az = triangles[t, 0, 0], triangles[t, 0, 1], triangles[t, 0, 2]
        bx, by, bz = triangles[t, 1, 0], triangles[t, 1, 1], triangles[t, 1, 2]
        cx, cy, cz = triangles[t, 2, 0], triangles[t, 2, 1], triangles[t, 2, 2]
        ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        uu, uv, vv = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
        fx, fy, fz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        off = (band + 1e-6) * math.sqrt(fx * fx + fy * fy + fz * fz)
        i0, i1 = max(0, math.ceil(min(ax, bx, cx) - band)), min(nx - 1, math.floor(max(ax, bx, cx) + band))
        j0, j1 = max(0, math.ceil(min(ay, by, cy) - band)), min(ny - 1, math.floor(max(ay, by, cy) + band))
        for k in range(max(0, math.ceil(min(az, bz, cz) - band)), min(nz - 1, math.floor(max(az, bz, cz) + band)) + 1):
            pz = k - az
            for j in range(j0, j1 + 1):
                py = j - ay
                # Of the row only the part within the band of the triangle's plane is looked at.
                level = fy * py + fz * pz
                first, last = i0, i1
                if abs(fx) * (i1 - i0 + 1) > 1e-3 * off:
                    end, other = ax + (-off - level) / fx, ax + (off - level) / fx
                    if end > other:
                        end, other = other, end
                    first, last = max(i0, math.ceil(max(end, i0 - 1.0))), min(i1, math.floor(min(other, i1 + 1.0)))
                elif abs(level) > 1.1 * off:
                    continue
                for i in range(first, last + 1):
                    px = i - ax
                    pu, pv = px * ux + py * uy + pz * uz, px * vx + py * vy + pz * vz
                    bu, bv, cu, cv = pu - uu, pv - uv, pu - uv, pv - vv
                    vc, vb, va = pu * bv - bu * pv, cu * pv - pu * cv, bu * cv - cu * bv
                    if pu <= 0.0 and pv <= 0.0:
                        s, r = 0.0, 0.0
                    elif bu >= 0.0 and bv <= bu:
                        s, r = 1.0, 0.0
                    elif vc <= 0.0 and pu >= 0.0 and bu <= 0.0:
                        s, r = pu / (pu - bu), 0.0
                    elif cv >= 0.0 and cu <= cv:
                        s, r = 0.0, 1.0
                    elif vb <= 0.0 and pv >= 0.0 and cv <= 0.0:
                        s, r = 0.0, pv / (pv - cv)
                    elif va <= 0.0 and bv - bu >= 0.0 and cu - cv >= 0.0:
                        r = (bv - bu) / ((bv - bu) + (cu - cv))
                        s = 1.0 - r
                    else:
                        s, r = vb / (va + vb + vc), vc / (va + vb + vc)
                    dx, dy, dz = px - s * ux - r * vx, py - s * uy - r * vy, pz - s * uz - r * vz
                    square = dx * dx + dy * dy + dz * dz
                    if square < squares[k, j, i]:
                        squares[k, j, i] = square
