"""A block for a vertebra with a flange before it and an even CT, in which the best screw is known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from open_world import plate, solid, voxels
from SpinalStrutDesignerLib.build.design import Situation
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.entries import ScrewType
from SpinalStrutDesignerLib.plan.plan import Axis, Flange, Plan, Screw

HALF_WIDTH, HALF_DEPTH, LOW, HIGH = 10.0, 8.0, 28.0, 40.0
GAP, HU = 0.3, 300.0
FLANGE = Flange(0.0, 20.0, 10.0, 2.5)
HALF = 48.0


def ct(hu: Callable[[np.ndarray], np.ndarray]) -> Volume:
    """A CT of 2 mm voxels whose HU are a function of x, the patient's right."""
    side = np.arange(-HALF, HALF + 1.0, 2.0)
    line = hu(side).astype(np.float32)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -HALF
    return Volume(np.broadcast_to(line, (len(side),) * 3).copy(), affine)


def block(level: str, low: float, high: float) -> Structure:
    x, y, z = voxels()
    inside = (np.abs(x) < HALF_WIDTH) & (np.abs(y) < HALF_DEPTH) & (z > low) & (z < high)
    return solid(level, "bone", inside, level)


def canal(front: float, radius: float = 5.0) -> Structure:
    """A dural sac that runs past the block, its front at y = front."""
    x, y, z = voxels()
    return solid("dural_sac", "keepout_critical", (np.hypot(x, y - (front - radius)) < radius) & (z < np.inf))


def kind(*lengths: float) -> ScrewType:
    """The 3.5 mm screw, made in these lengths only."""
    return ScrewType(lengths_mm=lengths)


def planned(*kinds: ScrewType, **changes: object) -> Plan:
    """A plan for C4 to T2 with screws of these types at C4."""
    points = tuple((0.0, 0.0, z) for z in (24.0, 12.0, 0.0, -12.0, -24.0))
    screws = tuple(Screw(k, "C4", (0.0, 13.0, 34.0), (0.0, -1.0, 0.0), k.lengths_mm[0]) for k in kinds)
    plan = Plan("C4", "T2", axis=Axis(points), upper_flange=FLANGE, lower_flange=FLANGE, screws=screws)
    return plan.with_(**changes)


def world(plan: Plan, *others: Structure, hu: Callable[[np.ndarray], np.ndarray] | None = None) -> Situation:
    """The blocks with their docked plates, and what else there is."""
    case = Case(
        "block",
        ct(hu or (lambda x: np.full(len(x), HU))),
        (block("C4", LOW, HIGH), block("T2", -HIGH, -LOW), *others),
        ScanQuality((0.5,) * 3, 0.5, 0.0),
    )
    ticks = np.stack(np.meshgrid(np.arange(-10.0, 10.1), np.arange(-8.0, 8.1), indexing="ij"), axis=-1).reshape(-1, 2)
    upper, lower = plate("C4", "inferior", LOW, -1.0), plate("T2", "superior", -LOW, 1.0)
    upper, lower = (
        replace(one, surface=np.column_stack([ticks, np.full(len(ticks), one.centre[2])])) for one in (upper, lower)
    )
    return Situation("nominal", 0.0, case, plan, upper, lower)


def moved(where: Situation, turn: np.ndarray, shift: np.ndarray) -> Situation:
    """The same world turned (3, 3) and then shifted (3,) as a whole, its plan's axis too."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, shift
    case, plan = where.case, where.plan
    structures = (
        replace(one, mask=Mask(one.mask.voxels, matrix @ one.mask.ijk_to_ras)) for one in case.structures
    )
    turned = replace(case.with_structures(structures), ct=Volume(case.ct.voxels, matrix @ case.ct.ijk_to_ras))
    plates = (
        replace(
            one,
            centre=turn @ one.centre + shift,
            **{name: turn @ getattr(one, name) for name in ("normal", "anterior", "right")},
            **{name: getattr(one, name) @ turn.T + shift for name in ("outline", "surface")},
        )
        for one in (where.upper, where.lower)
    )
    points = tuple(tuple((turn @ p + shift).tolist()) for p in np.array(plan.axis.control_points))
    axis = plan.axis.with_(control_points=points, back=tuple((turn @ np.array(plan.axis.back)).tolist()))
    return Situation("nominal", 0.0, turned, plan.with_(axis=axis), *plates)
