"""What verification says of a guide's way onto an implant: as made it slides on, and what hooks or scrapes is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.build.drill_guide import guide_on_implant
from SpinalStrutDesignerLib.build.screws import finished_cutter
from SpinalStrutDesignerLib.plan.guides import GuidePlan
from SpinalStrutDesignerLib.plan.plan import Screw, ScrewType
from SpinalStrutDesignerLib.verify.guide_seats import seat_of
from SpinalStrutDesignerLib.verify.guide_way import metal_on_way, slides_on
from SpinalStrutDesignerLib.verify.guides import guide_closed, leads_drill
from SpinalStrutDesignerLib.verify.plastic import printable_plastic
from verify_toy import design_of, toy_case, toy_plan

# The flange stands 4 mm off the bone, so that there is room behind it.
BACK_Y, FRONT_Y, HEAD_Y = 12.0, 19.0, 17.0
GAP = 0.2


def flange(half_width, screws):
    """An upright flange with holes."""
    low, high = np.array([-half_width, BACK_Y, 16.0]), np.array([half_width, FRONT_Y, 44.0])
    return difference(box(low, high), [finished_cutter(s) for s in screws])


@cache
def clipped(places, half_width=10.0):
    """A flange with a hole at each (x, slope), and the guide for them."""
    screws = tuple(Screw(ScrewType(), "C4", (x, HEAD_Y, 37.0), (a, -1.0, 0.0), 18.0) for x, a in places)
    plan = toy_plan(screws=screws, guides=GuidePlan(docking="none", drill="implant", fit_gap_mm=GAP))
    mesh = flange(half_width, screws)
    design = design_of(toy_case(), plan, mesh)
    return replace(design, guides=(guide_on_implant(design.implants[0].situation, mesh, "upper"),))


TWO, ONE = ((-5.5, 0.25), (5.5, -0.2)), ((0.0, 0.0),)


def with_plastic(design, *bodies):
    """The same with its guide and more in one."""
    guide = design.guides[0]
    part = guide.part.with_mesh(union([guide.part.mesh, *bodies]))
    return replace(design, guides=(replace(guide, part=part),))


def slide(design):
    (finding,) = slides_on(design)
    return finding


@pytest.mark.parametrize("places", [ONE, TWO], ids=["one", "two"])
def test_a_guide_as_made_slides_on_and_leads_the_drill(places):
    design = clipped(places)
    found = slide(design)
    assert (found.id, found.verdict) == ("guide.drill_proximal.slides", "pass")
    assert 0.0 < found.value <= GAP + 0.05 and "the implant" in found.detail
    for check in (guide_closed, leads_drill, printable_plastic):
        for finding in check(design):
            assert finding.verdict == "pass", finding


@pytest.mark.parametrize(("radius", "verdict"), [(1.6, "pass"), (2.4, "fail"), (4.0, "fail")])
def test_a_plug_that_hooks_under_the_flange_is_found(radius, verdict):
    """A nose through the bore, 1.85 mm in radius, that is wider behind the flange: at its seat it touches nothing."""
    bore = 0.5 * ScrewType().clearance_hole_mm
    stem = cylinder([0.0, BACK_Y - 2.0, 37.0], [0.0, HEAD_Y, 37.0], 1.6, 128)
    head = cylinder([0.0, BACK_Y - 2.0, 37.0], [0.0, BACK_Y - 1.0, 37.0], radius, 128)
    found = slide(with_plastic(clipped(ONE), stem, head))
    assert found.verdict == verdict
    if verdict == "pass":
        assert found.value > 0.0
        return
    # Past the flange's back it lies as deep in metal as it is wider than the bore, or a millimetre and more.
    assert found.value == pytest.approx(max(bore - radius, -1.0), abs=0.06)
    assert "the implant" in found.detail and ("at least so deep" in found.detail) == (radius > 2.9)


@pytest.mark.parametrize("shift", [0.1, 0.3, 0.5])
def test_a_guide_beside_its_place_is_found_by_how_deep_it_lies(shift):
    """Moved across the flange it comes nearer to its holes' sides, moved into it to its face: by as much."""
    design = clipped(ONE)
    as_made = slide(design).value
    for across in ((shift, 0.0, 0.0), (0.0, -shift, 0.0)):
        matrix = np.eye(4)
        matrix[:3, 3] = across
        guide = design.guides[0]
        part = guide.part.with_mesh(guide.part.mesh.transformed(matrix))
        least, _, _ = metal_on_way(replace(guide, part=part), design.implants[0].part.mesh)
        assert as_made - shift - 0.05 <= least <= GAP - shift + 0.05


def test_what_lies_far_out_on_the_way_is_found():
    """A bar of the same implant 10 mm before the sleeve: as the guide comes in, all of it up to the flange passes."""
    design = clipped(ONE)
    implant = design.implants[0]
    top = design.guides[0].sleeves[0].top[1]
    bar = box([-4.0, top + 10.0, 20.0], [4.0, top + 12.0, 44.0])
    barred = replace(implant, part=implant.part.with_mesh(union([implant.part.mesh, bar])))
    found = slide(replace(design, implants=(barred,)))
    assert found.verdict == "fail" and found.value < -0.9
    assert bar.bounds[0][1] < found.location[1] < bar.bounds[1][1]


def test_two_plugs_and_a_saddle_seat_uniquely():
    seat = seat_of(clipped(TWO).guides[0], clipped(TWO)).seating
    assert seat.unique


def test_a_lone_guide_is_kept_from_turning_by_a_narrow_flange_alone():
    """Over the sides of a flange 12 mm wide the saddle hangs down; on a wide flat one nothing tells its turn."""
    narrow, wide = (clipped(ONE, half) for half in (6.0, 10.0))
    assert seat_of(narrow.guides[0], narrow).seating.bounded
    assert not seat_of(wide.guides[0], wide).seating.bounded
