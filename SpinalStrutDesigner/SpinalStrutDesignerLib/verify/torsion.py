"""Saint-Venant torsion of a solid section of any outline: Prandtl's stress function by finite differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

# About this many grid steps across the section's hydraulic diameter: J within 0.5 % on rectangles and ellipses.
_STEPS_ACROSS = 20
_MOST_NODES = 2500
# The outline's own corners must not fall on grid lines; any irrational share of a step does.
_SHIFT = np.array([0.3819660113, 0.4142135624])


@dataclass(frozen=True)
class Torsion:
    """constant_mm4: J, twist per length = T / (G J); modulus_mm3: greatest shear stress = T / modulus."""

    constant_mm4: float
    modulus_mm3: float


@dataclass(frozen=True, eq=False)
class _Scan:
    """Where grid lines cross the outline. before, after: (n,) distance from each inner node to the outline against and
    along the line; slope_*: |cosine| of the angle between the line and the outline's normal there."""

    inside: np.ndarray
    before: np.ndarray
    after: np.ndarray
    slope_before: np.ndarray
    slope_after: np.ndarray


def torsion(starts: np.ndarray, ends: np.ndarray) -> Torsion:
    """Torsion of the region left of the segments starts -> ends, each (n, 2) mm, that together close.

    Solves laplace(phi) = -2, phi = 0 on the outline, with Shortley-Weller differences at the outline;
    J = 2 integral(phi), shear stress = |grad phi| T / J (Timoshenko & Goodier, Theory of Elasticity, 3rd ed., ch. 10).
    Separate pieces add up; a hole is taken as unable to carry shear round itself, which is on the safe side.
    """
    area = 0.5 * float(np.sum(starts[:, 0] * ends[:, 1] - ends[:, 0] * starts[:, 1]))
    perimeter = float(np.linalg.norm(ends - starts, axis=1).sum())
    if area <= 1e-6 or perimeter <= 0.0:
        return Torsion(0.0, 0.0)
    step = max(4.0 * area / perimeter / _STEPS_ACROSS, np.sqrt(area / _MOST_NODES))
    low = np.minimum(starts, ends).min(axis=0) - _SHIFT * step
    count = np.ceil((np.maximum(starts, ends).max(axis=0) - low) / step).astype(int) + 2
    along_x = _scan(starts - low, ends - low, step, (int(count[0]), int(count[1])), 0)
    inside = along_x.inside
    along_y = _scan(starts - low, ends - low, step, (int(count[0]), int(count[1])), 1, inside)
    phi = _stress_function(inside, (along_x, along_y), step)
    constant = 2.0 * float(phi.sum()) * step * step
    steepest = _steepest(inside, phi, (along_x, along_y), step)
    return Torsion(constant, constant / steepest if steepest > 0.0 else 0.0)


def _scan(
    starts: np.ndarray,
    ends: np.ndarray,
    step: float,
    shape: tuple[int, int],
    axis: int,
    inside: np.ndarray | None = None,
) -> _Scan:
    """Crossings of the grid's lines along one axis with the outline. shape: nodes along x and y."""
    along, across = (0, 1) if axis == 0 else (1, 0)
    lines, nodes = shape[across], shape[along]
    first = np.ceil(np.minimum(starts[:, across], ends[:, across]) / step).astype(int)
    last = np.ceil(np.maximum(starts[:, across], ends[:, across]) / step).astype(int)
    times = last - first
    segment = np.repeat(np.arange(len(starts)), times)
    line = np.arange(len(segment)) - np.repeat(np.cumsum(times) - times, times) + first[segment]
    rise = ends[segment] - starts[segment]
    share = (line * step - starts[segment, across]) / rise[:, across]
    place = starts[segment, along] + share * rise[:, along]
    slope = np.abs(rise[:, across]) / np.linalg.norm(rise, axis=1)
    width = (nodes + 4) * step
    key = line * width + place + step
    order = np.argsort(key, kind="stable")
    key, slope = key[order], slope[order]
    grid = (np.arange(lines)[:, None] * width + np.arange(nodes) * step + step).ravel()
    after = np.searchsorted(key, grid)
    if inside is None:
        inside = (after % 2 == 1).reshape(lines, nodes)  # every line crosses an even number of times
    chosen = inside if axis == 0 else inside.T
    at = after[chosen.ravel()].clip(1, max(len(key) - 1, 1))
    here = grid[chosen.ravel()]
    return _Scan(inside, here - key[at - 1], key[at] - here, slope[at - 1], slope[at])


def _stress_function(inside: np.ndarray, scans: tuple[_Scan, _Scan], step: float) -> np.ndarray:
    """phi on the inner nodes, (n,) in row order of inside (y, x)."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    total = int(inside.sum())
    rows, columns, values = [], [], []
    diagonal = np.zeros(total)
    for axis, scan in enumerate(scans):
        before, after = (_ordered(side, inside, axis) for side in (scan.before, scan.after))
        left, right = (np.clip(side, 1e-3 * step, step) for side in (before, after))
        for side, free, other, shift in ((left, before > step, right, 1), (right, after > step, left, -1)):
            weight = 2.0 / (side * (side + other))
            diagonal += weight
            neighbour = np.roll(number, shift, axis=1 - axis)[inside]
            joined = free & (neighbour >= 0)
            rows.append(np.flatnonzero(joined))
            columns.append(neighbour[joined])
            values.append(-weight[joined])
    rows.append(np.arange(total))
    columns.append(np.arange(total))
    values.append(diagonal)
    matrix = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(total, total))
    return np.atleast_1d(spsolve(matrix.tocsc(), np.full(total, 2.0)))


def _steepest(inside: np.ndarray, phi: np.ndarray, scans: tuple[_Scan, _Scan], step: float) -> float:
    """Greatest |grad phi| on the outline: a parabola through the outline and the two nodes next to it.

    The 99th percentile, because a re-entrant corner has no finite value.
    """
    field = np.zeros(inside.shape)
    field[inside] = phi
    slopes = [np.zeros(1)]
    for axis, scan in enumerate(scans):
        for distance, slope, shift in ((scan.before, scan.slope_before, -1), (scan.after, scan.slope_after, 1)):
            a = _ordered(distance, inside, axis)
            cosine = _ordered(slope, inside, axis)
            second = np.roll(field, shift, axis=1 - axis)[inside]
            has_second = np.roll(inside, shift, axis=1 - axis)[inside]
            edge = (a <= step) & (a > 0.05 * step) & (cosine > 0.7) & has_second
            a, u, v = a[edge], phi[edge], second[edge]
            slopes.append((u * (a + step) / a - v * a / (a + step)) / step / cosine[edge])
    return float(np.percentile(np.concatenate(slopes), 99.0))


def _ordered(values: np.ndarray, inside: np.ndarray, axis: int) -> np.ndarray:
    """Values given in the scan's own order (lines first), as (n,) in row order of inside."""
    if axis == 0:
        return values
    grid = np.zeros(inside.T.shape)
    grid[inside.T] = values
    return grid.T[inside]
