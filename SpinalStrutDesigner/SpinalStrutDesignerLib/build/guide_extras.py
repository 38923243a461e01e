"""What a drill guide may have besides: windows through which its seat is seen, and a grip out of the wound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .bone import bone_distance
from .design import Situation
from .guide_base import GuideShape, outline_of
from .guide_ground import WAY_MM, kept_off
from .guide_zones import NEIGHBOUR_MM, RELIEF_MM
from .outline import polygon_distance
from .sleeves import DRILL_WAY_MM, LEAST_WALL_MM

# A grip is as thick as that of a docking guide where there is room, else thinner, mm (radius); never thinner than the
# last: engineering judgement, above the 1.0 mm PA12 wall.
_GRIP_RADII_MM = (4.0, 3.0, 2.5)
# What a chuck or depth stop may come to beside a grip, mm; engineering judgement.
_BESIDE_DRILL_MM = 1.0
_PLACES_MM = 1.0  # between places that are tried for windows and grip
_TURNS = 16  # places that are tried around a zone
_STEP_MM = 0.5
_WINDOW_FACING = 0.6  # of the base towards the surgeon under a window: the cosine of the angle
_FAR_MM = 8.0  # distances beyond are alike: more than a grip needs


def gripped(shape: GuideShape, situation: Situation) -> GuideShape:
    """The shape with a grip along its way in, where the base carries one clear of drills, bone and keep-outs; the
    thickest, and of those the one nearest to the base's middle."""
    length, ground = shape.guides.grip_mm, shape.ground
    if length <= 0.0:
        return shape
    outline = outline_of(shape)
    low, high = outline.min(axis=0), outline.max(axis=0)
    x, y = (np.arange(a, b, _PLACES_MM) for a, b in zip(low, high))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = -polygon_distance(outline, places)
    tops, carried = _on_base(shape, places)
    borne = carried & (inside >= min(_GRIP_RADII_MM))
    tops, inside = tops[borne], inside[borne]
    clear = np.minimum([_off_drills(shape, place, length) for place in tops], _off_anatomy(shape, situation, tops))
    aside = np.linalg.norm(tops[:, :2] - outline.mean(axis=0), axis=1)
    for radius in _GRIP_RADII_MM:
        held = (clear >= radius + _BESIDE_DRILL_MM) & (inside >= radius) & _starts_off_bone(shape, tops, radius)
        fit = np.flatnonzero(held)
        if len(fit):
            start = tops[fit[int(np.argmin(aside[fit]))]]
            ends = ground.ras(start + np.array([[0.0, 0.0, 0.0], [0.0, 0.0, length]]))
            return replace(shape, rods=((ends[0], ends[1], radius),))
    return shape


def _starts_off_bone(shape: GuideShape, starts: np.ndarray, radius: float) -> np.ndarray:
    """(n,) bool: whether the flat end with which a grip of a radius begins at places (n, 3) in the guide's frame stays
    off bone as the base beside its zones does, and so all of the grip on its way in."""
    turns = 2.0 * np.pi * np.arange(_TURNS) / _TURNS
    rim = radius * np.stack([np.cos(turns), np.sin(turns), np.zeros(_TURNS)], axis=1)
    ends = (starts[:, None] + rim).reshape(-1, 3)
    off = shape.ground.at(shape.ground.carrier, ends).reshape(len(starts), _TURNS).min(axis=1, initial=_FAR_MM)
    return np.asarray(off >= shape.guides.fit_gap_mm + RELIEF_MM)


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
    for start, _, radius in shape.rods:
        room = np.minimum(room, np.linalg.norm(places - ground.local(start[None])[0, :2], axis=1) - radius)
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


def _off_drills(shape: GuideShape, start: np.ndarray, length: float) -> float:
    """mm from a grip's axis to the nearest sleeve, or what follows its drill."""
    ground = shape.ground
    axis = start + np.arange(0.0, length, 1.0)[:, None] * [0.0, 0.0, 1.0]
    room = np.inf
    for sleeve in shape.sleeves:
        line = ground.local(np.linspace(sleeve.foot, sleeve.outside(DRILL_WAY_MM), 60))
        room = min(room, float(np.linalg.norm(axis[:, None] - line, axis=2).min()) - 0.5 * sleeve.outer_mm)
    return room


def _off_anatomy(shape: GuideShape, situation: Situation, starts: np.ndarray) -> np.ndarray:
    """(n,) mm from the axes of grips that start at places (n, 3) to the nearest bone on their way in, past the base's
    own, and at their place to keep-outs."""
    if len(starts) == 0:
        return np.zeros(0)
    ground, length = shape.ground, shape.guides.grip_mm
    first = shape.guides.base_thickness_mm + max(_GRIP_RADII_MM)
    way = np.arange(first, length + WAY_MM, 1.0)[:, None] * [0.0, 0.0, 1.0]
    points = ground.ras((starts[:, None] + way).reshape(-1, 3))
    room = bone_distance(situation.case.having("bone"), points, _FAR_MM).reshape(len(starts), -1).min(axis=1)
    at_place = ground.ras((starts[:, None] + way[: int(length)]).reshape(-1, 3))
    for structure, least in kept_off(situation):
        low, high = structure.box[0] - least - _FAR_MM, structure.box[1] + least + _FAR_MM
        if (low < at_place.max(axis=0)).all() and (high > at_place.min(axis=0)).all():
            room = np.minimum(room, (structure.distance(at_place) - least).reshape(len(starts), -1).min(axis=1))
    return np.asarray(room)
