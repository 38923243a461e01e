"""A screw where a person points: straight into the bone, as long as it may be without leaving it."""

from __future__ import annotations

import numpy as np

from ..case.model import Case, Structure
from ..errors import PlanError
from ..plan.entries import ScrewType
from ..plan.plan import Plan, Screw
from .screws import under_head_mm

# How far from a docking vertebra a person may point and still mean it, mm: a few pixels beside the bone.
_NEAR_MM = 5.0
# Steps in which the way into bone is followed, mm: a voxel of a thin-sliced CT.
_STEP_MM = 0.5
_LONGEST_MM = 120.0  # the longest catalogue screw


def screw_at(case: Case, plan: Plan, kind: ScrewType, point: tuple[float, float, float]) -> Screw:
    """The screw of a kind at a point on bone, RAS mm: along the bone's inward normal there, unicortical.

    case: as corrected, posed and resected. Its head stands off the bone as far as the metal under it and the fit gap
    need; its length is the longest made that keeps the plan's distance to the far cortex, else the shortest made.
    Raises PlanError where the point is not on a docking vertebra.
    """
    place = np.asarray(point, dtype=float)
    distances = {level: float(case.structure(level).distance(place[None])[0]) for level in (plan.upper, plan.lower)}
    level = min(distances, key=lambda name: distances[name])
    if distances[level] > _NEAR_MM:
        raise PlanError(
            f"the place is {distances[level]:.1f} mm from {level}, the nearest docking vertebra; click on "
            f"{plan.upper} or {plan.lower}"
        )
    bone = case.structure(level)
    direction = -_slope(bone, place, 0.5 * kind.head_diameter_mm)
    on_bone = place + distances[level] * direction
    foot = plan.upper_foot if level == plan.upper else plan.lower_foot
    under = under_head_mm(plan, kind) + foot.fit_gap_mm
    room = under + _depth_mm(bone, on_bone, direction) - plan.screw_rules.cortex_mm
    fitting = [length for length in kind.lengths_mm if length <= room]
    entry = on_bone - under * direction
    length = fitting[-1] if fitting else kind.lengths_mm[0]
    return Screw(kind, level, tuple(entry.tolist()), tuple(direction.tolist()), length)


def _slope(bone: Structure, place: np.ndarray, reach_mm: float) -> np.ndarray:
    """(3,) unit: away from the bone, taken across what a screw's head covers, so that no ridge turns the screw."""
    steps = reach_mm * np.vstack([np.eye(3), -np.eye(3)])
    values = bone.distance(place + steps)
    slope = values[:3] - values[3:]
    length = float(np.linalg.norm(slope))
    if length < 1e-6:
        raise PlanError("the place lies in the middle of the bone: click on its surface")
    return slope / length


def _depth_mm(bone: Structure, start: np.ndarray, direction: np.ndarray) -> float:
    """How far a straight way stays in the bone, mm, from a place on its surface."""
    along = np.arange(2.0 * _STEP_MM, _LONGEST_MM, _STEP_MM)
    outside = np.flatnonzero(bone.distance(start + along[:, None] * direction) > 0.0)
    return float(along[outside[0]]) if len(outside) else _LONGEST_MM
