"""Where text may be on each part, and where it is seen best: off bone, holes and necks, and facing the surgeon."""

from __future__ import annotations

import numpy as np

from ..plan.plan import Screw
from .bone import bone_distance
from .design import End, Implant, Situation
from .end import BOSS_WALL_MM, along_and_away
from .mark_place import Skin

# Text keeps this far off bone, mm: farther than any fit gap and what is left of it by print tolerance (0.2, 0.3), and
# nearer than the outer face of the thinnest flange lies. Engineering judgement.
OFF_BONE_MM = 1.0
# Text is read from in front: its surface faces away from the surgeon by no more than this (12° past the side), as a
# cosine. Engineering judgement.
_AWAY = -0.2
# A flange's neck, where it leaves the foot, is held free this far outside the plate's plane, and so is a foot past its
# interface, mm. Engineering judgement.
NECK_MM = 2.0
# A section of the strut is its narrowest where it has no more than this share over the least area. Engineering
# judgement.
_NARROW = 1.05


def worth_facing(skin: Skin, situation: Situation, facing: np.ndarray, relief_mm: float) -> np.ndarray:
    """(n,) the cosine to the surgeon of each point of a surface, -inf near bone. facing: (3,) RAS, towards the surgeon;
    relief_mm: how far text stands out."""
    worth = skin.normals @ (facing / np.linalg.norm(facing))
    seen = np.flatnonzero(worth >= _AWAY)
    bones, reach = situation.case.having("bone"), OFF_BONE_MM + 0.5
    outside = skin.points[seen] + relief_mm * skin.normals[seen]
    clear = bone_distance(bones, skin.points[seen], reach) >= OFF_BONE_MM
    if relief_mm > 0.0:
        clear &= bone_distance(bones, outside, reach) >= OFF_BONE_MM
    made = np.full(len(worth), -np.inf)
    made[seen[clear]] = worth[seen[clear]]
    return made


def surgeon_of(implant: Implant) -> np.ndarray:
    """(3,) unit RAS towards the surgeon: out along the ways in of both ends."""
    out = -np.sum([foot.insertion for foot in implant.feet], axis=0)
    length = float(np.linalg.norm(out))
    # Ends put in from opposite sides have no side in common: the upper one's is taken.
    return np.asarray(out / length if length > 0.5 else -implant.feet[0].insertion)


def strong_enough(points: np.ndarray, implant: Implant) -> np.ndarray:
    """(n,) bool: where metal may be cut: off the porous layers, the necks of flanges, screw holes and the narrowest
    sections of the strut."""
    situation = implant.situation
    kept = ~_narrow(points, implant)
    for end in ("upper", "lower"):
        kept &= ~_neck(points, situation, end)  # type: ignore[arg-type]
    for screw in situation.plan.screws:
        kept &= _off_hole(points, screw)
    return kept


def _neck(points: np.ndarray, situation: Situation, end: End) -> np.ndarray:
    plate = situation.upper if end == "upper" else situation.lower
    interface = situation.plan.interface
    out = plate.to_local(points)[:, 2]
    return np.asarray((out > -NECK_MM) & (out < interface.depth_mm + interface.minimum_solid_mm))


def _off_hole(points: np.ndarray, screw: Screw) -> np.ndarray:
    """Outside the boss round a screw's head."""
    return along_and_away(screw, points)[1] >= 0.5 * screw.type.head_diameter_mm + BOSS_WALL_MM


def _narrow(points: np.ndarray, implant: Implant) -> np.ndarray:
    """On the strut between the feet, at its narrowest sections; feet are wider."""
    axis, situation = implant.axis, implant.situation
    area = axis.widths * axis.depths
    at = np.interp(axis.local(points)[0], axis.arc, area)
    narrow = at <= _NARROW * area.min()
    for plate, foot in ((situation.upper, situation.plan.upper_foot), (situation.lower, situation.plan.lower_foot)):
        narrow &= plate.to_local(points)[:, 2] > foot.height_mm
    return np.asarray(narrow)
