"""How far a mobile structure has to move aside for a body that stands in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.samples import Nearest, Samples

from ..case.model import Structure

_ANGLES = np.pi * np.arange(12) / 12  # of half the directions; the others run against them
_COLUMN_MM = 1.0
# Only what lies so near to where body and structure meet is looked at; where the shift comes near to that, more is.
_NEAR_MM, _SEEN = (25.0, 50.0, 100.0, 200.0), 0.8
_CLEAR_MM = 1e-6  # a rounding: what has just passed no longer overlaps
_DEEPER = -0.2  # cosine to the way out: a hand's direction sideways counts as such to 12 degrees past it


def displacement_needed(
    structure: Structure, samples: Samples, nearest: Nearest, along: np.ndarray, out: np.ndarray | None = None
) -> float:
    """Least rigid sideways shift in mm that frees the structure from the body; 0 where they do not meet.

    along: (3,) unit, the run of the structure (head to foot), across which it may move; out: (3,) unit, the way out of
    the patient where a hand holds it, so that it cannot be moved deeper. Depth under the surface alone would be too
    little as soon as the body passes the structure's middle: here, along each of 24 directions across the run, every
    column in which body and structure overlap asks for the distance from the structure's near end to the body's far
    end; the direction that asks for least is taken, and never less than the depth.
    """
    depth = max(0.0, -nearest.distance_mm)
    if depth == 0.0:
        return 0.0
    inside, _ = samples.below(structure.distance, 0.0)
    place = samples.points[inside]
    for near in _NEAR_MM:
        needed = _needed(structure, samples, place, near, along, out)
        if needed < _SEEN * near:
            break
    return max(depth, needed)


def displacement_ways(
    structure: Structure, samples: Samples, nearest: Nearest, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(24, 3) unit directions across the run, and (24,) mm by which the structure has to move along each to be free of
    the body: 0 where they do not meet; what is more than 20 mm is told too little.

    along: (3,) unit, the run of the structure, as `displacement_needed`.
    """
    if nearest.distance_mm >= 0.0:
        return _ways(along), np.zeros(2 * len(_ANGLES))
    inside, _ = samples.below(structure.distance, 0.0)
    shifts = _shifts(structure, samples, samples.points[inside], _NEAR_MM[0], along)
    return _ways(along), np.maximum(-nearest.distance_mm, shifts)


def _needed(
    structure: Structure, samples: Samples, place: np.ndarray, near_mm: float, along: np.ndarray, out: np.ndarray | None
) -> float:
    """The shift that frees what of the structure lies within near_mm of the places (n, 3) where body and it meet."""
    shifts = _shifts(structure, samples, place, near_mm, along)
    return float(shifts.min() if out is None else shifts[_ways(along) @ out >= _DEEPER].min())


def _shifts(
    structure: Structure, samples: Samples, place: np.ndarray, near_mm: float, along: np.ndarray
) -> np.ndarray:
    """(24,) mm along each of `_ways`."""
    low, high = place.min(axis=0) - near_mm, place.max(axis=0) + near_mm
    held = points_within(structure, low, high)
    body = samples.points[np.all((samples.points > low) & (samples.points < high), axis=1)]
    if not len(held):
        return np.zeros(2 * len(_ANGLES))
    # Written out: libraries split products with so narrow matrices over threads, which costs more than it saves.
    x, y, z = np.concatenate([held, body]).T
    run, over, beside = (axis[0] * x + axis[1] * y + axis[2] * z for axis in (along, *_across(along)))
    row = np.floor(run / _COLUMN_MM).astype(np.int64)
    needed = []
    for angle in _ANGLES:
        columns = _columns(over, beside, row - row.min(), angle, len(held))
        needed += [_shift(columns), _shift(_turned(columns))]
    return np.array(needed) + _half_mm(structure)


def points_within(structure: Structure, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n, 3) RAS mm: a structure's points in a box, (3,) each."""
    held = structure.points
    within: np.ndarray = held[np.all((held > low) & (held < high), axis=1)]
    return within


def _ways(along: np.ndarray) -> np.ndarray:
    """(24, 3) unit: the directions across a run, each followed by its opposite."""
    over, beside = _across(along)
    ways = np.cos(_ANGLES)[:, None] * over + np.sin(_ANGLES)[:, None] * beside
    return np.stack([ways, -ways], axis=1).reshape(-1, 3)


