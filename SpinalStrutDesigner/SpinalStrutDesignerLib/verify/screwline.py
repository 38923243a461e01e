"""A screw as a line through bone, and what its placement may be off by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from LatticeGeneratorLib.mesh.samples import Distance

from ..case.model import Case, Structure
from ..plan.plan import ErrorBudget, Screw

_STEP_MM = 0.25
_GRADIENT_MM = 0.5
_SIDE_REACH_MM = 15.0


@dataclass(frozen=True, eq=False)
class ScrewLine:
    """A planned screw in its vertebra. depths: (n,) mm from the top of the head to the tip; points: (n, 3) RAS."""

    screw: Screw
    number: int
    vertebra: Structure

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"{self.screw.level} screw {self.number} (Ø {self.screw.type.diameter_mm:g} mm)"

    @property
    def radius(self) -> float:
        """Outer radius of the thread."""
        return 0.5 * self.screw.type.diameter_mm

    @property
    def direction(self) -> np.ndarray:
        """(3,) unit, towards the tip."""
        direction = np.asarray(self.screw.direction, dtype=float)
        return direction / np.linalg.norm(direction)

    @cached_property
    def depths(self) -> np.ndarray:
        """Stations under the head, the tip included."""
        start = self.screw.type.head_radius_mm
        count = max(int(np.ceil((self.screw.length_mm - start) / _STEP_MM)), 1)
        return np.linspace(start, self.screw.length_mm, count + 1)

    @cached_property
    def points(self) -> np.ndarray:
        """On the screw's axis at depths."""
        return np.asarray(self.screw.entry, dtype=float) + self.depths[:, None] * self.direction

    @property
    def tip(self) -> np.ndarray:
        """(3,) RAS."""
        return self.points[-1]

    @cached_property
    def in_bone(self) -> np.ndarray:
        """(n,) from the first station inside the vertebra on."""
        inside = self.vertebra.distance(self.points) < 0.0
        return np.cumsum(inside) > 0

    @cached_property
    def depths_in_bone(self) -> np.ndarray:
        """(m,) mm from the head's top on: where the axis enters the vertebra, and the stations from there to the tip.
        Empty where it does not."""
        inside = np.flatnonzero(self.in_bone)
        if not len(inside):
            return np.zeros(0)
        first = int(inside[0])
        if first == 0:
            return self.depths
        before, there = self.vertebra.distance(self.points[first - 1 : first + 1])
        entered = self.depths[first - 1] + before / (before - there) * (self.depths[first] - self.depths[first - 1])
        return np.concatenate([[entered], self.depths[first:]])

    def far_wall(self, reach_mm: float = 60.0) -> float | None:
        """mm from the tip along the screw to where bone ends; negative: it stands out. None outside bone."""
        if not self.in_bone.any():
            return None
        first = self.depths[np.argmax(self.in_bone)]
        along = np.arange(first, self.screw.length_mm + reach_mm, _STEP_MM)
        points = np.asarray(self.screw.entry, dtype=float) + along[:, None] * self.direction
        values = self.vertebra.distance(points)
        outside = values > 0.0
        outside[0] = False
        if not outside.any():
            return float(along[-1] - self.screw.length_mm)
        end = int(np.argmax(outside))
        share = values[end] / max(values[end] - values[end - 1], 1e-9)
        return float(along[end] - share * _STEP_MM - self.screw.length_mm)


@dataclass(frozen=True)
class Margin:
    """The tightest place of a screw's thread: distance from its surface, and the same less the budget there."""

    distance_mm: float
    left_mm: float
    point: tuple[float, float, float]


def tightest(line: ScrewLine, distance: Distance, budget: ErrorBudget, chosen: np.ndarray) -> Margin | None:
    """The place along the thread (stations chosen, (n,) bool) with least distance after the error budget."""
    if not chosen.any():
        return None
    points, depths = line.points[chosen], line.depths[chosen]
    slope = np.stack(
        [
            (distance(points + shift) - distance(points - shift)) / (2.0 * _GRADIENT_MM)
            for shift in np.eye(3) * _GRADIENT_MM
        ],
        axis=1,
    )
    steep = np.linalg.norm(slope, axis=1)
    axial = np.where(steep > 1e-3, np.abs(slope @ line.direction) / np.maximum(steep, 1e-9), 0.0).clip(0.0, 1.0)
    # The end of a cylinder reaches its radius sideways and nothing beyond its tip.
    away = distance(points) - line.radius * np.sqrt(1.0 - axial**2)
    left = away - placement_budget(budget, depths, axial)
    return _margin(points, away, left)


