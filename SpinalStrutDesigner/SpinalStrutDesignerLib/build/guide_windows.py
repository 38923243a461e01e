"""A drill guide's windows, through which its seat is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .guide_base import GuideShape, outline_of
from .guide_zones import NEIGHBOUR_MM, RELIEF_MM
from .outline import polygon_distance
from .sleeves import LEAST_WALL_MM

_TURNS = 16  # places that are tried around a zone
_STEP_MM = 0.5
_WINDOW_FACING = 0.6  # of the base towards the surgeon under a window: the cosine of the angle


def windowed(shape: GuideShape) -> GuideShape:
    """The shape with a window beside each zone of the face where there is room for one."""
    wide = shape.guides.window_mm
    if wide <= 0.0:
        return shape
    outline, made = outline_of(shape), list[np.ndarray]()
    turns = 2.0 * np.pi * np.arange(_TURNS) / _TURNS
    reach = 0.5 * (shape.guides.zone_diameter_mm + wide) + 0.5 * LEAST_WALL_MM
    middle = outline.mean(axis=0)
    for zone in shape.zones.faces:
        tried = zone[:2] + reach * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        room = _window_room(shape, tried, outline, made)
        fit = np.flatnonzero(room >= 0.5 * wide + LEAST_WALL_MM)
        if len(fit):
            nearest = fit[int(np.argmin(np.linalg.norm(tried[fit] - middle, axis=1)))]
            made.append(tried[nearest])
    return replace(shape, holes=tuple(_window(shape, place) for place in made))


def _window_room(shape: GuideShape, places: np.ndarray, outline: np.ndarray, made: list[np.ndarray]) -> np.ndarray:
    """(n,) mm from each place (n, 2) to the nearest of the base's outline, sleeves, pads, grip and other windows."""
    ground, guides = shape.ground, shape.guides
    tops, _ = _on_base(shape, places)
    # Where the base runs along the way in, a window would leave a thin wall at its side.
    up = 0.5 * _STEP_MM * np.array([0.0, 0.0, 1.0])
    facing = (ground.at(ground.carrier, tops + up) - ground.at(ground.carrier, tops - up)) / _STEP_MM
    # What the base keeps off has cut it there.
    cut = np.minimum(ground.at(ground.others, tops) - guides.fit_gap_mm - NEIGHBOUR_MM, ground.at(ground.free, tops))
    room = np.where(facing >= _WINDOW_FACING, np.minimum(-polygon_distance(outline, places), cut), 0.0)
    for sleeve in shape.sleeves:
        axis = ground.local(np.linspace(sleeve.foot, sleeve.outside(0.0), 40))[:, :2]
        away = np.linalg.norm(places[:, None] - axis, axis=2).min(axis=1)
        room = np.minimum(room, away - 0.5 * sleeve.outer_mm)
    for zone in shape.zones.points:
        # A pad may border on a window: it is held by the base around it.
        away = np.linalg.norm(places - zone[:2], axis=1)
        room = np.minimum(room, away - 0.5 * guides.zone_diameter_mm + LEAST_WALL_MM)
    if shape.grip is not None:
        foot = ground.local(shape.grip.foot[None])[0, :2]
        room = np.minimum(room, np.linalg.norm(places - foot, axis=1) - shape.grip.foot_radius_mm)
    for place in made:
        room = np.minimum(room, np.linalg.norm(places - place, axis=1) - 0.5 * guides.window_mm)
    return room


def _window(shape: GuideShape, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Through all of the guide along its way in."""
    low, high = shape.ground.grid.lower[2], shape.ground.grid.upper[2]
    ends = shape.ground.ras(np.array([[*place, low], [*place, high]]))
    return ends[0], ends[1], 0.5 * shape.guides.window_mm


def _on_base(shape: GuideShape, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) in the guide's frame: the middle of the base at places (n, 2); (n,) bool, whether it is there, before the
    deepest zone of the face and off all that it keeps off."""
    ground, guides = shape.ground, shape.guides
    middle = guides.fit_gap_mm + RELIEF_MM + 0.5 * guides.base_thickness_mm
    heights = np.arange(ground.grid.upper[2], ground.grid.lower[2], -_STEP_MM)
    columns = np.concatenate([np.repeat(places, len(heights), axis=0), np.tile(heights, len(places))[:, None]], axis=1)
    met = ground.at(ground.carrier, columns).reshape(len(places), -1) < middle
    tops = np.column_stack([places, heights[np.argmax(met, axis=1)]])
    there = met.any(axis=1) & (tops[:, 2] > shape.zones.faces[:, 2].min())
    there &= np.minimum(ground.at(ground.free, tops), ground.at(ground.others, tops)) > middle
    return tops, there
