"""The shape of one vertebra, measured on its own label: canal, body and the plates at the body's two ends."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from ..threads import kept
from .canal import Canal, bone_points, find_canal, image_axes, seen_along
from .footprint import PROUD, PROUD_BESIDE_UNCINATES, Bounds, Footprint, fit_footprint, rough_plane
from .frame import Frame, unit
from .height_map import Distance, HeightMap, height_map
from .levels import LEVELS
from .model import Case, Face, Mask, Structure

BESIDE_UNCINATES = LEVELS[LEVELS.index("C3") : LEVELS.index("T2") + 1]
"""Levels whose superior plate lies between uncinate processes or rib facets."""
WIDEST_OF_INFERIOR = 1.2
"""Such a plate is no wider than this times the inferior one; adult means are 0.79 to 1.01 (Panjabi 1991)."""
NEURAL = ("dural_sac", "thecal_sac", "dura", "spinal_canal", "vertebral_canal", "spinal_cord", "cord")
"""Names of what lies in the canal, the widest first."""
REMEDY = "choose another docking level, correct the label, or set this endplate by hand in the plan"
FACES: tuple[tuple[Face, float], ...] = (("inferior", -1.0), ("superior", 1.0))
# What a plate must be to be one. Measured on the intact levels of the test cases and of a real scan: area 0.8 to 8 of
# the canal's, 0.73 to 0.94 of width times depth filled, width 0.93 to 1.7 of the depth, tilt up to 30 degrees, height
# 0.6 to 0.9 of the depth, bone beneath 0.8 to 1 of it at one of two depths (a pedicle screw can empty one of them).
LEAST_OF_CANAL = 0.5
LEAST_FULL = 0.66
LEAST_WIDTH = 0.75
STEEPEST = 35.0
LEAST_BORNE = 0.7
BENEATH = (6.0, 10.0)
LEAST_HEIGHT = 0.35
_SHEET_CELLS = 3  # of 1 mm: more than twice a sheet
FARTHEST = 45.0
"""mm from a body's middle to beyond its front; the deepest lumbar bodies have 37 mm in all."""


@dataclass(frozen=True, eq=False)
class Vertebra:
    """In the CT's frame. plates holds the faces that were found, faults why the others were not.

    axes: frame at the body's centre, out towards the head; front, wall: (3,) points of the body's front and back at
    half its height.
    """

    canal: Canal
    axes: Frame
    front: np.ndarray
    wall: np.ndarray
    plates: dict[Face, Footprint]
    faults: dict[Face, str]


_known: weakref.WeakKeyDictionary[Mask, weakref.WeakKeyDictionary[Mask, dict[str, Vertebra]]]
_known = weakref.WeakKeyDictionary()


def vertebra(case: Case, level: str) -> Vertebra:
    """The shape of a level's vertebra, measured once for each mask. Raises CaseError if it is missing or has no canal.

    Only its own label counts, and the spinal cord's where the vertebra's ring is open.
    """
    if level == "C1":
        raise CaseError("C1 has no vertebral body and so no endplate; dock on C2 or a level below it")
    mask = vertebra_structure(case, level).mask
    neural = next((s.mask for name in NEURAL for s in case.structures if s.name.lower() == name), None)
    known = _known.setdefault(mask, weakref.WeakKeyDictionary()).setdefault(neural or mask, {})
    return kept(mask, known, level, lambda: _measured(mask, level, neural))


def vertebra_structure(case: Case, level: str) -> Structure:
    """The structure of that level. Raises CaseError where the case has none."""
    for structure in case.structures:
        if structure.level == level:
            return structure
    raise CaseError(f"the case has no vertebra {level}; labelled are: {', '.join(case.levels) or 'none'}")


def _measured(mask: Mask, level: str, neural: Mask | None) -> Vertebra:
    """Two rounds: the plates of the first one say better than the canal which way is up."""
    points = bone_points(mask)
    distance = mask.field.at
    image = image_axes(mask)
    canal = find_canal(points, image, level, neural)
    plates, faults = _plates(distance, canal, level, {})
    if len(plates) == 2:
        axis = unit(plates["superior"].frame.origin - plates["inferior"].frame.origin)
        canal = seen_along(points, axis, image[1], level, canal.centre)
        plates, faults = _plates(distance, canal, level, {face: plate.frame for face, plate in plates.items()})
    middle = canal.frame.origin
    if len(plates) == 2:
        middle = (plates["superior"].frame.origin + plates["inferior"].frame.origin) / 2
    axes = canal.frame.at(middle)
    front = _middle_of(_front(distance, axes), level)
    wall = _middle_of(_wall(distance, axes, canal.centre), level)
    return Vertebra(canal, axes, front, wall, plates, faults)


