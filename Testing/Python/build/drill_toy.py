"""Drill guides on blocks, of which every distance is known exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from build_toy import HALF_WIDTH, LOW, LOWER_Z, SPACING, TALL, UPPER_Z, block, situation
from SpinalStrutDesignerLib.build.design import DrillGuide, Situation
from SpinalStrutDesignerLib.build.drill_guide import guide_on_bone
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType

CAP_BACK, NARROW = 4.0, 3.0
MIDDLE_Z = UPPER_Z + 0.5 * TALL


def screw(x: float, to_x: float = 0.0, z: float = MIDDLE_Z, to_z: float = 0.0) -> Screw:
    """From 4 mm in front of the block backwards."""
    return Screw(ScrewType(), "C4", (x, 12.0, z), (to_x, -1.0, to_z), 14.0)


def world(*screws: Screw, others: tuple[Structure, ...] = (), **guides: object) -> Situation:
    """Blocks, screws in the upper one, and what is decided about guides."""
    return situation(*others, screws=screws, guides=GuidePlan(**guides))  # type: ignore[arg-type]


@cache
def two_screws() -> tuple[Situation, DrillGuide]:
    """Two screws that converge, and their guide."""
    made = world(screw(-5.0, 0.25), screw(5.5, -0.3, to_z=0.1))
    return made, guide_on_bone(made, "upper")


def mushroom() -> Structure:
    """An upper body whose front, before CAP_BACK, is wider than the rest by NARROW on each side."""
    whole = block("C4", UPPER_Z, UPPER_Z + TALL)
    _, j, i = np.indices(whole.mask.voxels.shape)
    x, y = LOW[0] + SPACING * (i + 0.5), LOW[1] + SPACING * (j + 0.5)
    narrow = (y > CAP_BACK) | (np.abs(x) < HALF_WIDTH - NARROW)
    return replace(whole, mask=Mask(whole.mask.voxels & narrow, whole.mask.ijk_to_ras))


def rounded_block(points: np.ndarray, low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    """(n,) exact distance to a box whose edges are rounded by a voxel: voxels tell of no sharper ones."""
    middle, half = 0.5 * np.add(low, high), 0.5 * np.subtract(high, low) - SPACING
    beyond = np.abs(points - middle) - half
    outside: np.ndarray = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    return outside + np.minimum(beyond.max(axis=1), 0.0) - SPACING


def off_mushroom(points: np.ndarray) -> np.ndarray:
    """(n,) distance to such a body, exact outside, and inside its cap or stem."""
    wide, narrow, top = HALF_WIDTH, HALF_WIDTH - NARROW, UPPER_Z + TALL
    cap = rounded_block(points, (-wide, CAP_BACK, UPPER_Z), (wide, 8.0, top))
    return np.minimum(cap, rounded_block(points, (-narrow, -8.0, UPPER_Z), (narrow, 6.0, top)))


def with_upper(made: Situation, bone: Structure) -> Situation:
    """The same with another upper body."""
    rest = [s for s in made.case.structures if s.level != "C4"]
    return replace(made, case=made.case.with_structures([bone, *rest]))


def off_both(points: np.ndarray) -> np.ndarray:
    """(n,) exact distance to both blocks, edges rounded."""
    upper = rounded_block(points, (-HALF_WIDTH, -8.0, UPPER_Z), (HALF_WIDTH, 8.0, UPPER_Z + TALL))
    return np.minimum(upper, rounded_block(points, (-HALF_WIDTH, -8.0, LOWER_Z - TALL), (HALF_WIDTH, 8.0, LOWER_Z)))