def least_any_way(line: ScrewLine, distance: Distance, budget: ErrorBudget) -> float | None:
    """mm that the error budget leaves of a thread's distance in bone where it leaves least, whichever way from the
    screw the thing lies; None where the screw meets no bone.

    For organs: they move between scan and operation, so that errors count in full even where one lay along the screw.
    """
    depths = line.depths_in_bone
    if not len(depths):
        return None
    points = np.asarray(line.screw.entry, dtype=float) + depths[:, None] * line.direction
    left = distance(points) - line.radius - placement_budget(budget, depths, np.zeros(len(depths)))
    return float(left.min())


def placement_budget(budget: ErrorBudget, depth_mm: np.ndarray, axial: np.ndarray) -> np.ndarray:
    """mm a thread may come nearer at a depth; axial: |cosine| of the angle from screw to what is near.

    Sideways, entry error and angular error (depth × tan) count; along the screw the seated head stops it and only
    segmentation to print counts. Independent errors, so their squares add up.
    """
    sideways = budget.screw_entry_mm**2 + (depth_mm * np.tan(np.deg2rad(budget.screw_angle_deg))) ** 2
    return np.sqrt(budget.segmentation_to_print_mm**2 + (1.0 - axial**2) * sideways)


def side_wall(line: ScrewLine, plate_normal: np.ndarray, budget: ErrorBudget, skip_mm: float) -> Margin | None:
    """The thinnest bone beside the thread, from skip_mm behind its entry on; None where the thread misses the bone.

    Only directions within 45° of the endplate's plane count: endplates have a rule of their own. A negative distance
    is a breach. The far wall, turned from a bicortical screw by less than 45°, is passed as planned and does not count.
    """
    if not line.in_bone.any():
        return None
    entry = line.depths[np.argmax(line.in_bone)]
    chosen = line.depths >= min(entry + skip_mm, line.screw.length_mm)
    if line.screw.bicortical:
        chosen &= line.depths <= max(line.screw.length_mm + (line.far_wall() or 0.0), entry)
        if not chosen.any():
            return None
    points, depths = line.points[chosen], line.depths[chosen]
    across = np.cross(line.direction, np.eye(3)[int(np.argmin(np.abs(line.direction)))])
    across = across / np.linalg.norm(across)
    angles = np.arange(32) * np.pi / 16.0
    ways = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * np.cross(line.direction, across)
    ways = ways[np.abs(ways @ plate_normal) < np.sqrt(0.5)]
    steps = np.arange(0.0, _SIDE_REACH_MM, _STEP_MM)
    rays = points[:, None, None] + steps[:, None] * ways[:, None]
    values = line.vertebra.distance(rays.reshape(-1, 3)).reshape(rays.shape[:3])
    outside = values > 0.0
    first = np.argmax(outside, axis=2)
    # Between the last place in bone and the first out of it, so that no wall is told a step too thick.
    ahead = np.maximum(first - 1, 0)
    there, before = (np.take_along_axis(values, k[..., None], axis=2)[..., 0] for k in (first, ahead))
    back = np.where(first > 0, there / np.maximum(there - before, 1e-9), 0.0) * _STEP_MM
    reached = np.where(outside.any(axis=2), steps[first] - back, _SIDE_REACH_MM)
    if line.screw.bicortical:
        met = np.take_along_axis(rays, first[..., None, None], axis=2).reshape(-1, 3)
        reached[faces_ahead(line.vertebra.distance, met, line.direction[None]).reshape(first.shape)] = _SIDE_REACH_MM
    reached = reached.min(axis=1)
    away = np.where(values[:, 0, 0] > 0.0, -values[:, 0, 0], reached) - line.radius
    return _margin(points, away, away - placement_budget(budget, depths, np.zeros(len(depths))))


def faces_ahead(distance: Distance, points: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n,) bool: whether bone's surface at points (n, 3) is turned from screws' directions (n, 3) by less than 45°, so
    that it is their far wall and not a side wall."""
    slope = np.stack(
        [distance(points + shift) - distance(points - shift) for shift in np.eye(3) * _GRADIENT_MM], axis=1
    )
    along = np.einsum("ij,ij->i", slope, np.broadcast_to(ways, slope.shape))
    ahead: np.ndarray = along > np.sqrt(0.5) * np.linalg.norm(slope, axis=1)
    return ahead


def _margin(points: np.ndarray, away: np.ndarray, left: np.ndarray) -> Margin:
    worst = int(np.argmin(left))
    x, y, z = (float(v) for v in points[worst])
    return Margin(float(away[worst]), float(left[worst]), (x, y, z))


def in_ct(case: Case, line: ScrewLine, points: np.ndarray) -> np.ndarray:
    """HU at points (n, 3) of the posed frame, where the CT showed that vertebra."""
    back = np.linalg.inv(line.vertebra.pose)
    return case.ct.sample(points @ back[:3, :3].T + back[:3, 3])
