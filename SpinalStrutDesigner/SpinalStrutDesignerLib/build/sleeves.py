"""A drill guide's sleeves: a tube along each screw's axis, with its drill's depth stop, and whether they get by each
other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.errors import GeometryError
from scipy.spatial.distance import cdist

from ..case.model import Structure
from ..plan.guides import GuidePlan
from ..plan.plan import Screw

# A sleeve ends this far from the bone, mm, so that it never keeps the guide off its seat and drilled bone can leave.
# Engineering judgement.
END_GAP_MM = 1.0
# So much bone must follow an entry, mm: less is no wall that a drill finds, or a bone whose inside was not filled.
# Engineering judgement.
_BONE_MM = 2.0
# How far outside the head the bone is looked for along a screw's axis, and how densely, mm.
_LOOK_MM, _LOOK_STEP_MM = 10.0, 0.05
# Between two bores, mm: the least PA12 wall (clinical facts: 1.0 mm).
LEAST_WALL_MM = 1.0
# What follows a drill outside the sleeve, mm: the depth stop's collar and the chuck. Engineering judgement.
DRILL_WAY_MM = 40.0
_APART_STEP_MM = 0.25  # between points of axes whose distance is measured: right to step² / (8 · 3 mm) = 0.003 mm


@dataclass(frozen=True)
class Sleeve:
    """The tube that leads the drill of one screw. All places RAS mm.

    screw: its number in the plan, from 1; drill_mm: the pilot drill's diameter; bore_mm, outer_mm: diameters; top,
    foot: the ends of the guiding bore on the screw's axis; entry: where the axis meets the bone (or, on an implant, the
    head's place); tip: how deep is drilled; direction: unit, towards the tip; stop_mm: from the top to the tip, where
    the drill's depth stop is set.
    """

    screw: int
    drill_mm: float
    bore_mm: float
    outer_mm: float
    top: tuple[float, float, float]
    foot: tuple[float, float, float]
    entry: tuple[float, float, float]
    tip: tuple[float, float, float]
    direction: tuple[float, float, float]
    stop_mm: float

    @property
    def length_mm(self) -> float:
        """Of the guiding bore."""
        return float(np.linalg.norm(np.subtract(self.top, self.foot)))

    @property
    def words(self) -> str:
        """For whoever drills: the drill and where its stop is set."""
        return f"drill {self.drill_mm:g} mm, stop {self.stop_mm:g} mm"

    def outside(self, length_mm: float) -> np.ndarray:
        """(3,) the place so far outside the top on the axis."""
        return np.asarray(self.top) - length_mm * np.asarray(self.direction)


def sleeve_on_bone(number: int, screw: Screw, bone: Structure, guides: GuidePlan) -> Sleeve:
    """The sleeve over the place where a screw's axis enters bone.

    Raises GeometryError where the axis meets no bone, or only a shell of it.
    """
    start, along = np.asarray(screw.entry, dtype=float), np.asarray(screw.direction, dtype=float)
    at = np.arange(-_LOOK_MM, screw.length_mm, _LOOK_STEP_MM)
    distance = bone.distance(start + at[:, None] * along)
    first = int(np.argmax(distance < 0.0))
    if not distance[first] < 0.0:
        raise GeometryError(
            f"the axis of screw {number} meets no bone of {screw.level} within its {screw.length_mm:g} mm: move the "
            f"screw, or segment {screw.level} again"
        )
    after = at[first:][distance[first:] >= 0.0]
    if len(after) and after[0] - at[first] < _BONE_MM:
        raise GeometryError(
            f"the bone of {screw.level} under screw {number} is a shell {after[0] - at[first]:.1f} mm thin and hollow "
            f"or absent behind (at least {_BONE_MM:g} mm needed): fill the segmentation of {screw.level}, or move it"
        )
    crossed = at[first] + _LOOK_STEP_MM * distance[first] / max(distance[first - 1] - distance[first], 1e-9)
    return _sleeve(number, screw, crossed, crossed - END_GAP_MM, guides)


def sleeve_on_implant(number: int, screw: Screw, guides: GuidePlan) -> Sleeve:
    """The sleeve over a screw's hole: it begins at the flat top of where the head will be."""
    return _sleeve(number, screw, 0.0, 0.0, guides)


