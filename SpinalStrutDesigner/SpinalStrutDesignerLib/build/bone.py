"""Bone around an end of the implant, in the endplate's own frame, and the same bone swept along the foot's way in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from ..case.model import Case, Endplate, Structure
from ..plan.plan import Approach

# Room around the endplate's outline in which an end is shaped, mm: a flange of 5 mm, a 6.5 mm screw's boss and blend.
AROUND_PLATE_MM = 13.0
# How far the block reaches at least into the docking vertebra, past a flange there, and past the foot, mm.
ABOVE_PLATE_MM = 18.0
PAST_FLANGE_MM = 4.0
PAST_FOOT_MM = 6.0
LOCAL_STEP_MM = 0.5
# Distances to bone matter as far as the thickest flange reaches from it, mm (at most 12 mm by the plan's range).
BONE_REACH_MM = 14.0


@dataclass(frozen=True, eq=False)
class LocalField:
    """Values on a regular block in an endplate's (right, anterior, out) frame. values: (out, anterior, right)."""

    endplate: Endplate
    low: np.ndarray
    step_mm: float
    values: np.ndarray

    @property
    def high(self) -> np.ndarray:
        """(3,) the far corner in (right, anterior, out)."""
        return self.low + self.step_mm * (np.array(self.values.shape[::-1]) - 1)

    @property
    def corners(self) -> np.ndarray:
        """(8, 3) RAS corners of the block."""
        sides = np.stack([self.low, self.high])
        chosen = np.stack(np.meshgrid(*[(0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        return self.endplate.to_ras(np.take_along_axis(sides, chosen, axis=0))

    def covered(self, points: np.ndarray, margin_mm: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Which of the RAS points (n, 3) lie in the block and a margin around it: their numbers (m,), and (right,
        anterior, out) (m, 3)."""
        corners = self.corners
        about = np.flatnonzero(
            within(points, corners.min(axis=0) - 2.0 * margin_mm, corners.max(axis=0) + 2.0 * margin_mm)
        )
        local = self.endplate.to_local(points[about])
        exactly = within(local, self.low - margin_mm, self.high + margin_mm)
        return about[exactly], local[exactly]

    def at_local(self, local: np.ndarray) -> np.ndarray:
        """Trilinear values at (right, anterior, out) points (n, 3); the nearest border value outside."""
        index = ((np.asarray(local) - self.low) / self.step_mm)[:, ::-1].T
        return map_coordinates(self.values, index, order=1, mode="nearest")

    def at(self, points: np.ndarray) -> np.ndarray:
        """Trilinear values at RAS points (n, 3)."""
        return self.at_local(self.endplate.to_local(points))


def within(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) bool: which points (n, 3) lie inside the box from low to high."""
    inside = np.ones(len(points), dtype=bool)
    for along, least, most in zip(points.T, low, high):
        inside &= (along > least) & (along < most)
    return inside


def insertion_direction(endplate: Endplate, approach: Approach) -> np.ndarray:
    """(3,) unit RAS vector along which a foot slides into place, in the plane of its endplate."""
    return {"anterior": -endplate.anterior, "right": -endplate.right, "left": endplate.right}[approach]


def bone_near(case: Case, low: np.ndarray, high: np.ndarray, margin_mm: float = 5.0) -> tuple[Structure, ...]:
    """The bone structures whose voxel block lies within margin of the RAS box low..high."""
    near = []
    for structure in case.having("bone"):
        first, last = structure.box
        if np.all(first <= high + margin_mm) and np.all(last >= low - margin_mm):
            near.append(structure)
    return tuple(near)


def bone_distance(bones: Iterable[Structure], points: np.ndarray, reach_mm: float) -> np.ndarray:
    """Signed distance (n,) from points (n, 3) RAS to these bones, cut off at reach_mm."""
    distance = np.full(len(points), reach_mm)
    low, high = points.min(axis=0, initial=np.inf) - reach_mm, points.max(axis=0, initial=-np.inf) + reach_mm
    for bone in bones:
        first, last = bone.box
        if (first > high).any() or (last < low).any():
            continue
        near = np.flatnonzero(within(points, first - reach_mm, last + reach_mm))
        if len(near):
            distance[near] = np.minimum(distance[near], bone.distance(points[near]))
    return distance


def end_block(endplate: Endplate, reach: np.ndarray, foot_height_mm: float, flange_height_mm: float) -> np.ndarray:
    """(2, 3) lowest and highest (right, anterior, out) of the block in which an end is shaped, from inside the docking
    vertebra to past the foot in the span; reach: (n, 2) points round all that the foot covers."""
    outline = endplate.to_local(endplate.outline)[:, :2]
    low = np.array([*(outline.min(axis=0) - AROUND_PLATE_MM), -ABOVE_PLATE_MM])
    least = np.array([*(reach.min(axis=0) - PAST_FOOT_MM), -flange_height_mm - PAST_FLANGE_MM])
    # By whole steps, so that bone is sampled at the same places however far the block reaches.
    low -= LOCAL_STEP_MM * np.ceil(np.maximum(low - least, 0.0) / LOCAL_STEP_MM)
    high = np.maximum(outline.max(axis=0) + AROUND_PLATE_MM, reach.max(axis=0) + PAST_FOOT_MM)
    return np.array([low, [*high, foot_height_mm + PAST_FOOT_MM]])


def local_bone(endplate: Endplate, bones: Iterable[Structure], block: np.ndarray) -> LocalField:
    """Signed distance to these bones in a block (2, 3) of the endplate's frame."""
    low, high = block
    count = np.ceil((high - low) / LOCAL_STEP_MM).astype(int) + 1
    axes = (low[i] + LOCAL_STEP_MM * np.arange(count[i]) for i in (2, 1, 0))
    out, anterior, right = np.meshgrid(*axes, indexing="ij")
    points = endplate.to_ras(np.column_stack([right.ravel(), anterior.ravel(), out.ravel()]))
    values = bone_distance(bones, points, BONE_REACH_MM).reshape(out.shape)
    return LocalField(endplate, low, LOCAL_STEP_MM, values)


def swept(field: LocalField, approach: Approach) -> LocalField:
    """The field of the bone swept along the way in: at each point the least distance met on the way to the outside.

    An implant kept outside the result has no undercut along its insertion direction.
    """
    values = field.values
    if approach == "anterior":
        run = np.minimum.accumulate(values[:, ::-1, :], axis=1)[:, ::-1, :]
    elif approach == "right":
        run = np.minimum.accumulate(values[:, :, ::-1], axis=2)[:, :, ::-1]
    else:
        run = np.minimum.accumulate(values, axis=2)
    return LocalField(field.endplate, field.low, field.step_mm, run)
