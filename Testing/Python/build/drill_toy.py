"""Drill guides on blocks, of which every distance is known exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from build_toy import HALF_WIDTH, LOW, LOWER_Z, SPACING, TALL, UPPER_Z, block, situation
from LatticeGeneratorLib.mesh.boolean import difference
from LatticeGeneratorLib.mesh.mesh import Mesh
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.build.design import DrillGuide, Situation
from SpinalStrutDesignerLib.build.drill_guide import guide_on_bone
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.build.sleeves import Sleeve
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType

CAP_BACK, NARROW = 4.0, 3.0
CLEARANCE = 0.35
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


def drill(planned: Screw, sleeve: Sleeve, diameter: float, shift: float = 0.0) -> Mesh:
    """A cylinder along the planned axis over the guiding length, a little shifted across."""
    along = np.array(planned.direction)
    across = np.cross(along, [0.0, 0.0, 1.0])
    start, end = (np.asarray(p) + shift * across / np.linalg.norm(across) for p in (sleeve.top, sleeve.foot))
    return cylinder(start - 0.5 * along, end + 0.5 * along, 0.5 * diameter, 256)


PLATE = np.array([[-HALF_WIDTH, 8.3, UPPER_Z - 4.0], [HALF_WIDTH, 13.3, UPPER_Z + TALL]])


def plate_with_holes(situation: Situation, half_width: float = HALF_WIDTH) -> Mesh:
    """A flange 5 mm thick on the front, drilled as an implant is."""
    return difference(
        box(*(PLATE * [half_width / HALF_WIDTH, 1.0, 1.0])), [finished_cutter(s) for s in situation.plan.screws]
    )


def off_plate(points: np.ndarray, screws: tuple[Screw, ...]) -> np.ndarray:
    """(n,) how far points (n, 3) are from that flange at least; within it negative, exact near one hole."""
    beyond = np.abs(points - PLATE.mean(axis=0)) - 0.5 * (PLATE[1] - PLATE[0])
    found = np.linalg.norm(np.maximum(beyond, 0.0), axis=1) + np.minimum(beyond.max(axis=1), 0.0)
    for one in screws:
        found = np.maximum(found, -off_hole(points, one))
    return np.asarray(found)


def off_hole(points: np.ndarray, one: Screw) -> np.ndarray:
    """(n,) of points (n, 3) from a hole with a round seat, negative in it: bore, ball, and the driver's way."""
    along = np.array(one.direction) / np.linalg.norm(one.direction)
    from_head = points - np.array(one.entry)
    depth = from_head @ along
    beside = np.linalg.norm(from_head - depth[:, None] * along, axis=1)
    seat = one.type.seat_radius_mm
    bore = np.maximum(beside - 0.5 * one.type.clearance_hole_mm, -depth)
    way = np.maximum(beside - seat, depth)
    return np.minimum(np.minimum(bore, way), np.linalg.norm(from_head, axis=1) - seat)
