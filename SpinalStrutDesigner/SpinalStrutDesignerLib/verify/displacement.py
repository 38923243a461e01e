"""How far a mobile structure has to move aside for a body that stands in its place."""

from __future__ import annotations

import numpy as np

from ..case.model import Structure
from .nearest import Nearest, Samples

_DIRECTIONS = 24
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
    for angle in 2.0 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        if out is not None and (np.cos(angle) * axes[1] + np.sin(angle) * axes[2]) @ out < _DEEPER:
            continue
        at = np.cos(angle) * over + np.sin(angle) * beside
        side = np.sin(angle) * over - np.cos(angle) * beside
        needed.append(_shift(at, row, np.floor(side / _COLUMN_MM).astype(np.int64), len(held)) + half)
    return min(needed)


def _shift(at: np.ndarray, row: np.ndarray, column: np.ndarray, first: int) -> float:
    """Shift that carries the structure past the body in every column: where one column makes way by moving on, another
    may only then meet the body, and asks for more.

    at: (n,) mm along the way; row, column: (n,) each point's cell across it; the first points are the structure's.
    """
    column = column - column.min()
    key = (row - row.min()) * (column.max() + 1) + column
    size = int(key.max()) + 1
    held_low, held_high = _extremes(key[:first], at[:first], size)
    body_low, body_high = _extremes(key[first:], at[first:], size)
    shift = 0.0
    while True:
        overlap = (held_low + shift < body_high - _CLEAR_MM) & (held_high + shift > body_low + _CLEAR_MM)
        if not overlap.any():
            return shift
        shift = float((body_high - held_low)[overlap].max())


def _extremes(key: np.ndarray, at: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, key, at)
    np.maximum.at(high, key, at)
    return low, high
