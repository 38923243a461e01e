"""Load cases, and the table that answers each: stress along the implant, against yield and against a titanium rod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..build.design import Implant
from ..plan.plan import Plan
from .beam import Beam, SectionStress, Wrench, compliance, euler_load, section_stress
from .measured import Measured
from .rods import posterior_rods
from .sections import CrossSection, round_section
from .strut import End, Root, end_of, flange_necks, foot_layers, foot_roots, strut_beam

ROD_MM = 5.5

# The release shows what verification measured; both ask with a Measured of their own.
_TABLES: WeakKeyDictionary[Implant, tuple[LoadTable, ...]] = WeakKeyDictionary()


@dataclass(frozen=True)
class LoadRow:
    """One section under one load case. station_mm: along the axis, None for feet and flanges."""

    place: str
    station_mm: float | None
    area_mm2: float
    direct_MPa: float
    shear_MPa: float
    equivalent_MPa: float
    factor: float
    location: tuple[float, float, float]


@dataclass(frozen=True)
class LoadTable:
    """One load case on one implant. factor: yield over the greatest equivalent stress; rod_*: a 5.5 mm round rod of
    the same material on the same axis; ratios: implant over rod (strength of the strut without its ends, stiffness).
    shared_MPa, shared_factor: the strut's worst where posterior rods in the CT share the load; None without."""

    id: str
    title: str
    load: str
    rows: tuple[LoadRow, ...]
    worst: LoadRow
    strut_worst: LoadRow
    stiffness: float
    stiffness_unit: str
    rod_stress_MPa: float
    rod_factor: float
    rod_stiffness: float
    strength_ratio: float
    stiffness_ratio: float
    shared_MPa: float | None
    shared_factor: float | None


@dataclass(frozen=True)
class Buckling:
    """Euler loads in N about the weakest axis, and those of the rod on the same length."""

    pinned_N: float
    fixed_free_N: float
    rod_pinned_N: float
    rod_fixed_free_N: float


@dataclass(frozen=True, eq=False)
class _Case:
    """A load: wrench on the part above a section; how the ends see it; the displacement that its stiffness is for."""

    id: str
    title: str
    load: str
    wrench: Wrench
    unit: str

    @property
    def axial_N(self) -> float:
        return float(np.linalg.norm(self.wrench.force))


def load_tables(measured: Measured) -> tuple[LoadTable, ...]:
    """One table per load case of the plan, measured once for an implant as long as that is held."""
    if measured.implant not in _TABLES:
        _TABLES[measured.implant] = tuple(_table(measured, case) for case in _cases(measured))
    return _TABLES[measured.implant]


def buckling(measured: Measured) -> Buckling:
    """Euler loads of strut and rod over the strut's own length."""
    modulus = measured.plan.material.elastic_modulus_MPa
    beam = strut_beam(measured)
    rod = _rod(measured, beam)
    return Buckling(*(euler_load(b, modulus, ends) for b in (beam, rod) for ends in ("pinned", "fixed_free")))


def _cases(measured: Measured) -> list[_Case]:
    """The load line runs through the centres of the docking endplates; moments act about the patient's axes there."""
    loads, situation = measured.plan.loads, measured.implant.situation
    top, bottom = situation.upper.centre, situation.lower.centre
    down = (bottom - top) / np.linalg.norm(bottom - top)
    right = situation.upper.right - (situation.upper.right @ down) * down
    right = right / np.linalg.norm(right)
    front = np.cross(down, right)
    none = np.zeros(3)
    flexion, lateral, torsion = loads.flexion_Nmm * right, loads.lateral_Nmm * front, loads.torsion_Nmm * down
    axial = f"{loads.axial_N:g} N along the line through the docking endplates' centres"
    return [
        _Case("axial", "Axial, eccentric", axial, Wrench(loads.axial_N * down, top, none), "N/mm"),
        _Case(
            "envelope",
            "Axial, the level's envelope",
            f"{loads.envelope_N:g} N along the same line",
            Wrench(loads.envelope_N * down, top, none),
            "N/mm",
        ),
        _Case("flexion", "Flexion and extension", f"{loads.flexion_Nmm:g} Nmm", Wrench(none, top, flexion), "Nmm/°"),
        _Case("lateral", "Lateral bending", f"{loads.lateral_Nmm:g} Nmm", Wrench(none, top, lateral), "Nmm/°"),
        _Case("torsion", "Axial rotation", f"{loads.torsion_Nmm:g} Nmm", Wrench(none, top, torsion), "Nmm/°"),
    ]


def _table(measured: Measured, case: _Case) -> LoadTable:
    material = measured.plan.material
    beam = strut_beam(measured)
    rod = _rod(measured, beam)
    strut = [
        _row(
            f"strut, {s:.0f} mm along its axis",
            float(s),
            section_stress(section, case.wrench),
            section,
            material.yield_MPa,
        )
        for s, section in zip(beam.arc, beam.sections)
    ]
    ends = [row for name in ("upper", "lower") for row in _end_rows(measured, end_of(measured, name), case)]
    worst, strut_worst = (max(rows, key=lambda r: r.equivalent_MPa) for rows in (strut + ends, strut))
    rod_stress = max(section_stress(section, case.wrench).equivalent for section in rod.sections)
    stiffness, rod_stiffness = (
        _stiffness(b, case, material.elastic_modulus_MPa, material.poisson) for b in (beam, rod)
    )
    shared = _shared(measured, case)
    return LoadTable(
        id=case.id,
        title=case.title,
        load=case.load,
        rows=(*strut, *ends),
        worst=worst,
        strut_worst=strut_worst,
        stiffness=stiffness,
        stiffness_unit=case.unit,
        rod_stress_MPa=rod_stress,
        rod_factor=material.yield_MPa / rod_stress,
        rod_stiffness=rod_stiffness,
        strength_ratio=rod_stress / strut_worst.equivalent_MPa,
        stiffness_ratio=stiffness / rod_stiffness,
        shared_MPa=shared,
        shared_factor=None if shared is None else material.yield_MPa / max(shared, 1e-9),
    )


