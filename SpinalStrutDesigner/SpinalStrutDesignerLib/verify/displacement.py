"""How far a mobile structure has to move aside for a body that stands in its place."""

from __future__ import annotations

import numpy as np

from ..case.model import Structure
from .nearest import Nearest, Samples

_DIRECTIONS = 24
_COLUMN_MM = 1.0
_NEAR_MM = 25.0


def displacement_needed(structure: Structure, samples: Samples, nearest: Nearest, along: np.ndarray) -> float:
    """Least rigid sideways shift in mm that frees the structure from the body; 0 where they do not meet.

    along: (3,) unit, the run of the structure (head to foot), across which it may move. Depth under the surface alone
    would be too little as soon as the body passes the structure's middle: here, along each of 24 directions across the
    run, every column in which body and structure overlap asks for the distance from the structure's near end to the
    body's far end; the direction that asks for least is taken, and never less than the depth.
    """
    depth = max(0.0, -nearest.distance_mm)
    if depth == 0.0:
        return 0.0
    inside, _ = samples.below(structure.distance, 0.0)
    place = samples.points[inside]
    low, high = place.min(axis=0) - _NEAR_MM, place.max(axis=0) + _NEAR_MM
    held = structure.points
    held = held[np.all((held > low) & (held < high), axis=1)]
    body = samples.points[np.all((samples.points > low) & (samples.points < high), axis=1)]
    if not len(held):
        return depth
    # A voxel's centre stands for a block: half a voxel is added at the structure's near end.
    half = 0.5 * float(np.linalg.norm(structure.mask.ijk_to_ras[:3, :3], axis=0).min())
    across = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    across = across / np.linalg.norm(across)
    # Written out: libraries split products with so narrow matrices over threads, which costs more than it saves.
    x, y, z = np.concatenate([held, body]).T
    axes = (along, across, np.cross(along, across))
    run, over, beside = (axis[0] * x + axis[1] * y + axis[2] * z for axis in axes)
    row = np.floor(run / _COLUMN_MM).astype(np.int64)
    shifts = sideways_shifts(over, beside, row - row.min(), len(held))
    return max(depth, float(shifts.max(axis=0).min()) + half)


def sideways_shifts(over: np.ndarray, beside: np.ndarray, row: np.ndarray, first: int) -> np.ndarray:
    """(rows, directions) mm: the shift along each of 24 directions that carries every column of the structure in a row
    past the body; 0 where they do not overlap.

    over, beside: (n,) mm across the run; row: (n,) from 0, where along it; the first points are the structure's.
    """
    shifts = []
    for angle in 2.0 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        at = np.cos(angle) * over + np.sin(angle) * beside
        side = np.sin(angle) * over - np.cos(angle) * beside
        shifts.append(_shifts(at, row, np.floor(side / _COLUMN_MM).astype(np.int64), first))
    return np.stack(shifts, axis=1)


def _shifts(at: np.ndarray, row: np.ndarray, column: np.ndarray, first: int) -> np.ndarray:
    """(rows,) mm. at: (n,) mm along the way; row, column: (n,) each point's cell across it."""
    column = column - column.min()
    columns = int(column.max()) + 1
    key = row * columns + column
    size = (int(row.max()) + 1) * columns
    held_low, held_high = _extremes(key[:first], at[:first], size)
    body_low, body_high = _extremes(key[first:], at[first:], size)
    overlap = (held_low <= body_high) & (held_high >= body_low)
    return np.where(overlap, body_high - held_low, 0.0).reshape(-1, columns).max(axis=1)


def _extremes(key: np.ndarray, at: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, key, at)
    np.maximum.at(high, key, at)
    return low, high
