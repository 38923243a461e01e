"""An endplate on a plane that a person set, where the bone does not let one be measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import CaseError
from .endplate import OUTLINE_POINTS, with_gap
from .frame import unit
from .height_map import outermost
from .model import Case, Endplate, Face
from .morphometry import adult_means
from .symmetry import find_right
from .vertebra import vertebra_structure

# How far bone may lie from the plane to be what the foot rests on. Engineering judgement: rim and hollow of an endplate
# lie within 3 mm of its plane on the test cases; remnants are rougher.
REACH_MM = 5.0
# How much of the plane must lie over such bone: a foot that bears on less hangs in the air. Engineering judgement.
LEAST_MET = 0.5
# How much of the normal must point up, or down, the patient: an endplate is turned by less than 60 degrees even in a
# steep kyphosis. One turned over would be sought on the far side of the bone. Engineering judgement.
LEAST_UP = 0.5
# mm between the columns in which the bone's surface is looked for; voxels are as fine.
_STEP_MM = 0.5
_PLATES = {"superior": "upper", "inferior": "lower"}


def usual_size(level: str, face: Face) -> tuple[float, float]:
    """Width and depth in mm that an adult's endplate has on average, to begin with where there is none to measure."""
    means = adult_means()
    row = means[level if level in means else "L1"]
    return row[f"{_PLATES[face]}_width"], row[f"{_PLATES[face]}_depth"]


def plane_by_hand(
    case: Case, level: str, face: Face, centre: np.ndarray, normal: np.ndarray, size: tuple[float, float]
) -> Endplate:
    """The plane alone, an ellipse of size (width, depth) mm, with no bone under it yet.

    The patient's right is square to the plane of the arch's symmetry where enough of it stands, else the CT's. Raises
    CaseError where the level is missing.
    """
    structure = vertebra_structure(case, level)
    try:
        right = structure.pose[:3, :3] @ find_right(case, level)
    except CaseError:  # no arch to go by: the patient lay straight, as far as anybody knows
        right = structure.pose[:3, 0]
    normal = unit(np.asarray(normal, dtype=float))
    right = unit(right - (right @ normal) * normal)
    up = normal if face == "superior" else -normal
    anterior = np.cross(up, right)
    angles = np.arange(OUTLINE_POINTS) * 2.0 * np.pi / OUTLINE_POINTS
    # Anticlockwise about the normal, as a measured outline is; right, anterior and a downward normal are left-handed.
    across = right if face == "superior" else -right
    ellipse = 0.5 * size[0] * np.cos(angles)[:, None] * across + 0.5 * size[1] * np.sin(angles)[:, None] * anterior
    centre = np.asarray(centre, dtype=float)
    return Endplate(
        level, face, centre, normal, anterior, right, *size, outline=centre + ellipse, surface=np.empty((0, 3)),
        by_hand=True,
    )  # fmt: skip


def endplate_by_hand(
    case: Case, level: str, face: Face, centre: np.ndarray, normal: np.ndarray, size: tuple[float, float]
) -> Endplate:
    """The endplate on a plane set by hand: the bone's surface within 5 mm of it, under an ellipse of that size.

    Raises CaseError where the level is missing, where the normal does not point out of the body, and where less than
    half of the ellipse lies over bone.
    """
    plate = plane_by_hand(case, level, face, centre, normal, size)
    if (plate.normal[2] if face == "superior" else -plate.normal[2]) < LEAST_UP:
        raise CaseError(
            f"the {face} endplate of {level} as set by hand looks {plate.normal.round(2).tolist()} (RAS): its "
            f"normal has to point out of the body, {'up' if face == 'superior' else 'down'}; turn it"
        )
    u, v = (np.arange(-0.5 * s, 0.5 * s + 1e-9, _STEP_MM) for s in size)
    local = np.stack(np.meshgrid(u, v, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    local = local[(2.0 * local[:, 0] / size[0]) ** 2 + (2.0 * local[:, 1] / size[1]) ** 2 <= 1.0]
    feet = plate.to_ras(local)
    heights = outermost(vertebra_structure(case, level).distance, feet, plate.normal, -REACH_MM, REACH_MM)
    met = np.isfinite(heights)
    if met.mean() < LEAST_MET:
        raise CaseError(
            f"the {face} endplate of {level} as set by hand has bone within {REACH_MM:g} mm under only "
            f"{met.mean():.0%} of it: move it onto the bone, make it smaller, or choose another docking level"
        )
    surface = feet[met] + heights[met, None] * plate.normal
    return with_gap(case, replace(plate, surface=surface))
