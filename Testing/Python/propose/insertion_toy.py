"""Two facing blocks of bone with a bar between them, and walls to be put around: ways out are known by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.build.design import Foot, Implant, Situation
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Plan

SPACING = 0.8
LOW, HIGH = np.array([-40.0, -30.0, -45.0]), np.array([40.0, 50.0, 45.0])
GAP = 0.4  # between the bar's ends and the bone


def _matrix() -> np.ndarray:
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = LOW + SPACING / 2.0
    return affine


def grid() -> np.ndarray:
    """(k, j, i, 3) RAS mm of every voxel."""
    ticks = [np.arange(a + SPACING / 2.0, b, SPACING) for a, b in zip(LOW, HIGH)]
    z, y, x = np.meshgrid(*ticks[::-1], indexing="ij")
    return np.stack([x, y, z], axis=-1)


def filled(
    name: str, role: str, low: tuple[float, ...], high: tuple[float, ...], level: str | None = None
) -> Structure:
    """A structure that fills a box."""
    inside = np.all((grid() > low) & (grid() < high), axis=-1)
    return Structure(name, role, Mask(inside, _matrix()), level=level)  # type: ignore[arg-type]


def ring(name: str, role: str) -> Structure:
    """A wall all round the gap, 18 to 22 mm from the upright axis."""
    away = np.hypot(grid()[..., 0], grid()[..., 1])
    inside = (away > 18.0) & (away < 22.0) & (np.abs(grid()[..., 2]) < 50.0)
    return Structure(name, role, Mask(inside, _matrix()))  # type: ignore[arg-type]


def toy(*others: Structure, lip_mm: float = 0.0, **changes: object) -> Implant:
    """A bar of 8 × 8 mm between C4's and T2's flat faces at ±20 mm, which slides out to the front; lip_mm: how far the
    front edges of both hang before it."""
    bones = [
        filled("C4", "bone", (-9.0, -9.0, 20.0), (9.0, 9.0, 34.0), level="C4"),
        filled("T2", "bone", (-9.0, -9.0, -34.0), (9.0, 9.0, -20.0), level="T2"),
    ]
    if lip_mm:
        for k, (low, high) in enumerate(((20.0 - lip_mm, 34.0), (-34.0, lip_mm - 20.0))):
            lip = filled("", "bone", (-9.0, 5.6, low), (9.0, 9.0, high)).mask
            bones[k] = replace(bones[k], mask=Mask(bones[k].mask.voxels | lip.voxels, lip.ijk_to_ras))
    shown = np.where(np.any([s.mask.voxels for s in (*bones, *others)], axis=0), 300.0, -1000.0)
    case = Case(
        "toy", Volume(shown, _matrix()), (*bones, *others), ScanQuality((SPACING,) * 3, SPACING, 0.0), digest="toy"
    )
    plan = Plan("C4", "T2", axis=Axis(tuple((0.0, 0.0, z) for z in (16.0, 0.0, -16.0)))).with_(**changes)
    upper, lower = _plate("C4", 20.0, -1.0), _plate("T2", -20.0, 1.0)
    high = 20.0 - GAP
    mesh = union([box(np.array([-4.0, -4.0, -high]), np.array([4.0, 4.0, high])), _arm()])
    ends = (("upper", upper), ("lower", lower))
    feet = tuple(Foot(end, plate, np.array([0.0, -1.0, 0.0]), None, None, 0.0, 0.0, 0.0) for end, plate in ends)  # type: ignore[arg-type]
    situation = Situation("nominal", 0.0, case, plan, upper, lower)
    return Implant(situation, Part(mesh, "implant"), axis_curve(plan.axis, plan.section), feet)  # type: ignore[arg-type]


def _arm() -> Mesh:
    return box(np.array([-2.0, 0.0, -3.0]), np.array([2.0, 6.0, 3.0]))


def _plate(level: str, z: float, out: float) -> Endplate:
    x, y = np.meshgrid(np.linspace(-9.0, 9.0, 19), np.linspace(-9.0, 9.0, 19))
    return Endplate(
        level=level, face="inferior" if out < 0.0 else "superior", centre=np.array([0.0, 0.0, z]),
        normal=np.array([0.0, 0.0, out]), anterior=np.array([0.0, 1.0, 0.0]), right=np.array([1.0, 0.0, 0.0]),
        width_mm=18.0, depth_mm=18.0,
        outline=np.array([[-9.0, -9.0, z], [9.0, -9.0, z], [9.0, 9.0, z], [-9.0, 9.0, z]]),
        surface=np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)]),
    )  # fmt: skip
