"""Two blocks for vertebrae, on which it is known exactly where an implant's ends may lie."""

from __future__ import annotations

import numpy as np
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.case.levels import LEVELS
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.plan import Axis, Flange, FootPlan, Plan, Screw, ScrewType, Section

SPACING = 0.5
LOW, HIGH = np.array([-14.0, -14.0, -32.0]), np.array([14.0, 16.0, 36.0])
HALF_WIDTH, BACK, FRONT = 10.0, -8.0, 8.0
UPPER_Z, LOWER_Z, TALL = 18.0, -16.0, 14.0


def block(name: str, low: float, high: float, back: float = BACK, front: float = FRONT) -> Structure:
    """A body 20 mm wide and 16 mm deep between two heights, all of whose faces lie on voxel borders."""
    z, y, x = np.meshgrid(
        *(np.arange(LOW[i] + SPACING / 2.0, HIGH[i], SPACING) for i in (2, 1, 0)), indexing="ij", sparse=True
    )
    inside = (np.abs(x) < HALF_WIDTH) & (y > back) & (y < front) & (z > low) & (z < high)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = LOW + SPACING / 2.0
    return Structure(name, "bone", Mask(inside, affine), level=name if name in LEVELS else None)


def off_block(points: np.ndarray, low: float, high: float, back: float = BACK, front: float = FRONT) -> np.ndarray:
    """(n,) exact signed distance of points (n, 3) to such a body."""
    middle = np.array([0.0, 0.5 * (back + front), 0.5 * (low + high)])
    half = np.array([HALF_WIDTH, 0.5 * (front - back), 0.5 * (high - low)])
    beyond = np.abs(points - middle) - half
    outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    return np.asarray(outside + np.minimum(beyond.max(axis=1), 0.0))


def off_upper(points: np.ndarray) -> np.ndarray:
    """(n,) exact signed distance of points (n, 3) to the upper docking body."""
    return off_block(points, UPPER_Z, UPPER_Z + TALL)


def off_lower(points: np.ndarray) -> np.ndarray:
    """(n,) exact signed distance of points (n, 3) to the lower docking body."""
    return off_block(points, LOWER_Z - TALL, LOWER_Z)


def plate(level: str, z: float, out: float) -> Endplate:
    """The flat face of a body that looks into the span."""
    corners = np.array([[-HALF_WIDTH, BACK, z], [HALF_WIDTH, BACK, z], [HALF_WIDTH, FRONT, z], [-HALF_WIDTH, FRONT, z]])
    return Endplate(
        level=level,
        face="inferior" if out < 0.0 else "superior",
        centre=np.array([0.0, 0.0, z]),
        normal=np.array([0.0, 0.0, out]),
        anterior=np.array([0.0, 1.0, 0.0]),
        right=np.array([1.0, 0.0, 0.0]),
        width_mm=2.0 * HALF_WIDTH,
        depth_mm=FRONT - BACK,
        outline=corners,
        surface=corners,
    )


def situation(*neighbours: Structure, strut_y: float = 0.0, strut_z: float = 14.0, **changes: object) -> Situation:
    """A strut from C4 down to C7, beginning at a height, `strut_y` mm in front of the bodies' middle."""
    bones = (block("C4", UPPER_Z, UPPER_Z + TALL), block("C7", LOWER_Z - TALL, LOWER_Z), *neighbours)
    case = Case("toy", Volume(np.zeros((2, 2, 2)), np.eye(4)), bones, ScanQuality((SPACING,) * 3, SPACING, 0.0))
    points = tuple((0.0, strut_y, z) for z in (strut_z, 5.0, -4.0, -12.0))
    plan = Plan("C4", "C7", axis=Axis(points), section=Section(width_mm=10.0, depth_mm=5.0)).with_(**changes)
    return Situation("nominal", 0.0, case, plan, plate("C4", UPPER_Z, -1.0), plate("C7", LOWER_Z, 1.0))


def tongued(*others: Structure, thickness_mm: float = 2.5) -> Situation:
    """C5 stands 2 mm under C4: the upper foot is a thin tongue, held by a flange with a screw in its middle."""
    return situation(
        block("C5", UPPER_Z - 14.0, UPPER_Z - 2.0),
        *others,
        strut_y=13.0,
        strut_z=UPPER_Z - 1.0,
        upper_foot=FootPlan(height_mm=1.4),
        upper_flange=Flange(width_mm=18.0, height_mm=12.0, thickness_mm=thickness_mm),
        screws=(Screw(ScrewType(), "C4", (0.0, 12.0, UPPER_Z + 6.0), (0.0, -1.0, 0.0), 14.0),),
    )
