"""How far a strut keeps from each structure, measured on the structures themselves and not on the room's nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ..build.bone import within
from ..case.model import Structure
from .nodes import REACH_MM

_MARCH_MM = 1.0  # steps towards the front, from where bone closes the way in
_STAIRS = 0.2  # of the coarsest spacing: a voxel's corner stands out of the smooth surface
_SPACING_DECIMALS = 9  # of mm: a turned image's spacing differs in the last bit
_SLOPE_MM = 0.1  # between the places by which a distance's slope is told


class Kept(Protocol):
    """What a strut keeps from something: need_mm, the least distance by rule; never_mm, below which no rule lets it
    come, -inf where its rule alone counts; spared: whether it may be pushed aside, but only where nothing else helps;
    is_bone: whether it is bone, on which feet stand; stairs_mm: kept besides from what may never be touched."""

    @property
    def need_mm(self) -> float: ...
    @property
    def never_mm(self) -> float: ...
    @property
    def spared(self) -> bool: ...
    @property
    def is_bone(self) -> bool: ...
    @property
    def stairs_mm(self) -> float: ...

    def nearest(self, points: np.ndarray, reach_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distances of points (n, 3) RAS, and the places (n, 3) where they are met; infinite where that is surely
        beyond reach."""

    def slopes(self, places: np.ndarray) -> np.ndarray:
        """(n, 3) by how much the distance grows at places (n, 3) for a mm along each axis."""


@dataclass(frozen=True, eq=False)
class Standoff:
    """A structure and what is kept from it: need_mm, the least distance by rule; never_mm, below which no rule lets a
    strut come, -inf where its rule alone counts. ahead: (3,) unit, to the front, for bone that also closes what lies
    behind it; None for all else. spared: whether it may be pushed aside, but only where nothing else helps.
    axes: (3, 3) unit rows, the column's, along which slopes are told: along the image's they would turn with it."""

    structure: Structure
    need_mm: float
    never_mm: float
    ahead: np.ndarray | None
    spared: bool
    axes: np.ndarray

    @property
    def is_bone(self) -> bool:
        """Whether it is bone, on which feet stand."""
        return self.structure.role == "bone"

    @property
    def least_mm(self) -> float:
        """The distance below which a strut is too near."""
        return max(self.need_mm, self.never_mm)

    @cached_property
    def stairs_mm(self) -> float:
        """By how much a voxel's corner stands out."""
        spacing = np.linalg.norm(self.structure.mask.ijk_to_ras[:3, :3], axis=0)
        return _STAIRS * round(float(spacing.max()), _SPACING_DECIMALS)

    def nearest(self, points: np.ndarray, reach_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """(n,) distances of points (n, 3) RAS, and the places (n, 3) where they are met; infinite where the box about
        the structure lies beyond reach."""
        if self.ahead is None:
            return self._distances(points, reach_mm), points
        away, places = np.full(len(points), np.inf), points.copy()
        march = np.arange(0.0, 2.0 * REACH_MM, _MARCH_MM)
        meets = np.flatnonzero(self._met(points, march[-1], reach_mm))
        marched = points[meets][:, None] + march[:, None] * self.ahead
        found = self._distances(marched.reshape(-1, 3), reach_mm).reshape(len(meets), len(march))
        first = found.argmin(axis=1)
        rows = np.arange(len(meets))
        away[meets], places[meets] = found[rows, first], marched[rows, first]
        return away, places

    def _met(self, points: np.ndarray, far_mm: float, reach_mm: float) -> np.ndarray:
        """Whether the way ahead from each point comes within reach of the structure's box: on each axis it does so
        between two distances, and on all of them at once."""
        assert self.ahead is not None
        low, high = self._box
        enters, leaves = np.zeros(len(points)), np.full(len(points), far_mm)
        for along, least, most, ahead in zip(points.T, low - reach_mm, high + reach_mm, self.ahead):
            speed = ahead if abs(ahead) > 1e-9 else 1e-9
            one, other = (least - along) / speed, (most - along) / speed
            enters = np.maximum(enters, np.minimum(one, other))
            leaves = np.minimum(leaves, np.maximum(one, other))
        return enters <= leaves

    @cached_property
    def _box(self) -> np.ndarray:
        return self.structure.box

    def _distances(self, points: np.ndarray, reach_mm: float) -> np.ndarray:
        """(n,) infinite where the box lies beyond reach."""
        low, high = self._box
        away = np.full(len(points), np.inf)
        near = np.flatnonzero(within(points, low - reach_mm, high + reach_mm))
        if len(near):
            away[near] = self.structure.distance(points[near])
        return away

    def slopes(self, places: np.ndarray) -> np.ndarray:
        """(n, 3) by how much the distance grows at places (n, 3) for a mm along each axis."""
        beside = [places + sign * 0.5 * _SLOPE_MM * way for way in self.axes for sign in (1.0, -1.0)]
        found = self.structure.distance(np.concatenate(beside)).reshape(3, 2, len(places))
        slopes: np.ndarray = (found[:, 0] - found[:, 1]).T @ self.axes / _SLOPE_MM
        return slopes


def worst_miss(standoffs: Sequence[Standoff], points: np.ndarray, needs: np.ndarray) -> float:
    """By how many mm points (n, 3), each with a ball of radius needs (n,) about it, miss what is kept, at worst."""
    missed = 0.0
    for one in standoffs:
        least = one.least_mm
        away, _ = one.nearest(points, max(least + float(needs.max(initial=0.0)), 0.0))
        missed = max(missed, float((least + needs - away).max(initial=0.0)))
    return missed
