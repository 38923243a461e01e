"""A patient of blocks for the checks' tests: two square vertebrae, a gap between them, tubes for what lies around."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Mesh, Part
from LatticeGeneratorLib.mesh.solids import box
from SpinalStrutDesignerLib.build.design import Design, Foot, Implant, Situation
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Screw, ScrewType, Section

SPACING = 0.5
LOW, HIGH = np.array([-30.0, -40.0, -70.0]), np.array([30.0, 40.0, 70.0])
# Upper body: underside at z = 30; lower body: top at z = -30. Both 20 mm wide, 16 mm deep, 14 mm tall.
UPPER = (np.array([-10.0, -8.0, 30.0]), np.array([10.0, 8.0, 44.0]))
LOWER = (np.array([-10.0, -8.0, -44.0]), np.array([10.0, 8.0, -30.0]))
HU = 300.0


def matrix() -> np.ndarray:
    """Voxel to RAS of the block."""
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = LOW + SPACING / 2.0
    return affine


def grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, z of every voxel, each (k, j, i)."""
    x, y, z = (np.arange(a + SPACING / 2.0, b, SPACING) for a, b in zip(LOW, HIGH))
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    return x, y, z


def block(name: str, role: str, low: np.ndarray, high: np.ndarray, level: str | None = None) -> Structure:
    """A structure filling a box whose faces lie on voxel borders."""
    x, y, z = grid()
    inside = np.ones(x.shape, dtype=bool)
    for at, a, b in zip((x, y, z), low, high):
        inside &= (at > a) & (at < b)
    return Structure(name, role, Mask(inside, matrix()), level=level)  # type: ignore[arg-type]


def tube(
    name: str, role: str, x0: float, y0: float, radius: float, low: float = -70.0, high: float = 70.0
) -> Structure:
    """A structure filling an upright tube."""
    x, y, z = grid()
    inside = ((x - x0) ** 2 + (y - y0) ** 2 < radius**2) & (z > low) & (z < high)
    return Structure(name, role, Mask(inside, matrix()))  # type: ignore[arg-type]


def ball(name: str, role: str, centre: tuple[float, float, float], radius: float) -> Structure:
    """A structure filling a ball."""
    x, y, z = grid()
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 < radius**2
    return Structure(name, role, Mask(inside, matrix()))  # type: ignore[arg-type]


@cache
def _bones() -> tuple[Structure, Structure]:
    return block("C4", "bone", *UPPER, level="C4"), block("T2", "bone", *LOWER, level="T2")


def toy_case(*others: Structure) -> Case:
    """Upper body C4, lower body T2, and whatever else; the CT shows bone at 300 HU and nothing besides."""
    bones = _bones()
    shown = np.where(bones[0].mask.voxels | bones[1].mask.voxels, HU, 0.0)
    ct = Volume(shown, matrix())
    return Case("toy", ct, (*bones, *others), ScanQuality((SPACING,) * 3, SPACING, 0.0), digest="toy")


def plate(level: str) -> Endplate:
    """The flat endplate that looks into the gap."""
    low, high = UPPER if level == "C4" else LOWER
    z, face, normal = (30.0, "inferior", -1.0) if level == "C4" else (-30.0, "superior", 1.0)
    corners = np.array([[low[0], low[1], z], [high[0], low[1], z], [high[0], high[1], z], [low[0], high[1], z]])
    x, y = np.meshgrid(np.linspace(-10.0, 10.0, 41), np.linspace(-8.0, 8.0, 33))
    surface = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, z)])
    return Endplate(
        level=level,
        face=face,  # type: ignore[arg-type]
        centre=np.array([0.0, 0.0, z]),
        normal=np.array([0.0, 0.0, normal]),
        anterior=np.array([0.0, 1.0, 0.0]),
        right=np.array([1.0, 0.0, 0.0]),
        width_mm=20.0,
        depth_mm=16.0,
        outline=corners,
        surface=surface,
    )


def toy_plan(front: float = 0.0, **changes: object) -> Plan:
    """A straight axis from plate to plate, `front` mm in front of the plates' centres."""
    points = tuple((0.0, front, z) for z in (24.0, 8.0, -8.0, -24.0))
    plan = Plan("C4", "T2", axis=Axis(points), section=Section(width_mm=10.0, depth_mm=5.0))
    return plan.with_(**changes)


def design_of(case: Case, plan: Plan, mesh: Mesh, domain: Mesh | None = None) -> Design:
    """A mesh as the one implant made for this case and plan."""
    situation = Situation("nominal", 0.0, case, plan, plate("C4"), plate("T2"))
    feet = tuple(
        Foot(
            end=end,  # type: ignore[arg-type]
            endplate=plate(level),
            insertion=np.array([0.0, -1.0, 0.0]),
            domain=domain if end == "upper" else None,
            spec=None,
            porous_depth_mm=0.0,
            wanted_depth_mm=0.0,
            contact_lost_mm2=0.0,
        )
        for end, level in (("upper", "C4"), ("lower", "T2"))
    )
    implant = Implant(situation, Part(mesh, "implant"), axis_curve(plan.axis, plan.section), feet)  # type: ignore[arg-type]
    return Design((implant,), (), "digest")


def variant_of(design: Design, name: str, amount: float) -> Design:
    """The same implant again as a variant."""
    nominal = design.implants[0]
    again = replace(nominal, situation=replace(nominal.situation, name=name, amount_mm=amount))
    return Design((nominal, again), (), "digest")


def column_mesh(gap: float = 0.3, width: float = 10.0, depth: float = 5.0, front: float = 0.0) -> Mesh:
    """A bar between the plates with a 14 × 12 mm block, 6 mm tall, at each end."""
    bar = box(np.array([-width / 2, front - depth / 2, -27.0]), np.array([width / 2, front + depth / 2, 27.0]))
    top = 30.0 - gap
    feet = [box(np.array([-7.0, -6.0, z]), np.array([7.0, 6.0, z + 6.0])) for z in (top - 6.0, -top)]
    return union([bar, *feet])


def bored(mesh: Mesh, cutters: list[Mesh]) -> Mesh:
    """The mesh less the cutters."""
    return difference(mesh, cutters)


def screw(entry: tuple[float, float, float], direction: tuple[float, float, float], length: float = 14.0) -> Screw:
    """A 3.5 mm screw in C4."""
    return Screw(ScrewType(), "C4", entry, direction, length)
