"""Pedicles beside the canal: they tell where a vertebra is whose body is destroyed, and how large the spine is."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

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
_FROM_MM, _TO_MM, _STEP_MM = 3.0, 12.0, 0.5

# From one vertebra to the next, over an adult's: sought so far, over so many vertebrae to each side.
_LEAST_PITCH, _MOST_PITCH, _VERTEBRAE = 0.5, 1.35, 2.2
_ALONG_MM, _BLUR_MM = 0.5, 1.5
# How alike the wall must be one pitch on. Measured on test cases and a real scan below C2: 0.27 to 0.97, the pitch then
# being 0.84 to 1.17 of the true one.
_LEAST_ALIKE = 0.25
# So much smaller or larger than an adult's the pitch is no error of measuring, but a small or large person's.
_ADULT = (0.78, 1.28)


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


def pitch(solid: Volume, course: Course, middle: np.ndarray, usual_mm: float) -> float | None:
    """Millimetres from one vertebra to the next about middle, (3,) RAS mm, by what repeats in the canal's wall.

    usual_mm: an adult's. None where nothing repeats, as beside the skull. The lag at which the wall is most like itself
    (normalised autocorrelation).
    """
    reach = np.arange(-_VERTEBRAE * usual_mm, _VERTEBRAE * usual_mm, _ALONG_MM)
    above = course.above(middle)
    wall = ndimage.gaussian_filter1d(np.interp(reach, above, _closed(solid, course)), _BLUR_MM / _ALONG_MM)
    wall -= ndimage.gaussian_filter1d(wall, 0.6 * usual_mm / _ALONG_MM)
    known = (reach >= above.min()) & (reach <= above.max())
    best, found = _LEAST_ALIKE, None
    for lag in range(round(_LEAST_PITCH * usual_mm / _ALONG_MM), round(_MOST_PITCH * usual_mm / _ALONG_MM) + 1):
        both = known[lag:] & known[:-lag]
        here, there = wall[:-lag][both], wall[lag:][both]
        length = float(np.sqrt((here @ here) * (there @ there)))
        if both.sum() * _ALONG_MM > 0.5 * usual_mm and length > 0.0 and here @ there / length > best:
            best, found = float(here @ there / length), lag * _ALONG_MM
    return found


def size_of_spine(pitch_mm: float | None, usual_mm: float) -> float:
    """Its vertebrae's size over an adult's: 1 where the pitch is an adult's or not known."""
    if pitch_mm is None or _ADULT[0] <= pitch_mm / usual_mm <= _ADULT[1]:
        return 1.0
    return pitch_mm / usual_mm


def _closed(solid: Volume, course: Course) -> np.ndarray:
    """(n,) 0 to 1: how much of the view to the sides from each point of the course ends at bone."""
    right, ahead = course.frames[:, 0], course.frames[:, 1]
    ways = np.cos(_LOOKS)[:, None, None] * right + np.sin(_LOOKS)[:, None, None] * ahead
    away = np.arange(_FROM_MM, _TO_MM + _STEP_MM / 2.0, _STEP_MM)
    points = course.points[:, None] + ways[:, :, None] * away[:, None]
    bone = np.nan_to_num(solid.sample(points.reshape(-1, 3))).reshape(points.shape[:3]) > 0.5
    return np.asarray(bone.any(axis=2).mean(axis=0))