def _across(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    across = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    across = across / np.linalg.norm(across)
    return across, np.cross(along, across)


def _half_mm(structure: Structure) -> float:
    """A voxel's centre stands for a block: half a voxel is added at the structure's near end."""
    return 0.5 * float(np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0).min())


@dataclass(frozen=True, eq=False)
class NearSide:
    """Where a structure begins and ends in columns along one direction in which it may give way, as the body that
    pushes it meets it.

    axes: (3, 3) its run, across the columns, and the direction, unit; keys: (n,) of the columns that hold something of
    it, ascending; begins, ends: (n,) mm along the direction; half_mm: of a voxel.
    """

    axes: np.ndarray
    first: np.ndarray
    count: int
    keys: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    half_mm: float

    @classmethod
    def of(cls, structure: Structure, held: np.ndarray, along: np.ndarray, way: np.ndarray) -> NearSide:
        """Of these points (n, 3) of a structure; along, way: (3,) unit, its run and the direction."""
        axes = np.stack([along, np.cross(way, along), way])
        row, column = np.floor(held @ axes[:2].T / _COLUMN_MM).astype(np.int64).T
        first = np.array([row.min(initial=0), column.min(initial=0)])
        count = int(column.max(initial=0) - first[1]) + 1
        keys, place = np.unique((row - first[0]) * count + column - first[1], return_inverse=True)
        begins, ends = _extremes(place.ravel(), held @ way, len(keys))
        return cls(axes, first, count, keys, begins, ends, _half_mm(structure))

    def pushed(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm by which it has to move on for points (n, 3) of a body that stand in it; 0 beside it."""
        row, column = np.floor(points @ self.axes[:2].T / _COLUMN_MM).astype(np.int64).T - self.first[:, None]
        key = np.where((column >= 0) & (column < self.count), row * self.count + column, -1)
        found = np.searchsorted(self.keys, key).clip(0, max(len(self.keys) - 1, 0))
        at = points @ self.axes[2]
        if not len(self.keys):
            return np.zeros(len(points))
        met = (self.keys[found] == key) & (at >= self.begins[found]) & (at <= self.ends[found])
        return np.where(met, at - self.begins[found] + self.half_mm, 0.0)


def sideways_shifts(over: np.ndarray, beside: np.ndarray, row: np.ndarray, first: int) -> np.ndarray:
    """(rows, directions) mm: the shift along each of 24 directions that carries every column of the structure in a row
    past the body; 0 where they do not overlap.

    over, beside: (n,) mm across the run; row: (n,) from 0, where along it; the first points are the structure's.
    """
    shifts = []
    for angle in _ANGLES:
        columns = _columns(over, beside, row, angle, first)
        for held_low, held_high, body_low, body_high in (columns, _turned(columns)):
            overlap = (held_low <= body_high) & (held_high >= body_low)
            shifts.append(np.where(overlap, body_high - held_low, 0.0).max(axis=1))
    return np.stack(shifts, axis=1)


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _shift(columns: _Columns) -> float:
    """The shift that carries the structure past the body in every column: where one column makes way by moving on,
    another may only then meet the body, and asks for more."""
    held_low, held_high, body_low, body_high = columns
    shift = 0.0
    while True:
        overlap = (held_low + shift < body_high - _CLEAR_MM) & (held_high + shift > body_low + _CLEAR_MM)
        if not overlap.any():
            return shift
        shift = float((body_high - held_low)[overlap].max())


def _columns(over: np.ndarray, beside: np.ndarray, row: np.ndarray, angle: float, first: int) -> _Columns:
    """Where structure and body begin and end, each (rows, columns) mm, in columns along a direction: infinite where
    there is nothing of them."""
    at = np.cos(angle) * over + np.sin(angle) * beside
    side = np.sin(angle) * over - np.cos(angle) * beside
    column = np.floor(side / _COLUMN_MM).astype(np.int64)
    column = column - column.min()
    rows, count = int(row.max()) + 1, int(column.max()) + 1
    key = row * count + column
    held, body = (_extremes(key[part], at[part], rows * count) for part in (slice(first), slice(first, None)))
    held_low, held_high, body_low, body_high = (ends.reshape(rows, count) for ends in (*held, *body))
    return held_low, held_high, body_low, body_high


def _turned(columns: _Columns) -> _Columns:
    """The same columns, seen against their direction."""
    held_low, held_high, body_low, body_high = columns
    return -held_high, -held_low, -body_high, -body_low


def _extremes(key: np.ndarray, at: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, key, at)
    np.maximum.at(high, key, at)
    return low, high
