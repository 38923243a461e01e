"""The loops of `distance` as numpy array operations, for where numba is not installed: the same to 1e-5 voxels."""

from __future__ import annotations

import numpy as np

_ROWS_AT_ONCE = 20_000


def tally_crossings(triangles: np.ndarray, crossings: np.ndarray) -> None:
    """As `distance.count_crossings`."""
    nz, ny, nx = crossings.shape[0], crossings.shape[1], crossings.shape[2] - 1
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = (b[:, 1] - a[:, 1]) * (c[:, 2] - a[:, 2]) - (c[:, 1] - a[:, 1]) * (b[:, 2] - a[:, 2])
    height = triangles[:, :, 2]
    first = np.maximum(np.ceil(height.min(axis=1)), 0).astype(np.int64)
    last = np.minimum(np.floor(height.max(axis=1)), nz - 1).astype(np.int64)
    t, k = _ranges(first, np.where(area == 0.0, first, last + 1))
    low, high = np.full(len(t), np.inf), np.full(len(t), -np.inf)
    for corner in range(3):
        p, q = triangles[t, corner], triangles[t, (corner + 1) % 3]
        crossed = (p[:, 2] > k) != (q[:, 2] > k)
        swapped = (p[:, 2] > q[:, 2])[:, None]
        p, q = np.where(swapped, q, p), np.where(swapped, p, q)
        rise = np.where(crossed, q[:, 2] - p[:, 2], 1.0)
        cut = p[:, 1] + (q[:, 1] - p[:, 1]) * ((k - p[:, 2]) / rise)
        low = np.where(crossed, np.minimum(low, cut), low)
        high = np.where(crossed, np.maximum(high, cut), high)
    met = np.isfinite(low)
    t, k, low, high = t[met], k[met], low[met], high[met]
    row, j = _ranges(np.maximum(np.ceil(low), 0).astype(np.int64), np.minimum(np.ceil(high), ny).astype(np.int64))
    t, k = t[row], k[row]
    a, b, c, area = a[t], b[t], c[t], area[t]
    u = ((j - a[:, 1]) * (c[:, 2] - a[:, 2]) - (k - a[:, 2]) * (c[:, 1] - a[:, 1])) / area
    v = ((b[:, 1] - a[:, 1]) * (k - a[:, 2]) - (b[:, 2] - a[:, 2]) * (j - a[:, 1])) / area
    x = a[:, 0] + u * (b[:, 0] - a[:, 0]) + v * (c[:, 0] - a[:, 0])
    i = np.clip(np.ceil(x), 0, nx).astype(np.int64)
    np.add.at(crossings, (k, j, i), np.where(area > 0.0, -1, 1).astype(crossings.dtype))


def lower_squares(triangles: np.ndarray, band: float, squares: np.ndarray) -> None:
    """As `distance.spread_squares`."""
    size = np.array(squares.shape[::-1])
    low = np.maximum(np.ceil(triangles.min(axis=1) - band), 0).astype(np.int64)
    high = np.minimum(np.floor(triangles.max(axis=1) + band), size - 1).astype(np.int64)
    span = np.maximum(high - low + 1, 0)
    number = span[:, 1] * span[:, 2] * (span[:, 0] > 0)
    ends = np.cumsum(number)
    flat = squares.reshape(-1)
    begin = 0
    while begin < len(triangles):
        done = ends[begin] - number[begin]
        end = max(begin + 1, int(np.searchsorted(ends, done + _ROWS_AT_ONCE, side="right")))
        t, rest = _ranges(np.zeros(end - begin, np.int64), number[begin:end])
        t += begin
        j, k = low[t, 1] + rest % span[t, 1], low[t, 2] + rest // span[t, 1]
        _lower_rows(triangles, t, j, k, (low[t, 0], high[t, 0]), band, flat, size)
        begin = end


