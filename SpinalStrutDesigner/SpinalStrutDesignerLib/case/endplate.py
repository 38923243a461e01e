"""The faces of a vertebral body: plane, outline, bone surface, and the room to the neighbouring body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .footprint import Footprint
from .height_map import outermost
from .model import Case, Endplate, Face
from .vertebra import REMEDY, vertebra, vertebra_structure

OUTLINE_POINTS = 96
OUTLINE_BLUR = 0.7
"""mm, takes the columns' stairs from the outline."""
HIGHEST_DISC = 18.0
"""mm; lumbar discs reach about 14. A body farther off is no neighbour to rest against."""
STANDING = 0.5
"""The part of the footprint over which a neighbour must be met to count as a standing body, not a remnant."""
LEAST_QUANTILE = 0.01
"""The least clearance but for single columns."""
CLOSE = 0.25
"""The part of the plate's depth within which any bone over half of the footprint is a body, whatever its shape."""
BORDER = 0.75
"""voxels from the image's outermost voxel centres within which a surface may be cut off by the image."""
CUT_OFF = 0.02
"""The part of a plate's surface that may lie so near the border."""


def find_endplate(case: Case, level: str, face: Face) -> Endplate:
    """The superior or inferior endplate of a level, where the structure's pose puts it.

    The plane is the least-squares plane of the bone surface from rim to rim; centre is the footprint's centroid, width
    and depth are the outline's extents along right and anterior. Planned cuts of this vertebra are not applied: it is
    the plate as it stands in the CT.

    The neighbour is the next labelled vertebra on that side, with its own pose and cuts, if its body stands: if it has
    an endplate of its own that faces this one and is met over half of the footprint within 18 mm, or if it is met over
    half of it within a quarter of the plate's depth. Else it is destroyed, a remnant or absent, and neighbour and both
    gaps are None. gap_mm is the median clearance along the normal, the disc's height; lips and uncinate processes
    interlock and come much closer: least_gap_mm.

    Raises CaseError where the level is missing, has no such plate, is destroyed, or is cut off by the image's border.
    """
    structure = vertebra_structure(case, level)
    shape = vertebra(case, level)
    if face not in shape.plates:
        raise CaseError(f"{level} {face} endplate not found: {shape.faults[face]}; {REMEDY}")
    plate = _endplate(shape.plates[face], level, face)
    _check_within_image(case, plate)
    return with_gap(case, _posed(plate, structure.pose))


def _endplate(plate: Footprint, level: str, face: Face) -> Endplate:
    """The plate in the CT's frame, without its neighbour."""
    columns = plate.map.columns()[plate.inside]
    centre = np.array([*columns[:, :2].mean(axis=0), 0.0])
    outline = _outline(plate, centre[:2])
    frame = plate.frame
    if np.cross(frame.right, frame.anterior) @ frame.out < 0:
        outline = outline[::-1]
    width, depth = np.ptp(outline, axis=0)
    return Endplate(
        level=level,
        face=face,
        centre=frame.to_ras(centre),
        normal=frame.out,
        anterior=frame.anterior,
        right=frame.right,
        width_mm=float(width),
        depth_mm=float(depth),
        outline=frame.to_ras(np.column_stack([outline, np.zeros(len(outline))])),
        surface=frame.to_ras(columns[np.isfinite(columns[:, 2])]),
        rms_mm=plate.rms,
    )


def _outline(plate: Footprint, centre: np.ndarray) -> np.ndarray:
    """(OUTLINE_POINTS, 2) local (right, anterior), anticlockwise: the footprint's rim at equal angles about centre."""
    cell = plate.map.cell
    soft = ndimage.gaussian_filter(plate.inside.astype(float), OUTLINE_BLUR / cell)
    angles = np.arange(OUTLINE_POINTS) * 2 * np.pi / OUTLINE_POINTS
    radii = np.arange(0.0, plate.map.right[-1], 0.1)
    u = centre[0] + np.cos(angles)[:, None] * radii
    v = centre[1] + np.sin(angles)[:, None] * radii
    index = np.stack([v - plate.map.anterior[0], u - plate.map.right[0]]) / cell
    profile = ndimage.map_coordinates(soft, index, order=1)
    last = profile.shape[1] - 1 - (profile[:, ::-1] >= 0.5).argmax(axis=1)
    rim = radii[last]
    return centre + np.column_stack([np.cos(angles) * rim, np.sin(angles) * rim])


def _check_within_image(case: Case, plate: Endplate) -> None:
    """Raises CaseError where the plate's surface runs along the border of the CT."""
    ijk = case.ct.to_ijk(plate.surface)
    last = np.array(case.ct.voxels.shape[::-1]) - 1
    near = ((ijk < BORDER) | (ijk > last - BORDER)).any(axis=1).mean()
    if near > CUT_OFF:
        raise CaseError(
            f"{plate.level} {plate.face} endplate is cut off by the border of the image ({near:.0%} of it lies there); "
            f"use a CT that shows the whole vertebra, or choose another docking level"
        )


def _posed(plate: Endplate, pose: np.ndarray) -> Endplate:
    """The plate moved by pose: 4x4 RAS to RAS."""
    turn, shift = pose[:3, :3], pose[:3, 3]
    return replace(
        plate,
        centre=turn @ plate.centre + shift,
        normal=turn @ plate.normal,
        anterior=turn @ plate.anterior,
        right=turn @ plate.right,
        outline=plate.outline @ turn.T + shift,
        surface=plate.surface @ turn.T + shift,
    )


def with_gap(case: Case, plate: Endplate) -> Endplate:
    """The plate with the standing body it faces, if there is one."""
    beyond = case.levels.index(plate.level) + (-1 if plate.face == "superior" else 1)
    if not 0 <= beyond < len(case.levels):
        return plate
    neighbour = vertebra_structure(case, case.levels[beyond])
    clearance = -outermost(neighbour.distance, plate.surface, -plate.normal, -HIGHEST_DISC, 0.0)
    met = ~np.isnan(clearance)
    reach = HIGHEST_DISC if _has_facing_plate(case, case.levels[beyond], plate.face) else CLOSE * plate.depth_mm
    if (clearance[met] < reach).sum() < STANDING * len(clearance):
        return plate
    least, middle = np.quantile(np.maximum(clearance[met], 0.0), [LEAST_QUANTILE, 0.5])
    return replace(plate, neighbour=neighbour.level, gap_mm=float(middle), least_gap_mm=float(least))


def _has_facing_plate(case: Case, level: str, face: Face) -> bool:
    """Whether a level has a standing endplate towards one whose face is given."""
    try:
        shape = vertebra(case, level)
    except CaseError:
        # Its label may be cut off by the image: then only what is met can tell.
        return False
    return ("inferior" if face == "superior" else "superior") in shape.plates
