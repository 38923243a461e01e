"""A patient of blocks with a strut of a box, and its release, blocked and not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import box, sphere
from SpinalStrutDesignerLib.build.design import Design, Foot, Implant, Situation
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.plan.catalogue import load_screws
from SpinalStrutDesignerLib.plan.curve import axis_curve
from SpinalStrutDesignerLib.plan.plan import Axis, Plan, Screw, Variant, Waiver
from SpinalStrutDesignerLib.plan.presets import preset
from SpinalStrutDesignerLib.release.release import release
from SpinalStrutDesignerLib.verify.finding import Finding

_SHAPE = (100, 50, 50)
_LOW = np.array([-25.0, -25.0, -50.0])


@dataclass(frozen=True, eq=False)
class Toy:
    """Everything a release is made of."""

    case: Case
    plan: Plan
    design: Design
    findings: tuple[Finding, ...]


def _structure(name: str, role: str, low: tuple[float, ...], high: tuple[float, ...], level: str | None) -> Structure:
    """A block of 1 mm voxels whose faces lie at low and high."""
    matrix = np.eye(4)
    matrix[:3, 3] = np.array(low) + 0.5
    shape = np.round(np.subtract(high, low)).astype(int)[::-1]
    return Structure(name, role, Mask(np.ones(shape, dtype=bool), matrix), 1, level)  # type: ignore[arg-type]


def _case() -> Case:
    structures = (
        _structure("C4", "bone", (-10, -8, 30), (10, 8, 44), "C4"),
        _structure("T2", "bone", (-10, -8, -44), (10, 8, -30), "T2"),
        _structure("spinal_cord", "keepout_critical", (-4, -20, -50), (4, -14, 50), None),
        _structure("oesophagus", "keepout_critical", (-5, 16, -50), (5, 22, 50), None),
    )
    hu = np.full(_SHAPE, 40, dtype=np.int16)
    matrix = np.eye(4)
    matrix[:3, 3] = _LOW + 0.5
    for bone in structures[:2]:
        first = np.round(bone.mask.ijk_to_ras[:3, 3] - matrix[:3, 3]).astype(int)[::-1]
        last = first + bone.mask.voxels.shape
        hu[tuple(slice(a, b) for a, b in zip(first, last))] = 900
    quality = ScanQuality((1.0, 1.0, 1.0), 1.0, 0.0, ("a note on <noise> & streaks",))
    return Case("toy", Volume(hu, matrix), structures, quality, ("mystery",), "c0ffee")


def _plate(level: str) -> Endplate:
    z, face, sign = (30.0, "inferior", -1.0) if level == "C4" else (-30.0, "superior", 1.0)
    square = np.array([[-10, -8, z], [10, -8, z], [10, 8, z], [-10, 8, z]], dtype=float)
    return Endplate(
        level, face, np.array([0.0, 0.0, z]), np.array([0.0, 0.0, sign]), np.array([0.0, 1.0, 0.0]),
        np.array([1.0, 0.0, 0.0]), 20.0, 16.0, square, square,
    )  # type: ignore[arg-type]  # fmt: skip


def _plan() -> Plan:
    kind = next(entry.value for entry in load_screws().values())
    screw = Screw(kind, "C4", (0.0, 12.0, 37.0), (0.0, -1.0, 0.0), 14.0)
    return preset("case2", "C4", "T2").with_(
        case_code="TOY-7",
        axis=Axis(((0.0, 0.0, 29.0), (0.0, 1.0, 0.0), (0.0, 0.0, -29.0))),
        screws=(screw,),
        variants=(Variant(3.0),),
    )


def _implant(case: Case, plan: Plan, name: str, amount: float) -> Implant:
    plates = _plate("C4"), _plate("T2")
    situation = Situation("plus3mm" if amount else "nominal", amount, case, plan, *plates)
    feet = tuple(
        Foot(end, plate, np.array([0.0, -1.0, 0.0]), None, None, 0.0, 0.0, 0.0)
        for end, plate in zip(("upper", "lower"), plates)
    )
    mesh = box(np.array([-5.0, -2.5, -29.5 - amount]), np.array([5.0, 3.5, 29.5]))
    return Implant(situation, Part(mesh, name, "implant", "Ti"), axis_curve(plan.axis, plan.section), feet)  # type: ignore[arg-type]


def _design() -> tuple[Case, Plan, Design]:
    case, plan = _case(), _plan()
    implants = (_implant(case, plan, "implant", 0.0), _implant(case, plan, "implant_plus3mm", 3.0))
    others = (
        Part(sphere(np.array([0.0, 20.0, 10.0]), 6.0), "docking_proximal", "guide", "PA12"),
        Part(box(np.full(3, -9.0), np.full(3, 9.0)), "trial", "trial", "PA12"),
        Part(box(np.array([-10.0, -8.0, 30.0]), np.array([10.0, 8.0, 44.0])), "spine", "model", "PA12"),
    )
    return case, plan, Design(implants, others, "ab" * 32, {"algorithm": "1", "spinal-strut-designer": "0.1.0"})


_PASSED = (
    Finding("mesh.closed", "Closed & <whole>", "closed", "", "closed", "pass", "a slicer needs it"),
    Finding(
        "clearance.spinal_cord", "Distance to cord", 11.5, "mm", "≥ 3 mm", "pass", "verify locally", (1.0, 2.0, 3.0)
    ),
    Finding("plus3mm.clearance.spinal_cord", "Distance to cord", 11.4, "mm", "≥ 3 mm", "warn", "verify locally"),
    Finding("screw.1.canal", "C4 screw 1: canal", 3.25, "mm", "≥ 2 mm", "pass", "verify locally", (0.0, 1.0, 2.0)),
    Finding("fit.upper.gap", "Fit gap", None, "mm", "0.3 mm", "not_evaluated", "no surface"),
)
_BLOCKING = (
    Finding("clearance.oesophagus", "Displacement", 7.25, "mm", "≤ 5 mm", "fail", "judgement", (0.0, 16.0, 4.0)),
    Finding("clearance.missing.airway", "Clearance to airway", None, "mm", "labelled", "not_evaluated", "C1–T6",
            critical=True),
)  # fmt: skip


@pytest.fixture(scope="session")
def blocked() -> Toy:
    """A design with a failing finding and a critical one that was not evaluated."""
    return Toy(*_design(), (*_PASSED, *_BLOCKING))


@pytest.fixture(scope="session")
def cleared() -> Toy:
    """The same with nothing that forbids manufacture: one was waived, one is not evaluated and not critical."""
    case, plan, design = _design()
    plan = plan.with_(waivers=(Waiver("clearance.oesophagus", "A. Surgeon", "seen at surgery"),))
    implants = tuple(replace(i, situation=replace(i.situation, plan=plan)) for i in design.implants)
    findings = (*_PASSED, _BLOCKING[0].waived("A. Surgeon", "seen at surgery"))
    return Toy(case, plan, replace(design, implants=implants), findings)


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Toy], Path]:
    """The release of a toy, made once."""
    made: dict[int, Path] = {}

    def folder(toy: Toy) -> Path:
        if id(toy) not in made:
            target = tmp_path_factory.mktemp("releases") / "out"
            made[id(toy)] = release(toy.case, toy.plan, toy.design, toy.findings, target)
        return made[id(toy)]

    return folder
