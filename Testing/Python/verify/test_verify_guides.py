"""What verification says of drill guides: as made they pass, and each fault that is made on purpose is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.mesh import Part
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.build.drill_guide import guide_on_bone
from SpinalStrutDesignerLib.case.model import Mask, Structure
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType
from SpinalStrutDesignerLib.verify.guide_way import slides_on
from SpinalStrutDesignerLib.verify.guides import bore_axis, guide_clearance, guide_closed, leads_drill, made
from SpinalStrutDesignerLib.verify.plastic import printable_plastic, thickness
from SpinalStrutDesignerLib.verify.verify import verify
from verify_toy import column_mesh, design_of, matrix, toy_case, toy_plan


@cache
def toy_design():
    """Blocks, a bar for an implant, and the guide for two screws."""
    places = ((-5.0, 0.2), (5.0, -0.2))
    screws = tuple(Screw(ScrewType(), "C4", (x, 12.0, 37.0), (a, -1.0, 0.0), 14.0) for x, a in places)
    plan = toy_plan(screws=screws, guides=GuidePlan(docking="none"))
    design = design_of(toy_case(), plan, column_mesh())
    return replace(design, guides=(guide_on_bone(design.implants[0].situation, "upper"),))


def moved(design, shift):
    """The same with its guide printed so much beside its place."""
    matrix = np.eye(4)
    matrix[:3, 3] = shift
    guide = design.guides[0]
    part = guide.part.with_mesh(guide.part.mesh.transformed(matrix))
    return replace(design, guides=(replace(guide, part=part),))


def verdicts(check, design):
    return {f.id.removeprefix("guide.drill_proximal."): f for f in check(design)}


def test_a_guide_as_made_passes_every_check():
    design = toy_design()
    for check in (made, guide_closed, slides_on, leads_drill, guide_clearance):
        for finding in check(design):
            assert finding.verdict == "pass", finding


def test_its_walls_are_thick_enough_to_print():
    found = {f.id: f for f in printable_plastic(toy_design())}
    assert found["plastic.drill_proximal.wall"].verdict == "pass", found["plastic.drill_proximal.wall"]


def test_its_findings_stand_in_the_report():
    design = toy_design()
    plan, case = design.implants[0].situation.plan, design.implants[0].situation.case
    found = {finding.id: finding for finding in verify(case, plan, design)}
    assert found["guide.drill_proximal.slides"].verdict == "pass"
    assert found["guide.drill_proximal.axis.2"].value < 0.01


def test_a_guide_that_could_not_be_made_fails_with_the_reason():
    design = replace(toy_design(), guides=(), unmade=(("drill_proximal", "no three zones"),))
    (finding,) = made(design)
    assert (finding.id, finding.verdict, finding.detail) == ("guide.drill_proximal.made", "fail", "no three zones")


@pytest.mark.parametrize(("shift", "verdict"), [(0.03, "pass"), (0.08, "fail")])
def test_a_bore_beside_its_screw_is_found(shift, verdict):
    found = verdicts(leads_drill, moved(toy_design(), (0.0, 0.0, shift)))
    assert found["axis.1"].verdict == verdict
    assert found["axis.1"].value == pytest.approx(shift, abs=0.003)


def test_a_turned_bore_is_told_in_degrees():
    sleeve = toy_design().guides[0].sleeves[0]
    entry, along = np.array(sleeve.entry), np.array(sleeve.direction)
    across = np.cross(along, [0.0, 0.0, 1.0])
    turned = along + np.tan(np.deg2rad(0.1)) * across / np.linalg.norm(across)
    middle = 0.5 * (np.array(sleeve.top) + sleeve.foot)
    bored = cylinder(middle - 12.0 * turned, middle + 12.0 * turned, 0.5 * sleeve.bore_mm)
    block = difference(box(middle - 6.0, middle + 6.0), [bored])
    off, degrees, radius = bore_axis(block, sleeve, entry, along)
    assert degrees == pytest.approx(0.1, abs=0.005)
    assert 2.0 * radius == pytest.approx(sleeve.bore_mm, abs=0.005)
    tip = float((np.array(sleeve.tip) - middle) @ along)
    assert off == pytest.approx(tip * np.tan(np.deg2rad(0.1)), abs=0.003)


def test_a_guide_that_meets_bone_on_its_way_is_found():
    deep = verdicts(slides_on, moved(toy_design(), (0.0, -0.6, 0.0)))["slides"]
    # The zones in front lie 0.2 mm off, so 0.4 mm deep after the shift.
    assert deep.verdict == "fail" and deep.value == pytest.approx(-0.4, abs=0.15)
    design = toy_design()
    guide = design.guides[0]
    # A horn that reaches far under the endplate scrapes nothing at its seat.
    low, high = np.array([-2.0, 0.0, 29.0]), np.array([2.0, 12.0, 29.8])
    horned = guide.part.with_mesh(union([guide.part.mesh, box(low, high)]))
    horn = replace(design, guides=(replace(guide, part=horned, insertion=np.array([0.0, -1.0, -0.3]) / 1.044),))
    found = verdicts(slides_on, horn)["slides"]
    assert found.verdict == "fail" and "before the seat" in found.detail


def test_a_keep_out_that_it_crosses_is_found():
    design = toy_design()
    implant = design.implants[0]
    place = matrix()
    place[:3, 3] = np.array(design.guides[0].sleeves[0].top) - 3.0
    cord = Structure("spinal_cord", "keepout_critical", Mask(np.ones((12, 12, 12), dtype=bool), place))
    case = implant.situation.case.with_structures([*implant.situation.case.structures, cord])
    crossed = replace(implant, situation=replace(implant.situation, case=case))
    (finding,) = guide_clearance(replace(design, implants=(crossed,)))
    assert finding.verdict == "fail" and "spinal cord" in finding.detail


@pytest.mark.parametrize(("wall", "verdict"), [(0.6, "fail"), (1.3, "pass"), (3.0, "pass")])
def test_a_thin_wall_is_found(wall, verdict):
    sheet = Part(box(np.zeros(3), np.array([20.0, 15.0, wall])), "sheet", "guide", "PA12")
    design = replace(toy_design(), guides=(), others=(sheet,))
    found = {f.id: f for f in printable_plastic(design)}
    assert found["plastic.sheet.wall"].verdict == verdict
    if wall < 1.0:
        assert found["plastic.sheet.wall"].value == pytest.approx(wall, abs=0.1)


def test_thickness_is_that_of_the_ball_that_fits():
    points, wide = thickness(cylinder(np.zeros(3), np.array([0.0, 0.0, 20.0]), 0.7))
    middle = (points[:, 2] > 3.0) & (points[:, 2] < 17.0)
    assert np.median(wide[middle]) == pytest.approx(1.4, abs=0.05)


def test_a_cavity_and_a_part_larger_than_the_printer_are_found():
    void = difference(box(np.zeros(3), np.full(3, 20.0)), [box(np.full(3, 8.0), np.full(3, 12.0))])
    long = box(np.zeros(3), np.array([600.0, 5.0, 5.0]))
    parts = (Part(void, "void", "guide", "PA12"), Part(long, "long", "guide", "PA12"))
    found = {f.id: f for f in printable_plastic(replace(toy_design(), guides=(), others=parts))}
    assert found["plastic.void.cavities"].verdict == "fail" and found["plastic.long.cavities"].verdict == "pass"
    assert found["plastic.long.size"].verdict == "fail" and found["plastic.void.size"].verdict == "pass"


def test_a_sleeve_with_a_thin_wall_is_found():
    design = toy_design()
    guide = design.guides[0]
    thin = replace(guide, sleeves=tuple(replace(s, outer_mm=s.bore_mm + 3.0) for s in guide.sleeves))
    found = {f.id: f for f in printable_plastic(replace(design, guides=(thin,)))}
    assert found["plastic.drill_proximal.sleeve.1"].verdict == "fail"
