"""Where text may be on each part, and where it is seen best: off bone, holes and necks, and facing the surgeon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..case.frame import projected
from ..plan.plan import Screw
from .bone import bone_distance
from .design import End, Foot, Implant, Situation
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
# What is stressed no more than this share of the worst place, cut as it is, does not govern. Engineering judgement.
_SPARED = 0.95


def worth_facing(skin: Skin, situation: Situation, facing: np.ndarray, relief_mm: float) -> np.ndarray:
    """(n,) the cosine to the surgeon of each point of a surface, -inf near bone. facing: (3,) RAS, towards the surgeon;
    relief_mm: how far text stands out."""
    worth = projected(skin.normals, facing[None] / np.linalg.norm(facing))[:, 0]
    seen = np.flatnonzero(worth >= _AWAY)
    bones, reach = situation.case.having("bone"), OFF_BONE_MM + 0.5
    outside = skin.points[seen] + relief_mm * skin.normals[seen]
    clear = bone_distance(bones, skin.points[seen], reach) >= OFF_BONE_MM
    if relief_mm > 0.0:
        clear &= bone_distance(bones, outside, reach) >= OFF_BONE_MM
    made = np.full(len(worth), -np.inf)
    made[seen[clear]] = worth[seen[clear]]
    return made


def surgeon_of(feet: Sequence[Foot]) -> np.ndarray:
    """(3,) unit RAS towards the surgeon: out along the ways in of both ends."""
    out = -np.sum([foot.insertion for foot in feet], axis=0)
    length = float(np.linalg.norm(out))
    # Ends put in from opposite sides have no side in common: the upper one's is taken.
    return np.asarray(out / length if length > 0.5 else -feet[0].insertion)


def strong_enough(points: np.ndarray, implant: Implant, depth_mm: float) -> np.ndarray:
    """(n,) bool: where metal may be cut so deep (0 for text that stands out): off porous layers, necks of flanges and
    screw holes, and where the strut, thinner by that, is stressed no more than where it is stressed most."""
    situation = implant.situation
    kept = _spared(points, implant, depth_mm) if depth_mm > 0.0 else np.ones(len(points), dtype=bool)
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


def _spared(points: np.ndarray, implant: Implant, depth_mm: float) -> np.ndarray:
    """On the strut where a cut does not make the worst place worse; on the feet, which are wider."""
    axis, situation = implant.axis, implant.situation
    chord = situation.lower.centre - situation.upper.centre
    chord = chord / np.linalg.norm(chord)
    away = axis.points - situation.upper.centre
    off = np.linalg.norm(away - (away @ chord)[:, None] * chord, axis=1)
    most = _stress(axis.widths, axis.depths, off).max()
    cut = _stress(axis.widths - depth_mm, axis.depths - depth_mm, off)
    spared = np.interp(axis.local(points)[0], axis.arc, cut) <= _SPARED * most
    for plate, foot in ((situation.upper, situation.plan.upper_foot), (situation.lower, situation.plan.lower_foot)):
        spared |= plate.to_local(points)[:, 2] <= foot.height_mm
    return np.asarray(spared)


def _stress(width: np.ndarray, depth: np.ndarray, off: np.ndarray) -> np.ndarray:
    """1/mm²: stress under unit force along the line between the docking endplates, off mm from the section's middle:
    force over area and, of the rectangle about the section, bending over its section modulus, w d² / 6 about the thin
    side (moment M = F e: clinical facts, spine axis)."""
    thin, wide = np.minimum(width, depth), np.maximum(width, depth)
    stress: np.ndarray = 1.0 / (thin * wide) + off / (wide * thin**2 / 6.0)
    return stress
