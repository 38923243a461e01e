"""A vertebral body as a star-shaped surface about a point inside it, found in the CT at once for all directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import ConvexHull, cKDTree

from .frame import Frame, unit
from .model import Volume

# Directions from the centre: about 2 mm apart on a body. Ratios: a body's radius over that of an adult's mean body.
_DIRECTIONS = 500
_RATIOS = np.linspace(0.2, 1.95, 71)
_CHOSEN = slice(10, 61)
"""Radii of 0.45 to 1.7 of the mean: what adults' and adolescents' bodies and a seed off the centre need."""
_ROUNDED = 8.0  # exponent: a cylinder with a rounded rim
# In cost: a millimetre of soft tissue inside, or of bone just outside, counts 1. Engineering judgement.
_BESIDE_MM = 2.5
_EDGE_HU, _EDGE_COST = 250.0, 2.5
_SHEET_HU, _SHEET_COST, _DEEP_COST = 80.0, 2.0, 0.1
_SMOOTH_COST = 60.0
_SIZE_COST = 6.0
# Of messages at most, and without change until they are taken to have settled: on stars of test cases 35 on average,
# 93 at most, within 1 of the least cost of several hundred.
_MOST_ROUNDS, _STILL_ROUNDS = 100, 6
_FARTHEST_STEP = 8
_WITHIN = np.array((0.3, 0.45, 0.6, 0.75, 0.88))  # parts of the radii at which a body's filling is looked at
_BRIGHTEST_HU = 700.0  # cortex; metal counts as no more


@dataclass(frozen=True, eq=False)
class Star:
    """frame: at the centre, out towards the head; size: (3,) width, depth, height in mm of the body it is measured by;
    radii: (n,) mm along directions() of the frame."""

    frame: Frame
    size: np.ndarray
    radii: np.ndarray
    edge: float

    @property
    def points(self) -> np.ndarray:
        """(n, 3) RAS mm on the surface."""
        return self.frame.to_ras(directions() * self.radii[:, None])

    def depth_of(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm from points (n, 3) RAS to the surface along the ray from the centre: positive inside."""
        local = self.frame.to_local(points)
        away = np.linalg.norm(local, axis=1)
        near, index = _tree().query(local / np.maximum(away, 1e-6)[:, None], k=3)
        weight = 1.0 / (near + 1e-3)
        return (self.radii[index] * weight).sum(axis=1) / weight.sum(axis=1) - away

    def soft_share(self, ct: Volume, soft_hu: float) -> float:
        """How much of what it encloses is softer than soft_hu: 0 to 1. The rim is left out, where both meet."""
        radii = self.radii[:, None] * _WITHIN
        hu = ct.sample(self.within)
        weight = (radii**3).ravel() * np.isfinite(hu)
        return float(weight[np.nan_to_num(hu) < soft_hu].sum() / max(weight.sum(), 1e-9))

    @property
    def within(self) -> np.ndarray:
        """(n, 3) RAS mm: points of its inside, evenly over directions and depths."""
        return self.frame.to_ras((directions()[:, None] * (self.radii[:, None] * _WITHIN)[..., None]).reshape(-1, 3))

    @property
    def extent(self) -> np.ndarray:
        """(3,) mm: width, depth and height."""
        return self.reach[:, 1] - self.reach[:, 0]

    def turned(self, frame: Frame) -> Star:
        """The same surface, seen from another frame at the same origin."""
        points = self.points
        local = frame.to_local(points)
        away = np.linalg.norm(local, axis=1)
        _, index = cKDTree(local / away[:, None]).query(directions())
        return Star(frame, self.size, away[index], self.edge)

    @property
    def reach(self) -> np.ndarray:
        """(3, 2): the surface's least and greatest extent along right, anterior and out, from the centre."""
        local = directions() * self.radii[:, None]
        return np.percentile(local, (2.0, 98.0), axis=0).T


@cache
def directions() -> np.ndarray:
    """(n, 3) unit vectors, evenly spread."""
    n = np.arange(_DIRECTIONS) + 0.5
    polar, turn = np.arccos(1.0 - 2.0 * n / _DIRECTIONS), np.pi * (1.0 + np.sqrt(5.0)) * n
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)


@cache
def _tree() -> cKDTree:
    return cKDTree(directions())


@cache
def _neighbours() -> np.ndarray:
    """(m, 2): pairs of directions side by side, each both ways, the second half the first half turned round."""
    corners = ConvexHull(directions()).simplices
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    return np.concatenate([pairs, pairs[:, ::-1]])