def strut_share(measured: Measured, wrench: Wrench) -> Wrench | None:
    """The part of a wrench at the upper endplate that the strut takes where posterior rods hold both docking vertebrae.

    Strut and rods are springs in parallel between two rigid blocks; None without rods in the CT.
    """
    rods, material = posterior_rods(measured), measured.plan.material
    if not rods:
        return None
    stiff = [
        np.linalg.inv(compliance(beam, wrench.point, material.elastic_modulus_MPa, material.poisson))
        for beam in (strut_beam(measured), *rods)
    ]
    load = np.concatenate([wrench.force, wrench.moment])
    part = stiff[0] @ np.linalg.solve(sum(stiff[1:], stiff[0]), load)
    return Wrench(part[:3], wrench.point, part[3:])


def axial_share(measured: Measured) -> float | None:
    """Share 0 to 1 of the axial load that the strut takes beside the posterior rods in the CT; None without rods."""
    wrench = _cases(measured)[0].wrench
    part = strut_share(measured, wrench)
    return None if part is None else float(part.force @ wrench.force) / float(wrench.force @ wrench.force)


def _shared(measured: Measured, case: _Case) -> float | None:
    part = strut_share(measured, case.wrench)
    if part is None:
        return None
    return max(section_stress(section, part).equivalent for section in strut_beam(measured).sections)


def _end_rows(measured: Measured, end: End, case: _Case) -> list[LoadRow]:
    """Rows of a foot and its flange. Feet carry what presses, flanges what the screws must hold."""
    if case.axial_N > 0.0:
        layers = [(root, case.wrench) for root in foot_layers(measured, end)]
        towards = case.wrench.force if end.name == "upper" else -case.wrench.force
        roots = [(root, Wrench(root.share * towards, root.lever, np.zeros(3))) for root in foot_roots(measured, end)]
        loaded = layers + roots
    else:
        loaded = [(root, case.wrench) for root in foot_layers(measured, end)]
        loaded += [(neck, _neck_wrench(measured.plan, end, neck, case)) for neck in flange_necks(measured, end)]
    return [
        _row(root.place, None, section_stress(root.section, wrench), root.section, measured.plan.material.yield_MPa)
        for root, wrench in loaded
    ]


def _neck_wrench(plan: Plan, end: End, neck: Root, case: _Case) -> Wrench:
    """What the screws of an end put through the flange's neck (engineering judgement, on the safe side).

    Flexion: the moment is a couple of screw pull and pressure at the far edge of the plate. Torsion: the screws hold it
    at their distance from the plate's centre. Lateral bending: the whole moment goes through the neck.
    """
    plate = end.plate
    outward = neck.lever - plate.centre
    outward = outward - (outward @ plate.normal) * plate.normal
    reach = max(float(np.linalg.norm(outward)), 1.0)
    outward = outward / reach
    size = float(np.linalg.norm(case.wrench.moment))
    none = np.zeros(3)
    if case.id == "torsion":
        return Wrench(size / reach * np.cross(plate.normal, outward), neck.lever, none)
    # The moment that opens the joint at the flange turns about the axis across outward; the other bends it edgewise.
    across = np.cross(plate.normal, outward)
    turns = abs(float(case.wrench.moment @ across))
    edgewise = float(np.sqrt(max(size**2 - turns**2, 0.0)))
    far = float(((plate.outline - neck.section.centroid) @ -outward).max())
    pull = turns / max(far, 1.0)
    return Wrench(-pull * plate.normal, neck.lever, edgewise * outward)


def _row(place: str, station: float | None, stress: SectionStress, section: CrossSection, yield_MPa: float) -> LoadRow:
    x, y, z = (float(v) for v in section.centroid)
    return LoadRow(
        place=place,
        station_mm=station,
        area_mm2=section.area,
        direct_MPa=stress.direct,
        shear_MPa=stress.shear,
        equivalent_MPa=stress.equivalent,
        factor=yield_MPa / max(stress.equivalent, 1e-9),
        location=(x, y, z),
    )


def _rod(measured: Measured, beam: Beam) -> Beam:
    """A round 5.5 mm rod at the same stations of the same axis."""
    stations = [measured.implant.axis.at(float(s)) for s in beam.arc]
    return Beam(beam.arc, beam.lengths, tuple(round_section(s.point, s.tangent, ROD_MM) for s in stations))


def _stiffness(beam: Beam, case: _Case, modulus: float, poisson: float) -> float:
    """Load over displacement along it: N per mm along the load line, or Nmm per degree about the moment's axis."""
    flexible = compliance(beam, case.wrench.point, modulus, poisson)
    load = np.concatenate([case.wrench.force, case.wrench.moment])
    size = float(np.linalg.norm(load))
    moved = float(load @ flexible @ load) / size**2
    return 1.0 / moved if case.axial_N > 0.0 else np.pi / 180.0 / moved


def worst_of(tables: Sequence[LoadTable]) -> LoadTable:
    """The table with the least factor against yield."""
    return min(tables, key=lambda table: table.worst.factor)
