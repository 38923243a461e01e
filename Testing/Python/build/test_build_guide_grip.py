"""Grips of drill guides: room for all of the guide's words, out of the drills' way, on the body or on a sleeve."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from drill_toy import plate_with_holes, screw, world
from hypothesis import given
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import common_volume, union
from LatticeGeneratorLib.mesh.check import closed_manifold_fault, components
from LatticeGeneratorLib.mesh.solids import cylinder
from SpinalStrutDesignerLib.build.design import DrillGuide, Situation
from SpinalStrutDesignerLib.build.drill_guide import guide_on_bone, guide_on_implant
from SpinalStrutDesignerLib.build.guide_base import GuideShape
from SpinalStrutDesignerLib.build.guide_grip import _carried, gripped
from SpinalStrutDesignerLib.build.guide_ground import bone_ground, guide_frames
from SpinalStrutDesignerLib.build.mark_parts import marked_drill_guide
from SpinalStrutDesignerLib.build.mark_words import guide_wordings, layouts
from SpinalStrutDesignerLib.plan.guides import MarkPlan

SCREWS = {
    "one": (screw(0.0),),
    "two alike": (screw(-6.0, 0.15), screw(6.0, -0.15)),
    "two drills": (
        screw(-5.0, 0.25),
        screw(5.5, -0.3, to_z=0.1).with_(type=screw(0.0).type.with_(pilot_mm=3.2), length_mm=16.0),
    ),
}


@cache
def made(which: str, seat: str, style: str = "engraved") -> tuple[Situation, DrillGuide]:
    situation = world(*SCREWS[which], drill=seat)
    situation = replace(situation, plan=situation.plan.with_(marks=MarkPlan(style)))
    if seat == "bone":
        return situation, guide_on_bone(situation, "upper")
    return situation, guide_on_implant(situation, plate_with_holes(situation), "upper")


@pytest.mark.parametrize("seat", ["bone", "implant"])
@pytest.mark.parametrize("which", SCREWS)
def test_a_guide_bears_its_drills_and_stops_its_end_its_case_and_its_version(which, seat):
    situation, guide = made(which, seat)
    told = [f"{s.drill_mm:g} STOP {s.stop_mm:g}" for s in guide.sleeves]
    if len(set(told)) > 1:  # the screw at greater x is on the patient's right
        told = [f"{side} {words}" for side, words in zip(("L", "R"), told)]
    part, (drills, end) = marked_drill_guide(guide, situation)
    assert " ".join(drills.lines) == " ".join(dict.fromkeys(told)) and not drills.omitted
    assert "".join(end.lines).replace(" ", "") == f"PROX{situation.plan.case_code}V{situation.plan.design_version}"
    # All of it is cut as deep as asked, and the part stays whole.
    area = drills.letters.area_mm2 + end.letters.area_mm2
    depth = situation.plan.marks.plastic_depth_mm
    assert guide.part.mesh.volume - part.part.mesh.volume == pytest.approx(depth * area, rel=0.02)
    assert closed_manifold_fault(part.part.mesh) is None and len(components(part.part.mesh)) == 1


@pytest.mark.parametrize("seat", ["bone", "implant"])
@pytest.mark.parametrize("which", SCREWS)
def test_a_grip_leaves_drill_stop_and_chuck_their_way(which, seat):
    _, guide = made(which, seat)
    assert guide.part.provenance["grip"] == "made"
    for sleeve in guide.sleeves:
        way = cylinder(sleeve.outside(0.05), sleeve.outside(40.0), 0.5 * sleeve.outer_mm + 0.9)
        others = [s for s in guide.sleeves if s is not sleeve]
        beside = union([cylinder(s.outside(1.0), np.array(s.foot), 0.5 * s.outer_mm + 2.0) for s in others] or [way])
        met = common_volume(guide.part.mesh, way)
        assert met - (common_volume(beside, way) if others else 0.0) < 0.5


@pytest.mark.parametrize("seat", ["bone", "implant"])
def test_a_guide_without_words_has_a_round_grip(seat):
    _, guide = made("one", seat, "none")
    out = (guide.part.mesh.vertices - np.array(guide.sleeves[0].foot)) @ -guide.insertion
    end = guide.part.mesh.vertices[out > out.max() - 1e-3]
    away = np.linalg.norm(end - end.mean(axis=0), axis=1)
    rim = away[away > 0.01]  # without the middle
    assert np.ptp(rim) < 0.01 and 2.5 - 0.01 < rim.mean() < 4.01


def test_a_grip_hangs_on_a_sleeve_where_none_can_stand():
    situation, guide = made("two drills", "bone")
    ground = bone_ground(
        situation, situation.upper, guide.sleeves, guide_frames(situation, situation.upper, guide.sleeves)[0]
    )
    shape = GuideShape(ground, None, guide.sleeves, situation.plan.guides)
    nothing = np.full(ground.grid.array_shape, 5.0)
    grip = gripped(shape, nothing, situation, guide_wordings(situation, "upper", guide.sleeves)).grip
    sleeves = [cylinder(np.array(s.foot), np.array(s.top), 0.5 * s.outer_mm) for s in guide.sleeves]
    assert len(components(union([*grip.solids, sleeves[0]]))) + len(components(union([*grip.solids, sleeves[1]]))) == 3
    for sleeve in guide.sleeves:
        way = cylinder(sleeve.outside(0.0), sleeve.outside(40.0), 0.5 * sleeve.outer_mm + 0.9)
        assert common_volume(union(list(grip.solids)), way) == 0.0
    assert max(np.ptp(ground.local(solid.vertices)[:, 2]) for solid in grip.solids) > 30.0


def test_without_any_room_there_is_no_grip():
    situation, guide = made("one", "bone")
    ground = bone_ground(
        situation, situation.upper, guide.sleeves, guide_frames(situation, situation.upper, guide.sleeves)[0]
    )
    blocked = replace(ground, carrier=np.zeros(ground.grid.array_shape))
    shape = GuideShape(blocked, None, guide.sleeves, situation.plan.guides)
    full = np.full(ground.grid.array_shape, -5.0)
    assert gripped(shape, full, situation, guide_wordings(situation, "upper", guide.sleeves)).grip is None


STEEP = [(0.0, 4.0, True), (15.0, 4.0, True), (30.0, 4.0, False), (50.0, 2.5, False)]


@pytest.mark.parametrize(("tilt_deg", "radius", "kept"), STEEP)
def test_a_grips_flat_end_stays_off_bone_that_rises_beside_it(tilt_deg, radius, kept):
    """Over a plane tilted by an angle, the rim of a disc so far off it comes nearer by the radius times the sine."""
    situation, guide = made("two alike", "bone")
    guides, sleeves = situation.plan.guides, guide.sleeves
    ground = bone_ground(situation, situation.upper, sleeves, guide_frames(situation, situation.upper, sleeves)[0])
    points = ground.grid.points()
    tilt = np.radians(tilt_deg)
    plane = (np.cos(tilt) * points[:, 2] - np.sin(tilt) * points[:, 0]).reshape(ground.grid.array_shape)
    shape = GuideShape(replace(ground, carrier=plane), None, sleeves, guides)
    off = guides.fit_gap_mm + 1.0 + 0.5 * guides.base_thickness_mm  # the base's middle, 2.7 mm
    start = np.array([[0.0, 0.0, off / np.cos(tilt)]])
    body = plane - (off + 0.5 * guides.base_thickness_mm * np.cos(tilt))
    assert (off - radius * np.sin(tilt) >= guides.fit_gap_mm + 1.0) == kept
    assert _carried(shape, body, start, radius).tolist() == [kept]
    # Where the body ends under its rim, it does not stand.
    short = np.maximum(body, (points[:, 1] - radius + 1.0).reshape(body.shape))
    assert _carried(shape, short, start, radius).tolist() == [False]


DRILLS = st.sampled_from(["2.5", "2.8", "3.2"])
SLEEVE = st.tuples(st.sampled_from(["R", "L", "S1", "S2", "S11"]), DRILLS, st.integers(8, 99))


@given(st.lists(SLEEVE, min_size=1, max_size=4))
def test_no_line_mixes_two_sleeves_words_unless_all_stand_on_it(sleeves):
    """A drill read with another sleeve's stop would be drilled too deep."""
    words = tuple(f"{name} {drill} STOP {stop}" for name, drill, stop in sleeves)
    for lines in layouts(words):
        assert " ".join(lines) == " ".join(words)
        begun = [line for line in lines if line.split()[0] in ("R", "L", "S1", "S2", "S11")]
        stops = [line for line in lines if "STOP" in line]
        assert all(line.split("STOP")[-1].strip() for line in stops), "a stop's number stands on its own line"
        if len(lines) >= len(words):
            assert len(begun) == len(words) and all(line.count("STOP") <= 1 for line in lines)
