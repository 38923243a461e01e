"""Overlap with bone, contact and pressure of feet on flat plates."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.solids import box, cylinder
from SpinalStrutDesignerLib.plan.plan import Resection
from SpinalStrutDesignerLib.verify.bone import bone, resection
from SpinalStrutDesignerLib.verify.contact import contact_of
from SpinalStrutDesignerLib.verify.fit import fit
from SpinalStrutDesignerLib.verify.measured import Measured
from verify_toy import block, column_mesh, design_of, screw, toy_case, toy_plan

CASE = toy_case()


def _measured(mesh, plan=None, case=CASE):
    return Measured(design_of(case, plan or toy_plan(), mesh).implants[0])


def _found(check, mesh, plan=None, case=CASE):
    return {f.id: f for f in check(_measured(mesh, plan, case))}


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 1.5))
def test_overlap_is_how_deep_the_foot_stands_in_bone(depth):
    found = _found(bone, column_mesh(gap=-depth))["bone.overlap"]
    assert found.value == pytest.approx(depth, abs=0.06)
    assert found.verdict == ("pass" if found.value <= 0.1 else "fail")
    assert abs(found.location[2]) > 29.9


def test_no_overlap_at_the_fit_gap():
    found = _found(bone, column_mesh())["bone.overlap"]
    assert found.value == 0.0
    assert found.verdict == "pass"


def test_shared_volume_is_reported():
    detail = _found(bone, column_mesh(gap=-1.0))["bone.overlap"].detail
    volume = float(detail.rsplit("shared volume ", 1)[1].split()[0])
    assert volume == pytest.approx(2 * 14 * 12 * 1.0, rel=0.15)


def test_bone_inside_the_implant_is_found():
    case = toy_case(block("chip", "bone", [-1, -1, -1], [1, 1, 1]))
    found = _found(bone, column_mesh(), case=case)["bone.overlap"]
    assert found.verdict == "fail"
    assert found.value > 0.7
    assert "chip" in found.detail


def test_resected_bone_is_no_overlap_and_its_volume_is_listed():
    plan = toy_plan(resections=(Resection("C4", (0.0, 0.0, 31.0), (0.0, 0.0, -1.0)),))
    cut = replace(CASE.structure("C4"), cuts=((np.array([0.0, 0.0, 31.0]), np.array([0.0, 0.0, -1.0])),))
    case = CASE.with_structures([cut, CASE.structure("T2")])
    mesh = union([column_mesh(), box([-6, -5, 29], [6, 5, 30.6])])
    assert _found(bone, mesh, plan, case)["bone.overlap"].verdict == "pass"
    listed = _found(resection, mesh, plan, case)["bone.resected.C4"]
    assert listed.value == pytest.approx(20 * 16 * 1.0, rel=1e-6)


@pytest.mark.parametrize("gap", [0.2, 0.3, 1.0])
def test_fit_gap_is_measured(gap):
    found = _found(fit, column_mesh(gap=gap))
    for end in ("upper", "lower"):
        assert found[f"fit.{end}.gap"].value == pytest.approx(gap, abs=0.02)
        assert found[f"fit.{end}.gap"].verdict == ("pass" if gap < 0.5 else "warn")


def test_contact_area_centre_and_pressure_of_a_block():
    found = _found(fit, column_mesh())
    assert found["fit.upper.contact"].value == pytest.approx(14 * 12, rel=0.02)
    assert found["fit.upper.pressure"].value == pytest.approx(500 / (14 * 12), rel=0.02)
    assert found["fit.upper.pressure_envelope"].value == pytest.approx(1650 / (14 * 12), rel=0.02)
    assert found["fit.upper.centre"].value == pytest.approx(0.0, abs=0.01)
    assert found["fit.upper.pressure"].verdict == "fail"


@pytest.mark.parametrize(("load", "verdict"), [(300.0, "pass"), (370.0, "warn"), (420.0, "fail")])
def test_pressure_limits(load, verdict):
    plan = toy_plan()
    plan = plan.with_(loads=plan.loads.with_(axial_N=load))
    assert _found(fit, column_mesh(), plan)["fit.upper.pressure"].verdict == verdict


@pytest.mark.parametrize(("load", "possible"), [(700.0, True), (770.0, False)])
def test_pressure_says_when_the_endplate_is_too_small_for_any_foot(load, possible):
    """20 x 16 mm of plate: 2.19 and 2.41 MPa, of which 2.3 still warn."""
    plan = toy_plan()
    plan = plan.with_(loads=plan.loads.with_(axial_N=load))
    detail = _found(fit, column_mesh(), plan)["fit.upper.pressure"].detail
    told = re.search(r"; ([\d.]+) MPa if all (\d+) mm² of the endplate", detail)
    assert told is not None, detail
    assert float(told[1]) == pytest.approx(load / 320.0, rel=0.02)
    assert float(told[2]) == pytest.approx(320.0, rel=0.02)
    assert ("no foot on it keeps the limit" in detail) is not possible


@pytest.mark.parametrize(("lost", "helps"), [(30.0, False), (60.0, True)])
def test_pressure_says_when_taking_off_the_lip_would_hold_it(lost, helps):
    """500 N on 168 mm²; 198 mm² would still carry 2.5 MPa, 228 mm² carry 2.2, of which 2.3 warn."""
    made = design_of(CASE, toy_plan(), column_mesh()).implants[0]
    upper, lower = made.feet
    measured = Measured(replace(made, feet=(replace(upper, contact_lost_mm2=lost), lower)))
    found = {f.id: f for f in fit(measured)}
    told = re.search(r"about ([\d.]+) MPa with the (\d+) mm² lost to undercuts: plan a resection",
                     found["fit.upper.pressure"].detail)  # fmt: skip
    assert (told is not None) is helps
    assert "undercuts" not in found["fit.lower.pressure"].detail
    if told is not None:
        assert float(told[1]) == pytest.approx(500.0 / (168.0 + lost), abs=0.06)
        assert float(told[2]) == pytest.approx(lost)


def test_a_foot_at_the_rim_is_out_of_the_middle_third():
    mesh = union([column_mesh(), box([-9, 2, 27], [9, 7.9, 29.7])])
    mesh = difference(mesh, [box([-9, -9, 26.9], [9, 2, 31])])
    found = _found(fit, mesh)["fit.upper.centre"]
    assert found.value == pytest.approx(4.95 / 16.0, abs=0.01)
    assert found.verdict == "warn"


@pytest.mark.parametrize("tilt_deg", [0.0, 25.0])
def test_a_screws_bore_through_the_contact_face_is_no_contact(tilt_deg):
    """A screw of zero profile crosses the docked endplate: the finished mesh lacks its bore there."""
    tilt, at = np.deg2rad(tilt_deg), np.array([0.0, 0.0, 29.7])
    way = 10.0 * np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    holed = difference(column_mesh(), [cylinder(at - way, at + way, 1.85, 128)])
    whole, found = (_found(fit, mesh)["fit.upper.contact"].value for mesh in (column_mesh(), holed))
    # A slanting bore meets the face in an ellipse. Its wall counts as long as it lies near the bone, 0.8 mm beyond
    # the fit gap, which gives back what it moves sideways over that depth.
    ellipse = np.pi * 1.85**2 / np.cos(tilt)
    back = 2 * 1.85 * 0.8 * np.tan(tilt)
    assert ellipse - back - 0.5 <= whole - found <= ellipse + 0.5


@pytest.mark.parametrize("tilt_deg", [0.0, 25.0, 45.0])
def test_no_wall_of_a_planned_screws_bore_is_contact(tilt_deg):
    """The whole ellipse in which a bore meets the face is taken off, its wall near the bone too."""
    tilt, at = np.deg2rad(tilt_deg), np.array([0.0, 0.0, 29.7])
    way = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    planned = screw(tuple(at - 6.0 * way), tuple(way))
    holed = difference(column_mesh(), [cylinder(at - 10.0 * way, at + 10.0 * way, 1.85, 128)])
    whole = contact_of(_measured(column_mesh()), "upper")
    found = contact_of(_measured(holed, toy_plan(screws=(planned,))), "upper")
    ellipse = np.pi * 1.85**2 / np.cos(tilt)
    # The rim is told to 0.05 mm of the bore's radius and the rays' 0.15 mm.
    assert whole.envelope_mm2 - found.envelope_mm2 == pytest.approx(ellipse, abs=0.9)
    assert whole.strict_mm2 - found.strict_mm2 == pytest.approx(ellipse, abs=0.9)


def test_pores_are_closed_for_the_envelope_and_open_for_the_net_area():
    """0.6 mm slots every 1 mm across the face: 40 % metal."""
    slots = [box([-20, y, 28.5], [20, y + 0.6, 31]) for y in np.arange(-5.8, 6.0, 1.0)]
    contact = contact_of(_measured(difference(column_mesh(), slots)), "upper")
    assert contact.envelope_mm2 == pytest.approx(14 * 12, rel=0.05)
    assert contact.net_mm2 == pytest.approx(0.4 * 14 * 12, rel=0.08)


def test_a_foot_that_is_not_there_fails():
    found = _found(fit, box([-5, -2.5, -29.7], [5, 2.5, 20.0]))
    assert found["fit.upper.gap"].verdict == "fail"
    assert found["fit.upper.contact"].verdict == "fail"
    assert "fit.upper.pressure" not in found