def fit_star(ct: Volume, frame: Frame, size: np.ndarray, soft_hu: float) -> Star:
    """The surface about the frame's origin that has bone within, soft tissue without and edges under it, and is smooth.

    size: (3,) mm, width, depth and height of a usual body; soft_hu: below it is soft tissue.
    The radii that cost least together are found by passing messages between neighbouring directions (min-sum belief
    propagation).
    """
    ways = directions()
    across = np.hypot(ways[:, 0] / (size[0] / 2), ways[:, 1] / (size[1] / 2))
    usual = 1.0 / (across**_ROUNDED + np.abs(ways[:, 2] / (size[2] / 2)) ** _ROUNDED) ** (1.0 / _ROUNDED)
    radii = usual[:, None] * _RATIOS
    hu = ct.sample(frame.to_ras((ways[:, None] * radii[..., None]).reshape(-1, 3))).reshape(radii.shape)
    hu = np.clip(np.nan_to_num(hu, nan=soft_hu), -200.0, _BRIGHTEST_HU)
    step = usual * (_RATIOS[1] - _RATIOS[0])
    marrow = float(np.median(hu[:, : len(_RATIOS) // 4]))
    softness = np.clip((soft_hu - hu) / 60.0, 0.0, 1.0) * step[:, None]
    density = np.clip((hu - soft_hu) / 60.0, 0.0, 1.0)
    brightness = np.clip((hu - marrow - _SHEET_HU) / _SHEET_HU, 0.0, 1.0) * step[:, None]
    inside = np.cumsum(softness, axis=1) + _DEEP_COST * _shifted(np.cumsum(brightness, axis=1), -2.0, step)
    outside = _BESIDE_MM * _mean(density, 0.0, _BESIDE_MM, step)
    edge = np.clip((_mean(hu, -1.2, 0.0, step) - _mean(hu, 0.2, 1.6, step)) / _EDGE_HU, 0.0, 1.0)
    sheet = np.clip((_mean(hu, -1.6, 0.0, step) - _mean(hu, -6.0, -3.0, step)) / _SHEET_HU, 0.0, 1.0)
    cost = inside + outside - _EDGE_COST * edge - _SHEET_COST * sheet + _SIZE_COST * (_RATIOS - 1.0) ** 2
    chosen = _smooth_choice(cost[:, _CHOSEN])
    rows = np.arange(len(ways))
    columns = chosen + _CHOSEN.start
    found = radii[rows, columns]
    return Star(frame, size, found, float(edge[rows, columns].mean()))


def _shifted(profile: np.ndarray, by_mm: float, step: np.ndarray) -> np.ndarray:
    """profile (n, m) as it is by_mm farther out; step: (n,) mm between its columns."""
    columns = np.arange(profile.shape[1]) + np.round(by_mm / step).astype(int)[:, None]
    return np.take_along_axis(profile, np.clip(columns, 0, profile.shape[1] - 1), axis=1)


def _mean(profile: np.ndarray, low_mm: float, high_mm: float, step: np.ndarray) -> np.ndarray:
    """(n, m) mean of the profile from low_mm to high_mm of every column."""
    total = np.cumsum(profile, axis=1)
    count = np.maximum(np.round((high_mm - low_mm) / step), 1.0)
    low = _shifted(total, low_mm, step)
    columns = np.arange(profile.shape[1]) + (np.round(low_mm / step) + count).astype(int)[:, None]
    return (np.take_along_axis(total, np.clip(columns, 0, profile.shape[1] - 1), axis=1) - low) / count[:, None]


def _smooth_choice(cost: np.ndarray) -> np.ndarray:
    """(n,) the column of each row of cost (n, m) so that their sum and the neighbours' squared steps are least.

    Both halves of the directions send their messages in turn, until the choice stands still: all at once they settle
    later or not at all (Elidan, McGraw and Koller, Residual belief propagation, UAI 2006).
    """
    pairs, (count, width) = _neighbours(), cost.shape
    back = np.roll(np.arange(len(pairs)), len(pairs) // 2)
    steps = _SMOOTH_COST * (np.arange(-_FARTHEST_STEP, _FARTHEST_STEP + 1) * (_RATIOS[1] - _RATIOS[0])) ** 2
    messages = np.zeros((len(pairs), width), np.float32)
    heard = csr_array((np.ones(len(pairs), np.float32), (pairs[:, 1], np.arange(len(pairs)))), (count, len(pairs)))
    halves = [(sent, heard[:, sent]) for sent in (np.flatnonzero(pairs[:, 0] % 2 == parity) for parity in (0, 1))]
    belief = cost.astype(np.float32)
    chosen, still = belief.argmin(axis=1), 0
    for _ in range(_MOST_ROUNDS):
        for sent, at in halves:
            told = belief[pairs[sent, 0]] - messages[back[sent]]
            told = np.pad(told, ((0, 0), (_FARTHEST_STEP, _FARTHEST_STEP)), constant_values=1e6)
            new = np.full((len(sent), width), np.inf, np.float32)
            for shift, price in enumerate(steps.astype(np.float32)):
                np.minimum(new, told[:, shift : shift + width] + price, out=new)
            new -= new.min(axis=1, keepdims=True)
            belief += at @ (new - messages[sent])
            messages[sent] = new
        last, chosen = chosen, belief.argmin(axis=1)
        still = still + 1 if np.array_equal(last, chosen) else 0
        if still == _STILL_ROUNDS:
            break
    return chosen


def recentred(star: Star) -> Frame:
    """The star's frame moved to the middle of what it encloses and turned so that its ends are square to out."""
    ways, radii = directions(), star.radii
    middle = 0.75 * (ways * radii[:, None] ** 4).mean(axis=0) / (radii**3).mean()
    local = ways * radii[:, None]
    low, high = np.percentile(local[:, 2], (2.0, 98.0))
    normals = []
    for sign, end in ((1.0, high), (-1.0, low)):
        near = np.hypot(*(local - middle)[:, :2].T) < 0.38 * star.size[:2].mean()
        face = local[near & (sign * local[:, 2] > 0.4 * sign * end)]
        if len(face) < 12:
            continue
        matrix = np.column_stack([face[:, :2], np.ones(len(face))])
        slope = _plane(matrix, face[:, 2])
        normals.append(unit(np.array([-slope[0], -slope[1], 1.0])))
    out = star.frame.out if not normals else unit(np.mean(normals, axis=0) @ star.frame.rows)
    return Frame.along(star.frame.to_ras(middle[None])[0], out, star.frame.anterior)


def _plane(matrix: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """(3,) of the plane through most heights: least squares, twice without what lies far off."""
    kept = np.ones(len(heights), bool)
    for _ in range(3):
        slope = np.linalg.lstsq(matrix[kept], heights[kept], rcond=None)[0]
        off = np.abs(heights - matrix @ slope)
        kept = off <= max(1.0, 2.0 * np.median(off))
    return slope