def _sleeve(number: int, screw: Screw, entry: float, foot: float, guides: GuidePlan) -> Sleeve:
    """entry, foot: along the axis from the head's place, mm."""
    start, along = np.asarray(screw.entry, dtype=float), np.asarray(screw.direction, dtype=float)
    least = screw.length_mm - foot + guides.sleeve_length_mm
    stop = guides.stop_step_mm * float(np.ceil(least / guides.stop_step_mm - 1e-9))
    drill = screw.type.pilot_mm
    bore = (guides.insert_diameter_mm or drill) + guides.tool_clearance_mm
    if guides.insert_diameter_mm is not None and guides.insert_diameter_mm <= drill:
        raise GeometryError(
            f"guides.insert_diameter_mm, {guides.insert_diameter_mm:g} mm, leaves no metal round the {drill:g} mm "
            f"drill of screw {number}: give the outer diameter of a wider sleeve, or none"
        )
    return Sleeve(
        screw=number,
        drill_mm=drill,
        bore_mm=bore,
        outer_mm=bore + 2.0 * guides.sleeve_wall_mm,
        top=_place(start + (screw.length_mm - stop) * along),
        foot=_place(start + foot * along),
        entry=_place(start + entry * along),
        tip=_place(start + screw.length_mm * along),
        direction=_place(along),
        stop_mm=stop,
    )


def wall_points(sleeve: Sleeve) -> np.ndarray:
    """(n, 3) RAS: places in the middle of a sleeve's wall along its outer half, which bone never meets at its place."""
    outward = -np.asarray(sleeve.direction)
    u = np.cross(outward, np.eye(3)[int(np.argmin(np.abs(outward)))])
    u /= np.linalg.norm(u)
    turns = 2.0 * np.pi * np.arange(12) / 12.0
    ring = np.cos(turns)[:, None] * u + np.sin(turns)[:, None] * np.cross(outward, u)
    heights = sleeve.length_mm * np.linspace(0.5, 0.95, 6)
    middle = 0.25 * (sleeve.bore_mm + sleeve.outer_mm)
    found: np.ndarray = (np.asarray(sleeve.foot) + heights[:, None, None] * outward + middle * ring).reshape(-1, 3)
    return found


def check_apart(sleeves: Sequence[Sleeve]) -> None:
    """Raises GeometryError where one sleeve's bore, or what follows its drill, cuts another one's guiding length."""
    for one in sleeves:
        for other in sleeves:
            if one.screw < other.screw:
                away = _between(one.foot, one.top, other.foot, other.top)
                _refuse(one, other, away, 0.5 * (one.bore_mm + other.bore_mm) + LEAST_WALL_MM, "bores")
            if one.screw != other.screw:
                away = _between(one.top, tuple(one.outside(DRILL_WAY_MM)), other.foot, other.top)
                least = 0.5 * (one.outer_mm + other.bore_mm) + LEAST_WALL_MM
                _refuse(one, other, away, least, "drill's way and bore")


def _refuse(one: Sleeve, other: Sleeve, away_mm: float, least_mm: float, what: str) -> None:
    if away_mm < least_mm:
        raise GeometryError(
            f"the sleeves of screws {one.screw} and {other.screw} collide: the axes of their {what} come within "
            f"{away_mm:.1f} mm, {least_mm:.1f} mm needed; shorten guides.sleeve_length_mm or turn a screw"
        )


def _between(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> float:
    """mm between the segments a-b and c-d."""
    return float(cdist(_along(a, b), _along(c, d)).min())


def _along(a: Sequence[float], b: Sequence[float]) -> np.ndarray:
    start, end = np.asarray(a), np.asarray(b)
    count = int(np.ceil(np.linalg.norm(end - start) / _APART_STEP_MM)) + 1
    return np.asarray(np.linspace(start, end, count))


def _place(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
