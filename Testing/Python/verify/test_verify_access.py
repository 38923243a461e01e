"""A driver behind a screw's head: its room to walls, boxes, what may be held aside, and the implant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.samples import surface_points
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.plan.entries import RetractionRule
from SpinalStrutDesignerLib.plan.insertion import Insertion
from SpinalStrutDesignerLib.plan.plan import Flange
from SpinalStrutDesignerLib.verify.access import Driver, access_room, driver_room, mesh_room, obstacles
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.screw_access import screw_access
from verify_toy import block, column_mesh, design_of, screw, toy_case, toy_plan, tube

DRIVER = Driver(2.5, 28.0)
FRONT = 11.0
ENTRY, BACK = (0.0, FRONT, 37.0), (0.0, -1.0, 0.0)


def _room(distance, entry=ENTRY, way=BACK, driver=DRIVER):
    return float(driver_room(distance, np.array([entry]), np.array([way]), driver)[0])


def test_a_wall_beside_and_one_behind():
    assert _room(lambda p: p[:, 0] + 4.0) == pytest.approx(4.0 - 2.5)
    # The far end is flat: 28 mm long, it leaves 2 mm to a wall 30 mm away.
    assert _room(lambda p: FRONT + 30.0 - p[:, 1]) == pytest.approx(2.0)
    # What the screw runs to lies ahead of the head, not in the driver's way.
    assert _room(lambda p: p[:, 1] - FRONT + 0.5) == pytest.approx(0.5)


@given(st.floats(-1.0, 1.0), st.floats(3.0, 30.0))
def test_a_slanting_wall_by_hand(slope, away):
    """The driver's edge nearest to a wall: of the two end circles the one on the wall's side."""
    normal = np.array([np.cos(slope), np.sin(slope), 0.0])
    corners = [np.array([s * 2.5, y, 0.0]) for s in (-1, 1) for y in (0.0, 28.0)]
    by_hand = min(away - (np.array(c) @ normal) for c in corners)
    assert _room(lambda p: away - (p - ENTRY) @ normal) == pytest.approx(by_hand, abs=1e-6)


@settings(max_examples=20)
@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3), st.lists(st.floats(-90, 90), min_size=3, max_size=3))
def test_moved_rigidly_nothing_changes(turn, shift):
    rotation, shift = Rotation.from_rotvec(turn).as_matrix(), np.array(shift)
    ball = lambda p: np.linalg.norm(p - np.array([5.0, 25.0, 38.0]), axis=1) - 3.0  # noqa: E731
    moved = _room(lambda p: ball((p - shift) @ rotation), rotation @ np.array(ENTRY) + shift, rotation @ np.array(BACK))
    assert moved == pytest.approx(_room(ball), abs=1e-9)


def test_bone_of_every_kind_and_what_may_be_held_aside():
    clavicle = block("clavicula_left", "bone", [4.0, 20.0, 30.0], [12.0, 30.0, 44.0])
    gullet = tube("oesophagus", "keepout_critical", 0.0, 22.0, 5.0)
    lung = block("lung_left", "keepout_soft", [-12.0, 12.0, 20.0], [12.0, 35.0, 60.0])
    plan = toy_plan(screws=(screw(ENTRY, BACK),))
    rules = {
        "oesophagus": RetractionRule("oesophagus", "aside", 30.0, "judgement"),
        "lungs": RetractionRule("lungs", "collapsed", 0.0, "judgement"),
    }
    case = toy_case(clavicle, gullet, lung)
    entries, ways = np.array([ENTRY, (-30.0, FRONT, 37.0)]), np.array([BACK, BACK])
    plan = plan.with_(insertion=Insertion(retractions=tuple(rules.values())))
    things = obstacles(case, plan)
    # 4 mm to the clavicle less the driver's radius; the vertebra itself lies 3 mm behind the head's top.
    assert access_room(things, entries[:1], ways[:1], DRIVER)[0] == pytest.approx(1.5, abs=0.1)
    # On the gullet's axis: as deep as its radius and the driver's, and 30 mm may be asked for.
    only = [t for t in things if t.structure.name == "oesophagus"]
    assert access_room(only, entries, ways, DRIVER)[0] == pytest.approx(30.0 - 7.5, abs=0.6)
    fixed = obstacles(case, plan.with_(insertion=Insertion(retractions=())))
    assert access_room(fixed, entries, ways, DRIVER)[0] < -7.0
    assert access_room([t for t in things if t.structure.name == "lung_left"], entries, ways, DRIVER)[0] == np.inf


def test_metal_of_the_implant_in_the_way():
    points = surface_points(box([3.0, 15.0, 35.0], [6.0, 20.0, 39.0]), 0.2)
    room, place = mesh_room(points, np.array(ENTRY), np.array(BACK), DRIVER)
    assert room == pytest.approx(0.5, abs=1e-2) and place[0] == pytest.approx(3.0)
    ahead = surface_points(box([-1.0, 0.0, 36.0], [1.0, 10.0, 38.0]), 0.2)
    assert mesh_room(ahead, np.array(ENTRY), np.array(BACK), DRIVER)[0] == np.inf


def _flanged(*more):
    plate = box([-8.0, FRONT - 4.5, 30.0], [8.0, FRONT, 44.0])
    entry = np.array(ENTRY)
    bore = cylinder(entry, entry - np.array([0, 20, 0]), 1.85)
    cutters = [bore, sphere(entry, 3.05), cylinder(entry + np.array([0, 40, 0]), entry, 3.05)]
    return union([difference(union([plate, column_mesh()]), cutters), *more])


def _found(*others, mesh=None, length=28.0, **changes):
    flange = Flange(width_mm=16.0, height_mm=12.0, thickness_mm=2.5)
    plan = toy_plan(screws=(screw(ENTRY, BACK),), upper_flange=flange, **changes)
    plan = plan.with_(screw_rules=plan.screw_rules.with_(driver_length_mm=length))
    design = design_of(toy_case(*others), plan, mesh or _flanged())
    return {f.id: f for f in screw_access(Measured(design.implants[0]))}


def test_a_free_driver_passes_and_names_what_is_nearest():
    found = _found()
    assert list(found) == ["screw.1.access"]
    access = found["screw.1.access"]
    assert access.verdict == "pass"
    # The way that is cut for it is 3.05 mm wide, the driver 2.5.
    assert access.value == pytest.approx(0.55, abs=0.05) and "implant" in access.detail
    assert "beyond the image" not in access.detail
    # The image ends at y = 40, 29 mm in front of the head.
    assert "beyond the image" in _found(length=60.0)["screw.1.access"].detail


@pytest.mark.parametrize(("side", "verdict"), [(4.0, "pass"), (3.0, "warn"), (2.0, "fail")])
def test_bone_beside_the_driver(side, verdict):
    found = _found(block("sternum", "bone", [side, 20.0, 30.0], [12.0, 30.0, 44.0]))["screw.1.access"]
    assert found.verdict == verdict
    if verdict == "fail":
        assert found.value == pytest.approx(side - 2.5, abs=0.1) and "deep in sternum" in found.detail


def test_the_implant_in_its_own_drivers_way_fails():
    hook = union([box([1.0, 20.0, 36.0], [9.0, 22.0, 38.0]), box([7.0, FRONT - 1.0, 36.0], [9.0, 22.0, 38.0])])
    found = _found(mesh=_flanged(hook))["screw.1.access"]
    assert found.verdict == "fail" and "the implant itself" in found.detail
    assert found.value == pytest.approx(1.0 - 2.5, abs=0.1)


@pytest.mark.parametrize(("limit", "verdict"), [(30.0, "pass"), (5.0, "fail")])
def test_the_gullet_is_held_aside_as_far_as_the_plan_allows(limit, verdict):
    rule = RetractionRule("oesophagus", "aside", limit, "judgement")
    gullet = tube("oesophagus", "keepout_critical", 0.0, 22.0, 5.0)
    found = _found(gullet, insertion=Insertion(retractions=(rule,)))["screw.1.access.oesophagus"]
    assert found.verdict == verdict
    # From the middle of a tube of 5 mm radius a driver of 2.5 mm is 7.5 mm away, and the budget comes with it.
    assert found.value == pytest.approx(7.5 + 0.8, abs=0.6)


def test_what_may_not_be_held_aside_fails_by_itself():
    gullet = tube("oesophagus", "keepout_critical", 0.0, 22.0, 5.0)
    found = _found(gullet, insertion=Insertion(retractions=()))
    assert list(found) == ["screw.1.access"] and found["screw.1.access"].verdict == "fail"
    assert "oesophagus" in found["screw.1.access"].detail
