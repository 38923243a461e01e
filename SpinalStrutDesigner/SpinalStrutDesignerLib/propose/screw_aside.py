"""How far a structure must be held aside for a straight driver, for many drivers at once and never told too little.

A structure is moved sideways as a whole, in one of 24 directions across the run of the column (or across the hand's
other axis), until in every millimetre along that axis all of it lies past the driver. Verification asks the same of
each column alone, which asks for less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..build.design import Situation
from ..case.pieces import pieces
from ..verify.access import Driver, Obstacle
from ..verify.insertion import hand_axes

_ANGLES = 2.0 * np.pi * np.arange(24) / 24
_DEEPER = -0.2  # cosine to the way out: what a hand holds is not pushed deeper (as verification has it)
_TOUCH_MM = 2.0  # between places of a driver at which it is looked whether it meets a part
_AT_ONCE = 64  # drivers looked at together


@dataclass(frozen=True, eq=False)
class _Part:
    """A connected part. tree: of its voxels; for each axis across which it moves: the axis, the directions (24, 3), the
    first row, and least (rows, 24) mm of the part along each direction in each row."""

    tree: cKDTree
    half_mm: float
    tables: tuple[tuple[np.ndarray, np.ndarray, int, np.ndarray], ...]


@dataclass(frozen=True, eq=False)
class Aside:
    """A structure that may be held aside, as drivers meet it."""

    parts: tuple[_Part, ...]

    @classmethod
    def of(cls, where: Situation, thing: Obstacle) -> Aside:
        """A structure of a situation."""
        run, front = hand_axes(where)
        parts = []
        for piece in pieces(thing.structure):
            points = piece.points
            half = 0.5 * float(np.linalg.norm(piece.mask.ijk_to_ras[:3, :3], axis=0).max())
            tables = tuple(_table(points, axis, front) for axis in (run, np.cross(front, run)))
            parts.append(_Part(cKDTree(points), half, tables))
        return cls(tuple(parts))

    def needed_mm(self, entries: np.ndarray, ways: np.ndarray, driver: Driver) -> np.ndarray:
        """(n,) mm for drivers behind screws with entries and unit directions (n, 3); 0 where none is met."""
        needed = np.zeros(len(entries))
        out = np.linspace(0.0, driver.length_mm, int(np.ceil(driver.length_mm / _TOUCH_MM)) + 1)
        axis = entries[:, None] - out[:, None] * ways[:, None]
        for part in self.parts:
            reach = driver.radius_mm + part.half_mm + 0.5 * _TOUCH_MM
            away = part.tree.query(axis.reshape(-1, 3), distance_upper_bound=reach)[0].reshape(len(entries), -1)
            met = np.flatnonzero(np.isfinite(away).any(axis=1))
            for first in range(0, len(met), _AT_ONCE):
                some = met[first : first + _AT_ONCE]
                shifts = [_shift(part, table, entries[some], ways[some], driver) for table in part.tables]
                needed[some] = np.maximum(needed[some], np.min(shifts, axis=0))
        return needed


def _table(points: np.ndarray, axis: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    across = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    across /= np.linalg.norm(across)
    beside = np.cross(axis, across)
    turns = np.cos(_ANGLES)[:, None] * across + np.sin(_ANGLES)[:, None] * beside
    turns = turns[turns @ front >= _DEEPER]
    row = np.floor(points @ axis).astype(int)
    first = int(row.min())
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(first, int(row.max()) + 1))
    least = np.full((len(starts), len(turns)), np.inf)
    filled = np.diff(np.append(starts, len(row))) > 0
    least[filled] = np.minimum.reduceat(points[order] @ turns.T, starts[filled], axis=0)
    return axis, turns, first, least


def _shift(
    part: _Part,
    table: tuple[np.ndarray, np.ndarray, int, np.ndarray],
    entries: np.ndarray,
    ways: np.ndarray,
    driver: Driver,
) -> np.ndarray:
    """(n,) mm, by the direction that asks for least."""
    axis, turns, first, least = table
    start, slope = entries @ axis, -(ways @ axis)
    wide = driver.radius_mm * np.sqrt(np.maximum(1.0 - slope**2, 0.0)) + part.half_mm
    rows = first + np.arange(len(least))
    low, high = rows - wide[:, None] - start[:, None], rows + 1.0 + wide[:, None] - start[:, None]  # (n, rows)
    steep = np.abs(slope) > 1e-3
    safe = np.where(steep, slope, 1.0)[:, None]
    one, other = low / safe, high / safe
    begins = np.where(steep[:, None], np.minimum(one, other), np.where(low <= 0.0, 0.0, np.inf))
    ends = np.where(steep[:, None], np.maximum(one, other), np.where(high >= 0.0, driver.length_mm, -np.inf))
    begins, ends = np.maximum(begins, 0.0), np.minimum(ends, driver.length_mm)
    there = (begins <= ends) & np.isfinite(least).all(axis=1)
    begins, ends = np.where(there, begins, 0.0), np.where(there, ends, 0.0)
    along = -(ways @ turns.T)[:, None]  # (n, 1, 24)
    tip = np.maximum(begins[..., None] * along, ends[..., None] * along) + (entries @ turns.T)[:, None]
    round_ = driver.radius_mm * np.sqrt(np.maximum(1.0 - along**2, 0.0))
    asked = np.where(there[..., None], tip + round_ - least + part.half_mm, 0.0)
    shift: np.ndarray = np.maximum(asked, 0.0).max(axis=1).min(axis=1)
    return shift
