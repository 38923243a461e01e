"""Pedicles beside the canal: they tell where a vertebra is whose body is destroyed."""

from __future__ import annotations

import numpy as np

from .course import Course
from .model import Volume

HEIGHTS = (-0.15, 0.3)
"""Of a vertebra's own pedicles over its body's middle, in parts of the body's height: the wall beside the canal.

Measured on labels of test cases and a real scan: 0.8 to 1 of the wall there is the vertebra's own.
"""
_FORAMEN = 0.35  # so far above and below the wall is open: the foramina are half as high as a body and more
# A body's middle is guessed along the canal to a third of its height; the next pedicles are more than a height away.
_MOST_SHIFT, _STEP = 0.35, 0.05
# Seen from the canal's middle to the sides, within what a canal is half as wide as (7 to 13 mm, see spinal_canal).
_LOOKS = np.radians(np.concatenate([np.linspace(-35.0, 35.0, 9), np.linspace(145.0, 215.0, 9)]))
_FROM_MM, _TO_MM, _STEP_MM = 5.0, 14.0, 0.5


def to_pedicles(solid: Volume, course: Course, middle: np.ndarray, height: float) -> float:
    """How many mm up the spine from middle, (3,) RAS mm, a body of that height (mm) has its pedicles beside the canal.

    solid: bone as 1. Pedicles wall the canal where the foramina above and below leave it open.
    """
    closed = _closed(solid, course)
    shifts = np.arange(-_MOST_SHIFT, _MOST_SHIFT + _STEP / 2.0, _STEP)
    at = course.above(middle) / height - shifts[:, None]
    wall = (at >= HEIGHTS[0]) & (at <= HEIGHTS[1])
    open_ = ~wall & (at > HEIGHTS[0] - _FORAMEN) & (at < HEIGHTS[1] + _FORAMEN)
    if not (wall.any(axis=1) & open_.any(axis=1)).all():
        return 0.0
    contrast = (closed * wall).sum(axis=1) / wall.sum(axis=1) - (closed * open_).sum(axis=1) / open_.sum(axis=1)
    return float(shifts[contrast.argmax()] * height)


def _closed(solid: Volume, course: Course) -> np.ndarray:
    """(n,) 0 to 1: how much of the view to the sides from each point of the course ends at bone."""
    right, ahead = course.frames[:, 0], course.frames[:, 1]
    ways = np.cos(_LOOKS)[:, None, None] * right + np.sin(_LOOKS)[:, None, None] * ahead
    away = np.arange(_FROM_MM, _TO_MM + _STEP_MM / 2.0, _STEP_MM)
    points = course.points[:, None] + ways[:, :, None] * away[:, None]
    bone = np.nan_to_num(solid.sample(points.reshape(-1, 3))).reshape(points.shape[:3]) > 0.5
    return np.asarray(bone.any(axis=2).mean(axis=0))