def _plates(
    distance: Distance, canal: Canal, level: str, guesses: dict[Face, Frame]
) -> tuple[dict[Face, Footprint], dict[Face, str]]:
    """The plates at both ends, from planes guessed or sought from the body's middle, and why one was not found."""
    wall = _rearmost_of(_wall(distance, canal.frame, canal.centre), level)
    plates: dict[Face, Footprint] = {}
    faults: dict[Face, str] = {}
    for face, sign in FACES:
        if level == "C2" and face == "superior":
            faults[face] = "the dens stands there"
            continue
        bounds = Bounds(wall, canal.frame.out, PROUD)
        if face == "superior" and level in BESIDE_UNCINATES:
            widest = WIDEST_OF_INFERIOR * plates["inferior"].width if "inferior" in plates else np.inf
            bounds = Bounds(wall, canal.frame.out, PROUD_BESIDE_UNCINATES, widest / 2)
        start = Frame.along(canal.frame.origin, sign * canal.frame.out, canal.frame.anterior)
        try:
            guess = guesses[face] if face in guesses else rough_plane(distance, start, canal.radius)
            plane = Frame.along(guess.origin, guess.out, canal.frame.anterior)
            plate = fit_footprint(distance, plane, canal.radius, bounds)
            _check_standing(distance, plate, start, canal)
            plates[face] = plate
        except CaseError as fault:
            faults[face] = str(fault)
    if len(plates) == 2:
        height = np.linalg.norm(plates["superior"].frame.origin - plates["inferior"].frame.origin)
        depth = max(plate.depth for plate in plates.values())
        if height < LEAST_HEIGHT * depth:
            faults = {face: f"the body is only {height:.0f} mm high at {depth:.0f} mm of depth" for face in plates}
            plates = {}
    return plates, faults


def _check_standing(distance: Distance, plate: Footprint, start: Frame, canal: Canal) -> None:
    """Raises CaseError for what is left of a destroyed body: too small, too ragged, too narrow or too steep."""
    if plate.area < LEAST_OF_CANAL * canal.area:
        raise CaseError(f"only {plate.area:.0f} mm² of plate stand, beside a canal of {canal.area:.0f} mm²")
    full = plate.area / (plate.width * plate.depth)
    if full < LEAST_FULL:
        raise CaseError(f"what stands fills only {full:.0%} of its width and depth")
    if plate.width < LEAST_WIDTH * plate.depth:
        raise CaseError(f"what stands is only {plate.width:.0f} mm wide at {plate.depth:.0f} mm of depth")
    tilt = np.degrees(np.arccos(np.clip(plate.frame.out @ start.out, -1.0, 1.0)))
    if tilt > STEEPEST:
        raise CaseError(f"what stands is tilted by {tilt:.0f} degrees against the canal")
    columns = plate.map.columns()[plate.inside & np.isfinite(plate.map.heights)]
    borne = max(float((distance(plate.frame.to_ras(columns - [0, 0, under])) < 0).mean()) for under in BENEATH)
    if borne < LEAST_BORNE:
        raise CaseError(f"only {borne:.0%} of the plate has bone beneath it: destroyed, or labelled as a hollow shell")


def _wall(distance: Distance, axes: Frame, canal: np.ndarray) -> HeightMap:
    """The body's back as seen from the canal, about half the body's height; heights run backwards."""
    behind = Frame(axes.origin, axes.right, axes.out, -axes.anterior)
    return height_map(distance, behind, 5.0, -FARTHEST, behind.to_local(canal)[2], cell=1.0)


def _front(distance: Distance, axes: Frame) -> HeightMap:
    """The body's front as seen from far ahead, about half its height; heights run forwards."""
    return height_map(distance, Frame(axes.origin, axes.right, axes.out, axes.anterior), 5.0, 0.0, FARTHEST, cell=1.0)


def _middle_of(face: HeightMap, level: str) -> np.ndarray:
    """(3,) RAS: the point of a body's front or back on the midline at half its height, the median of its neighbours."""
    near = face.heights[3:-3, 3:-3]
    if not np.isfinite(near).any():
        raise CaseError(f"{level} is destroyed: no bone stands in front of its canal; {REMEDY}")
    return face.frame.to_ras(np.array([0.0, 0.0, np.median(near[np.isfinite(near)])]))


def _rearmost_of(back: HeightMap, level: str) -> np.ndarray:
    """(3,) RAS: where the body's back reaches farthest back, near the midline.

    Streaks behind a body beside screws stand out as sheets of one or two slices: of a few slices the median counts.
    """
    known = np.where(np.isfinite(back.heights), back.heights, -np.inf)
    near = ndimage.median_filter(known, size=(_SHEET_CELLS, 1), mode="nearest")[:, 3:-3]
    farthest = near.max(axis=0)
    if not np.isfinite(farthest).any():
        raise CaseError(f"{level} is destroyed: no bone stands in front of its canal; {REMEDY}")
    return back.frame.to_ras(np.array([0.0, 0.0, np.median(farthest[np.isfinite(farthest)])]))
