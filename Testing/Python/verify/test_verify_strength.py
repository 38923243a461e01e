"""Strength of whole implants: struts, tongues and flanges as finished meshes, by formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from LatticeGeneratorLib.errors import GeometryError
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.plan.plan import Flange
from SpinalStrutDesignerLib.verify.loads import buckling, load_tables
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.rods import posterior_rods, rod_diameter_mm
from SpinalStrutDesignerLib.verify.strength import strength
from SpinalStrutDesignerLib.verify.strut import end_of, flange_necks, foot_roots, strut_beam
from verify_toy import column_mesh, design_of, screw, toy_case, toy_plan, tube

CASE = toy_case()


def _measured(mesh, plan, domain=None):
    return Measured(design_of(CASE, plan, mesh, domain).implants[0])


def _tables(mesh, plan):
    return {table.id: table for table in load_tables(_measured(mesh, plan))}


def test_a_straight_central_bar():
    tables = _tables(column_mesh(), toy_plan())
    assert tables["axial"].strut_worst.equivalent_MPa == pytest.approx(500 / 50, rel=1e-6)
    assert tables["envelope"].strut_worst.equivalent_MPa == pytest.approx(1650 / 50, rel=1e-6)
    assert tables["flexion"].strut_worst.equivalent_MPa == pytest.approx(7500 * 6 / (10 * 25), rel=1e-6)
    assert tables["lateral"].strut_worst.equivalent_MPa == pytest.approx(7500 * 6 / (5 * 100), rel=1e-6)
    # Rectangle 2:1, Timoshenko & Goodier's table: greatest shear T / (0.246 a b^2).
    shear = 7500 / (0.246 * 10 * 25)
    assert tables["torsion"].strut_worst.shear_MPa == pytest.approx(shear, rel=0.02)


def test_ratios_to_the_rod_differ_by_load_case():
    """Published for 10 x 5 mm: 2.1 axially, 2.3 and 9.3 in bending."""
    tables = _tables(column_mesh(), toy_plan())
    assert tables["axial"].stiffness_ratio == pytest.approx(2.1, rel=0.01)
    assert tables["flexion"].stiffness_ratio == pytest.approx(2.3, rel=0.01)
    assert tables["lateral"].stiffness_ratio == pytest.approx(9.3, rel=0.01)


def test_a_strut_12_mm_in_front_of_the_load_line():
    tables = _tables(column_mesh(front=12.0), toy_plan(front=12.0))
    assert tables["axial"].strut_worst.equivalent_MPa == pytest.approx(10 + 500 * 12 * 6 / (10 * 25), rel=1e-6)
    assert tables["axial"].strut_worst.direct_MPa < 0.0
    rod = 500 * 4 / (np.pi * 5.5**2) + 500 * 12 * 32 / (np.pi * 5.5**3)
    # A rod's greatest fibre stress lies on a 72-sided outline.
    assert tables["axial"].rod_stress_MPa == pytest.approx(rod, rel=2e-3)
    assert tables["axial"].strength_ratio == pytest.approx(rod / 154.0, rel=2e-3)


def test_a_bored_bar_is_weakest_at_the_bore():
    mesh = difference(column_mesh(), [cylinder([0, -9, 5], [0, 9, 5], 2.0, 96)])
    table = _tables(mesh, toy_plan())["axial"]
    assert table.strut_worst.location[2] == pytest.approx(5.0, abs=1.5)
    assert table.strut_worst.equivalent_MPa > 500 / 50 * 1.3


def test_the_lattice_counts_as_no_strength():
    domain = box([-3.0, -1.5, -10.0], [3.0, 1.5, 10.0])
    table = {t.id: t for t in load_tables(_measured(column_mesh(), toy_plan(), domain))}["axial"]
    assert table.strut_worst.equivalent_MPa == pytest.approx(500 / (50 - 18), rel=1e-6)


def _tongue(thickness: float, width: float = 16.0, arm: float = 6.0):
    """A plate `thickness` thick under each vertebra, held by a bar whose back lies `arm` mm in front of its middle."""
    front = arm + 2.5
    bar = box([-5, front - 2.5, -29.7], [5, front + 2.5, 29.7])
    plates = [box([-width / 2, -arm, z], [width / 2, front, z + thickness]) for z in (29.7 - thickness, -29.7)]
    return union([bar, *plates]), front


def test_a_thin_tongue_at_its_root():
    """3.1 mm less 1.5 mm of lattice: 1.6 mm of solid, 16 mm wide, loaded 6 mm off its root by 500 N: about 440 MPa."""
    plan = toy_plan(front=8.5)
    plan = plan.with_(upper_foot=plan.upper_foot.with_(height_mm=3.0), lower_foot=plan.lower_foot.with_(height_mm=3.0))
    mesh, front = _tongue(1.6)
    measured = _measured(mesh, plan)
    rows = [row for row in load_tables(measured)[0].rows if "upper foot" in row.place]
    root = max(rows, key=lambda row: row.equivalent_MPa)
    # Pressure is even over the contact from y = -6 to 8 (the plate's own front edge); the root lies at y = 6.
    share, lever = 12.0 / 14.0, 6.0
    assert root.equivalent_MPa == pytest.approx(500 * share * lever * 6 / (16 * 1.6**2), rel=0.02)
    # Were all of it pressed 6 mm off the root, as in the published estimate:
    bending = 500 * 6 * 6 / (16 * 1.6**2)
    assert bending == pytest.approx(440.0, rel=0.01)
    assert root.area_mm2 == pytest.approx(16 * 1.6, rel=0.01)
    worst = {f.id: f for f in strength(measured)}["strength.axial"]
    assert "upper foot" in worst.detail or "lower foot" in worst.detail
    assert front == 8.5


def test_a_thick_foot_under_the_strut_has_no_cantilever():
    measured = _measured(column_mesh(), toy_plan())
    for name in ("upper", "lower"):
        assert foot_roots(measured, end_of(measured, name)) == []


def _flanged(thickness: float):
    """A bar in front of the bodies that runs on as a flange over C4."""
    bar = box([-5, 8.5, -29.7], [5, 13.5, 29.7])
    feet = [box([-8, -6, z], [8, 9, z + 8]) for z in (21.7, -29.7)]
    flange = box([-8.0, 8.5, 27.0], [8.0, 8.5 + thickness, 42.0])
    plan = toy_plan(front=11.0)
    plan = plan.with_(
        upper_flange=Flange(width_mm=16.0, height_mm=12.0, thickness_mm=thickness),
        screws=(screw((0.0, 8.5 + thickness, 37.0), (0.0, -1.0, 0.0)),),
    )
    return union([bar, *feet, flange]), plan


def test_the_neck_of_a_flange_holds_the_screws_pull():
    mesh, plan = _flanged(2.5)
    measured = _measured(mesh, plan)
    necks = flange_necks(measured, end_of(measured, "upper"))
    assert necks
    for neck in necks:
        assert neck.section.area == pytest.approx(16 * 2.5, rel=1e-6)
    table = {t.id: t for t in load_tables(measured)}["flexion"]
    row = next(r for r in table.rows if "upper flange" in r.place)
    # Couple: 7500 Nmm over the way from the neck's middle to the plate's far edge; the head pulls half a plate off it.
    pull = 7500 / (9.75 + 8.0)
    assert row.equivalent_MPa == pytest.approx(pull / 40 + pull * 1.25 * 6 / (16 * 2.5**2), rel=0.02)
    lateral = next(r for r in {t.id: t for t in load_tables(measured)}["lateral"].rows if "upper flange" in r.place)
    assert lateral.equivalent_MPa == pytest.approx(7500 * 6 / (2.5 * 16**2), rel=0.02)


def test_buckling_of_the_bar_and_its_ratio():
    measured = _measured(column_mesh(), toy_plan())
    length = strut_beam(measured).length_mm
    weak = 118500.0 * 10 * 5**3 / 12
    assert buckling(measured).pinned_N == pytest.approx(np.pi**2 * weak / length**2, rel=1e-3)
    assert buckling(measured).pinned_N / buckling(measured).rod_pinned_N == pytest.approx(2.3, rel=0.015)


@pytest.mark.parametrize(("front", "axial", "envelope"), [(12.0, "pass", "pass"), (24.0, "pass", "fail")])
def test_verdicts_follow_the_factor(front, axial, envelope):
    found = {f.id: f for f in strength(_measured(column_mesh(front=front), toy_plan(front=front)))}
    assert found["strength.axial"].verdict == axial
    assert found["strength.envelope"].verdict == envelope
    assert found["strength.envelope"].value == pytest.approx(795 / (33 + 1650 * front * 6 / 250), rel=1e-5)


def test_a_strut_with_a_gap_cannot_be_measured():
    measured = _measured(column_mesh(), toy_plan())
    broken = difference(column_mesh(), [box([-20, -20, -3], [20, 20, 3])])
    broken_design = replace(measured.implant, part=measured.implant.part.with_mesh(broken))
    with pytest.raises(GeometryError, match="no metal"):
        strut_beam(Measured(broken_design))


def test_posterior_rods_in_the_ct_are_measured_and_share_the_load():
    rods = [tube(f"rod{x}", "metal", x, -24.0, 2.75) for x in (-12.0, 12.0)]
    measured = Measured(design_of(toy_case(*rods), toy_plan(), column_mesh()).implants[0])
    found = posterior_rods(measured)
    assert len(found) == 2
    for rod in found:
        assert rod_diameter_mm(rod) == pytest.approx(5.5, abs=0.25)  # voxels of 0.5 mm
        assert abs(rod.sections[3].centroid[0]) == pytest.approx(12.0, abs=0.1)
        assert rod.sections[3].centroid[1] == pytest.approx(-24.0, abs=0.1)
    tables = {table.id: table for table in load_tables(measured)}
    # Lateral bending: three springs between rigid blocks, the rods 12 mm off the middle, so that they also stretch.
    diameter = rod_diameter_mm(found[0])
    area, moment = np.pi * diameter**2 / 4, np.pi * diameter**4 / 64
    length = strut_beam(measured).length_mm
    ours = 118500 * (5 * 10**3 / 12) / length
    theirs = 2 * 118500 * (moment + area * 12**2) / 60.0
    expected = tables["lateral"].strut_worst.equivalent_MPa * ours / (ours + theirs)
    assert tables["lateral"].shared_MPa == pytest.approx(expected, rel=0.12)
    assert tables["flexion"].shared_factor > 2.0 * tables["flexion"].strut_worst.factor


def test_without_rods_nothing_shares():
    table = _tables(column_mesh(), toy_plan())["axial"]
    assert table.shared_MPa is None
    screw_only = toy_case(tube("screw", "metal", 12.0, -24.0, 2.75, 20.0, 40.0))
    assert posterior_rods(Measured(design_of(screw_only, toy_plan(), column_mesh()).implants[0])) == ()
