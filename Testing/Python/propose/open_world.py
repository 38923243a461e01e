"""Two blocks for vertebrae with walls between them, through which it is known how wide a strut can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.case.model import Case, Endplate, Face, Mask, Role, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.plan import FootPlan, Plan
from SpinalStrutDesignerLib.propose.corridor import column_frame, corridor
from SpinalStrutDesignerLib.propose.foot import Site
from SpinalStrutDesignerLib.propose.prospect import Prospect

SPACING, HALF, TALL = 0.5, 40.0, 45.0
HALF_WIDTH, HALF_DEPTH, PLATE_Z, BODY_MM = 10.0, 8.0, 28.0, 12.0
AORTA_MM = 5.8  # that the rule for great vessels and its error budget keep (clinical facts)
HEIGHT_MM = 9.0  # of a foot; the strut's axis begins 2 mm inside it


def solid(name: str, role: Role, inside: np.ndarray, level: str | None = None) -> Structure:
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = [-HALF + SPACING / 2.0, -HALF + SPACING / 2.0, -TALL + SPACING / 2.0]
    return Structure(name, role, Mask(inside, affine), level=level)


def voxels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, z of the voxels' centres."""
    side, tall = np.arange(-HALF + SPACING / 2.0, HALF, SPACING), np.arange(-TALL + SPACING / 2.0, TALL, SPACING)
    z, y, x = np.meshgrid(tall, side, side, indexing="ij", sparse=True)
    return x, y, z


def wall(name: str, front: float, back: float, slope: float = 0.0) -> Structure:
    """What lies between two planes facing the front, tilted so that it comes forwards by slope mm for each mm down."""
    x, y, z = voxels()
    ahead = y + slope * z
    return solid(name, "keepout_critical", (ahead > back) & (ahead < front) & (np.abs(x) < np.inf))


def tunnel(name: str, radius: float, right: float, ahead: float, long: float) -> Structure:
    """All around a round hole from above to below, between two heights."""
    x, y, z = voxels()
    return solid(name, "keepout_critical", (np.hypot(x - right, y - ahead) > radius) & (np.abs(z) < long))


def plate(level: str, face: Face, z: float, out: float) -> Endplate:
    turn = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    edge = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    edge = edge / np.abs(edge).max(axis=1, keepdims=True) * [HALF_WIDTH, HALF_DEPTH]
    outline = np.column_stack([edge, np.full(24, z)])
    x, y, up = np.eye(3)
    return Endplate(
        level, face, np.array([0.0, 0.0, z]), out * up, y, x, 2 * HALF_WIDTH, 2 * HALF_DEPTH, outline, outline
    )


def view(*others: Structure, plan: Plan) -> Prospect:
    """Between C4 and T2, with the corridor that a planner would have."""
    x, y, z = voxels()
    body = (np.abs(x) < HALF_WIDTH) & (np.abs(y) < HALF_DEPTH)
    bones = (
        solid("C4", "bone", body & (z > PLATE_Z) & (z < PLATE_Z + BODY_MM), "C4"),
        solid("T2", "bone", body & (z < -PLATE_Z) & (z > -PLATE_Z - BODY_MM), "T2"),
    )
    volume = Volume(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4))
    case = Case("open", volume, (*bones, *others), ScanQuality((SPACING,) * 3, SPACING, 0.0))
    upper, lower = plate("C4", "inferior", PLATE_Z, -1.0), plate("T2", "superior", -PLATE_Z, 1.0)
    return between(case, plan, upper, lower)


def between(case: Case, plan: Plan, upper: Endplate, lower: Endplate) -> Prospect:
    """Feet on both plates, and the room between them."""
    foot = FootPlan(height_mm=HEIGHT_MM)
    frame = column_frame(upper, lower, np.linspace(upper.centre, lower.centre, 30))
    where = Situation("nominal", 0.0, case, plan, upper, lower)
    return Prospect(where, (Site(upper, foot, None), Site(lower, foot, None)), corridor(case, plan, frame, 0.3))


def moved(world: Prospect, turn: np.ndarray, shift: np.ndarray) -> Prospect:
    """The same world, turned (3, 3) and then shifted (3,) mm as a whole."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, shift
    structures = (
        replace(one, mask=Mask(one.mask.voxels, matrix @ one.mask.ijk_to_ras)) for one in world.where.case.structures
    )
    upper, lower = (
        replace(
            site.plate,
            centre=turn @ site.plate.centre + shift,
            **{name: turn @ getattr(site.plate, name) for name in ("normal", "anterior", "right")},
            **{name: getattr(site.plate, name) @ turn.T + shift for name in ("outline", "surface")},
        )
        for site in world.sites
    )
    return between(world.where.case.with_structures(structures), world.where.plan, upper, lower)
