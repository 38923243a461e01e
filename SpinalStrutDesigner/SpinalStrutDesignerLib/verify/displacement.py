"""How far a mobile structure has to move aside for a body that stands in its place."""

from __future__ import annotations

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


def _needed(
    structure: Structure, samples: Samples, place: np.ndarray, near_mm: float, along: np.ndarray, out: np.ndarray | None
) -> float:
    """The shift that frees what of the structure lies within near_mm of the places (n, 3) where body and it meet."""
    low, high = place.min(axis=0) - near_mm, place.max(axis=0) + near_mm
    held = structure.points
    held = held[np.all((held > low) & (held < high), axis=1)]
    body = samples.points[np.all((samples.points > low) & (samples.points < high), axis=1)]
    if not len(held):
        return 0.0
    # A voxel's centre stands for a block: half a voxel is added at the structure's near end.
    half = 0.5 * float(np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0).min())
    across = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    across = across / np.linalg.norm(across)
    # Written out: libraries split products with so narrow matrices over threads, which costs more than it saves.
    x, y, z = np.concatenate([held, body]).T
    axes = (along, across, np.cross(along, across))
    run, over, beside = (axis[0] * x + axis[1] * y + axis[2] * z for axis in axes)
    row = np.floor(run / _COLUMN_MM).astype(np.int64)
    needed = []
    for angle in _ANGLES:
        way = np.cos(angle) * axes[1] + np.sin(angle) * axes[2]
        columns = _columns(over, beside, row - row.min(), angle, len(held))
        for there, found in ((way, columns), (-way, _turned(columns))):
            if out is None or there @ out >= _DEEPER:
                needed.append(_shift(found) + half)
    return min(needed)


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
