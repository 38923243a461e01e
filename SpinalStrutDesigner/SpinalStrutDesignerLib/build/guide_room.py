"""How much room there is about a drill guide's way out of the wound: beside its drills, off bone and keep-outs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bone import bone_distance
from .design import Situation
from .guide_base import GuideShape
from .guide_ground import WAY_MM, Ground, kept_off
from .sleeves import DRILL_WAY_MM, Sleeve

_FAR_MM = 8.0  # distances beyond are alike: more than a grip needs
_STEP_MM = 1.0  # between places on a line


def off_drills(ground: Ground, sleeves: Sequence[Sleeve], starts: np.ndarray, first: float, last: float) -> np.ndarray:
    """(n,) mm from lines out along the way, from `first` to `last` mm past starts (n, 3) in the guide's frame, to the
    nearest sleeve, or what follows its drill."""
    if len(starts) == 0:
        return np.zeros(0)
    points = _lines(starts, first, last).reshape(-1, 3)
    room = np.full(len(points), np.inf)
    for sleeve in sleeves:
        foot, end = ground.local(np.array([sleeve.foot, sleeve.outside(DRILL_WAY_MM)]))
        along = end - foot
        share = np.clip((points - foot) @ along / (along @ along), 0.0, 1.0)
        away = np.linalg.norm(points - foot - share[:, None] * along, axis=1)
        room = np.minimum(room, away - 0.5 * sleeve.outer_mm)
    return np.asarray(room.reshape(len(starts), -1).min(axis=1))


def off_anatomy(shape: GuideShape, situation: Situation, starts: np.ndarray, first: float, last: float) -> np.ndarray:
    """(n,) mm from such lines to the nearest bone on their way in, and at their place to keep-outs."""
    if len(starts) == 0:
        return np.zeros(0)
    on_way = shape.ground.ras(_lines(starts, first, last + WAY_MM).reshape(-1, 3))
    room = bone_distance(situation.case.having("bone"), on_way, _FAR_MM).reshape(len(starts), -1).min(axis=1)
    at_place = shape.ground.ras(_lines(starts, first, last).reshape(-1, 3))
    for structure, least in kept_off(situation):
        low, high = structure.box[0] - least - _FAR_MM, structure.box[1] + least + _FAR_MM
        if (low < at_place.max(axis=0)).all() and (high > at_place.min(axis=0)).all():
            room = np.minimum(room, (structure.distance(at_place) - least).reshape(len(starts), -1).min(axis=1))
    return np.asarray(room)


def off_carrier(shape: GuideShape, starts: np.ndarray, first: float) -> np.ndarray:
    """(n,) mm from such lines on their way in to what carries the guide, and to other bone around it."""
    begin = starts + first * np.eye(3)[2]
    return np.minimum(shape.ground.at(shape.ground.carrier, begin), shape.ground.at(shape.ground.others, begin))


def _lines(starts: np.ndarray, first: float, last: float) -> np.ndarray:
    """(n, m, 3) places on lines out along the way."""
    count = int(np.ceil((last - first) / _STEP_MM)) + 1
    lines: np.ndarray = starts[:, None] + np.linspace(first, last, count)[:, None] * np.eye(3)[2]
    return lines