def _lower_rows(
    triangles: np.ndarray,
    t: np.ndarray,
    j: np.ndarray,
    k: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    band: float,
    flat: np.ndarray,
    size: np.ndarray,
) -> None:
    """Lowers the flat squares along rows (j, k), each for triangle t and between its limits of i.

    Of a row only the part within the band of the triangle's plane is looked at. size: grid points (nx, ny, nz).
    """
    a = triangles[:, 0]
    u, v = triangles[:, 1] - a, triangles[:, 2] - a
    normal = np.cross(u, v)
    off = (band + 1e-6) * np.linalg.norm(normal, axis=1)[t]
    level = normal[t, 1] * (j - a[t, 1]) + normal[t, 2] * (k - a[t, 2])
    lowest, highest = limits
    steep = np.abs(normal[t, 0]) * (highest - lowest + 1) > 1e-3 * off
    slope = np.where(steep, normal[t, 0], 1.0)
    ends = np.stack([(-off - level) / slope, (off - level) / slope]) + a[t, 0]
    first = np.where(steep, np.ceil(np.clip(ends.min(axis=0), lowest - 1, highest + 1)), lowest).astype(np.int64)
    last = np.where(steep, np.floor(np.clip(ends.max(axis=0), lowest - 1, highest + 1)), highest).astype(np.int64)
    last = np.where(steep | (np.abs(level) <= 1.1 * off), last, first - 1)
    row, i = _ranges(np.maximum(first, lowest), np.minimum(last, highest) + 1)
    t, j, k = t[row], j[row], k[row]
    # Places are counted from a corner of the triangle: so near to it single precision is right to 1e-5 voxels.
    x, y, z = ((axis - start[t]).astype(np.float32) for axis, start in zip((i, j, k), np.ascontiguousarray(a.T)))
    square = _squares(x, y, z, _sides(u, v)[:, t])
    np.minimum.at(flat, (k * size[1] + j) * size[0] + i, square.astype(flat.dtype, copy=False))


def _sides(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(9, n) float32: of triangles with sides u and v from a corner, each (n, 3), the sides and their products."""
    products = [np.einsum("nk,nk->n", *pair) for pair in ((u, u), (u, v), (v, v))]
    return np.concatenate([u.T, v.T, np.stack(products)]).astype(np.float32)


def _squares(x: np.ndarray, y: np.ndarray, z: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """(n,) squared distances of places, counted from the triangles' corners, to triangles whose `_sides` are given."""
    ux, uy, uz, vx, vy, vz, uu, uv, vv = sides
    pu, pv = x * ux + y * uy + z * uz, x * vx + y * vy + z * vz
    bu, bv, cu, cv = pu - uu, pv - uv, pu - uv, pv - vv
    vc, vb, va = pu * bv - bu * pv, cu * pv - pu * cv, bu * cv - cu * bv
    zero, one = np.zeros_like(pu), np.ones_like(pu)
    with np.errstate(divide="ignore", invalid="ignore"):
        across = (bv - bu) / ((bv - bu) + (cu - cv))
        regions = [
            (pu <= 0.0) & (pv <= 0.0),
            (bu >= 0.0) & (bv <= bu),
            (vc <= 0.0) & (pu >= 0.0) & (bu <= 0.0),
            (cv >= 0.0) & (cu <= cv),
            (vb <= 0.0) & (pv >= 0.0) & (cv <= 0.0),
            (va <= 0.0) & (bv - bu >= 0.0) & (cu - cv >= 0.0),
        ]
        total = va + vb + vc
        s = np.select(regions, [zero, one, pu / (pu - bu), zero, zero, 1.0 - across], vb / total)
        r = np.select(regions, [zero, zero, zero, one, pv / (pv - cv), across], vc / total)
    x, y, z = x - s * ux - r * vx, y - s * uy - r * vy, z - s * uz - r * vz
    return x * x + y * y + z * z


def _ranges(first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the integers from first to end (excluded): (p,) row numbers and (p,) integers."""
    number = np.maximum(end - first, 0)
    row = np.repeat(np.arange(len(number)), number)
    return row, np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + first[row]
