"""A small motion of a guide in a sentence: which way it slides, or about which axis it turns."""

from __future__ import annotations

import numpy as np

# The patient's axes in RAS: what lies at their positive and at their negative end.
_SIDES = (("right", "left"), ("front", "back"), ("top", "bottom"))
_WAYS = (("to the right", "to the left"), ("forwards", "backwards"), ("upwards", "downwards"))
# A part of a direction is told when it is more than this much of it: within 22.5° of an axis only the axis is named.
_TOLD = 0.38
# A direction within this of the insertion direction, degrees, is that.
_ALONG_DEG = 20.0
# A turn that moves the contact less than this share of what its shift does is not told.
_SMALL = 0.2


def words_of(motion: np.ndarray, lever_mm: float, insertion: np.ndarray) -> str:
    """motion: (6,) shift of the contact's middle in RAS mm and rotation vector in degrees; lever_mm: how far a turn by
    one radian moves the contact; insertion: (3,) unit, from guide to bone."""
    shift, turn = motion[:3], motion[3:]
    slid, turned = float(np.linalg.norm(shift)), float(np.linalg.norm(turn))
    by_turn = np.radians(turned) * lever_mm
    if max(slid, by_turn) < 1e-6:
        return "does not move"
    slides = f"slides {slid:.1f} mm {_way(shift, insertion)}" if slid > 1e-9 else ""
    if by_turn < _SMALL * slid:
        return slides
    turns = f"turns {turned:.1f}° about an axis {_axis(turn / turned, insertion)}"
    away = np.cross(turn, shift) / turned / np.radians(turned)  # from the middle to the axis, across it
    far = float(np.linalg.norm(away))
    if slid < _SMALL * by_turn or far < 0.5:
        return f"{turns} through the contact's middle"
    along = abs(float(shift @ turn)) / turned
    place = f"{turns} that passes {far:.0f} mm off the contact's middle, {_way(away, insertion)} of it"
    return place if along < _SMALL * by_turn else f"{place}, and slides {along:.1f} mm along it"


def _way(vector: np.ndarray, insertion: np.ndarray) -> str:
    unit = vector / np.linalg.norm(vector)
    if (cosine := float(unit @ insertion)) ** 2 > np.cos(np.radians(_ALONG_DEG)) ** 2:
        return "along the insertion direction" if cosine > 0 else "against the insertion direction"
    told = [axis for axis in np.argsort(-np.abs(unit), kind="stable") if abs(unit[axis]) > _TOLD]
    return " and ".join(_WAYS[axis][0 if unit[axis] > 0 else 1] for axis in told)


def _axis(unit: np.ndarray, insertion: np.ndarray) -> str:
    if float(unit @ insertion) ** 2 > np.cos(np.radians(_ALONG_DEG)) ** 2:
        return "along the insertion direction"
    told = [axis for axis in np.argsort(-np.abs(unit), kind="stable") if abs(unit[axis]) > _TOLD]
    sign = 1.0 if unit[told[0]] > 0 else -1.0
    ends = [_SIDES[axis][:: 1 if sign * unit[axis] > 0 else -1] for axis in told]
    return f"from {' '.join(end[1] for end in ends)} to {' '.join(end[0] for end in ends)}"
