"""The loops of `distance` as numpy array operations, for where numba is not installed: same numbers, slower."""

from __future__ import annotations

import numpy as np

_PAIRS_AT_ONCE = 1_000_000


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
    top = np.array(squares.shape[::-1])
    low = np.maximum(np.ceil(triangles.min(axis=1) - band), 0).astype(np.int64)
    high = np.minimum(np.floor(triangles.max(axis=1) + band), top - 1).astype(np.int64)
    span = np.maximum(high - low + 1, 0)
    number = span.prod(axis=1)
    flat = squares.reshape(-1)
    ends = np.cumsum(number)
    begin = 0
    while begin < len(triangles):
        done = ends[begin] - number[begin]
        end = max(begin + 1, int(np.searchsorted(ends, done + _PAIRS_AT_ONCE, side="right")))
        t, rest = _ranges(np.zeros(end - begin, np.int64), number[begin:end])
        t += begin
        i = low[t, 0] + rest % span[t, 0]
        rest //= span[t, 0]
        j, k = low[t, 1] + rest % span[t, 1], low[t, 2] + rest // span[t, 1]
        _lower(triangles, t, i, j, k, band, flat, top)
        begin = end


def _lower(
    triangles: np.ndarray,
    t: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    k: np.ndarray,
    band: float,
    flat: np.ndarray,
    size: np.ndarray,
) -> None:
    """Lowers the flat squares by pairs of triangle t and point (i, j, k); grid size (nx, ny, nz)."""
    a = triangles[:, 0]
    u, v = triangles[:, 1] - a, triangles[:, 2] - a
    normal = np.cross(u, v)
    length = np.linalg.norm(normal, axis=1)
    normal /= np.where(length > 0, length, 1.0)[:, None]
    # Most points of a bounding box are too far from the plane already.
    level = np.einsum("ij,ij->i", normal, a)
    off = normal[t, 0] * i + normal[t, 1] * j + normal[t, 2] * k - level[t]
    near = np.abs(off) <= band + 1e-6
    t, i, j, k = t[near], i[near], j[near], k[near]
    square = _squares(np.stack([i, j, k]) - a[t].T, u[t].T, v[t].T)
    place = (k * size[1] + j) * size[0] + i
    np.minimum.at(flat, place, square.astype(flat.dtype))


def _squares(p: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(n,) squared distances of points p to triangles with sides u and v from the origin, each (3, n)."""
    uu, uv, vv, pu, pv = (_dot(*pair) for pair in ((u, u), (u, v), (v, v), (p, u), (p, v)))
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
    away = p - s * u - r * v
    return _dot(away, away)


def _dot(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def _ranges(first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the integers from first to end (excluded): (p,) row numbers and (p,) integers."""
    number = np.maximum(end - first, 0)
    row = np.repeat(np.arange(len(number)), number)
    return row, np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + first[row]
