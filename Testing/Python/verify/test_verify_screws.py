"""Screws in a block of bone: distances, breaches, density and their seats in the mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import difference, union
from LatticeGeneratorLib.mesh.solids import box, cylinder, sphere
from SpinalStrutDesignerLib.plan.plan import ErrorBudget, Flange
from SpinalStrutDesignerLib.verify.measured import Measured
from SpinalStrutDesignerLib.verify.screwline import ScrewLine, least_any_way, placement_budget
from SpinalStrutDesignerLib.verify.screws import screws
from SpinalStrutDesignerLib.verify.seats import seats
from verify_toy import HU, block, column_mesh, design_of, screw, toy_case, toy_plan, tube

# C4 spans x -10..10, y -8..8, z 30..44. A plate 2.5 mm thick stands 0.5 mm in front of it, the screw in its middle.
FRONT, BONE_FRONT = 11.0, 8.0
ENTRY = (0.0, FRONT, 37.0)
BACK = (0.0, -1.0, 0.0)
FLANGE = Flange(width_mm=16.0, height_mm=12.0, thickness_mm=2.5)


def _found(check=screws, *others, mesh=None, plan=None, at=ENTRY, way=BACK, length=14.0, flange=FLANGE, **changes):
    plan = plan or toy_plan(screws=(screw(at, way, length).with_(**changes),), upper_flange=flange)
    design = design_of(toy_case(*others), plan, mesh or column_mesh())
    return {f.id: f for f in check(Measured(design.implants[0]))}


def test_distances_to_both_endplates_and_the_walls():
    found = _found()
    # Half the body's height less the thread's radius.
    assert found["screw.1.inferior"].value == pytest.approx(7.0 - 1.75, abs=0.15)
    assert found["screw.1.wall"].value == pytest.approx(10.0 - 1.75, abs=0.3)
    assert found["screw.1.wall"].verdict == "pass"


def test_bone_left_beyond_the_tip():
    found = _found()["screw.1.tip"]
    # The tip lies at y = 11 - 14 = -3, the back wall at -8.
    assert found.value == pytest.approx(5.0, abs=0.3)
    assert found.verdict == "pass"
    assert found.location == pytest.approx((0.0, -3.0, 37.0))


@pytest.mark.parametrize(
    ("length", "bicortical", "verdict"),
    [(14.0, False, "pass"), (18.0, False, "warn"), (20.0, False, "fail"), (20.0, True, "pass"), (24.0, True, "fail")],
)
def test_a_tip_through_the_far_wall(length, bicortical, verdict):
    found = _found(at=(0.0, FRONT - 0.5, 37.0), length=length, bicortical=bicortical)["screw.1.tip"]
    assert found.value == pytest.approx(18.5 - length, abs=0.1)
    assert found.verdict == verdict


def test_a_thread_through_the_side_wall_is_a_breach():
    found = _found(at=(9.0, FRONT, 37.0))["screw.1.wall"]
    assert found.value == pytest.approx(1.0 - 1.75, abs=0.3)
    assert found.verdict == "fail"


def test_a_screw_that_misses_bone_fails():
    found = _found(at=(30.0, FRONT, 37.0))
    assert found["screw.1.tip"].verdict == "fail"
    assert found["screw.1.wall"].verdict == "not_evaluated"
    assert found["screw.1.density"].verdict == "not_evaluated"


@pytest.mark.parametrize(("wall", "verdict"), [(-12.0, "pass"), (-5.5, "warn"), (-4.5, "fail")])
def test_canal_behind_the_tip(wall, verdict):
    found = _found(screws, block("spinal_cord", "keepout_critical", [-8, -30, -60], [8, wall, 60]))["screw.1.canal"]
    assert found.value == pytest.approx(-3.0 - wall, abs=0.1)
    assert found.verdict == verdict


def test_a_canal_beside_the_thread_takes_the_radius_and_the_sideways_budget():
    found = _found(screws, block("spinal_cord", "keepout_critical", [8, -30, -60], [20, 30, 60]))["screw.1.canal"]
    assert found.value == pytest.approx(8.0 - 1.75, abs=0.1)
    # Tightest at the tip, 14 mm deep.
    budget = np.sqrt(0.8**2 + 1.4**2 + (14 * np.tan(np.deg2rad(6.7))) ** 2)
    assert float(found.detail.split()[0]) == pytest.approx(8.0 - 1.75 - budget, abs=0.1)


def test_without_a_canal_the_finding_blocks():
    assert _found()["screw.1.canal"].blocks


def test_a_vessel_behind_the_body():
    near = _found(screws, tube("aorta", "keepout_critical", 0.0, -16.0, 6.0))["screw.1.organs"]
    assert near.value == pytest.approx(7.0, abs=0.1)
    assert "aorta" in near.title
    assert near.verdict == "pass"
    assert _found(screws, tube("aorta", "keepout_critical", 0.0, -14.5, 6.0))["screw.1.organs"].verdict == "warn"
    assert _found(screws, tube("aorta", "keepout_critical", 0.0, -13.5, 6.0))["screw.1.organs"].verdict == "fail"


def test_two_screws_side_by_side():
    plan = toy_plan(screws=(screw((-4.0, FRONT, 37.0), BACK), screw((4.0, FRONT, 37.0), BACK)), upper_flange=FLANGE)
    found = _found(plan=plan)["screw.1.to_2"]
    assert found.value == pytest.approx(8.0 - 3.5, abs=0.02)
    crossing = toy_plan(
        screws=(screw((-4.0, FRONT, 37.0), (0.5, -1.0, 0.0)), screw((4.0, FRONT, 37.0), (-0.5, -1.0, 0.0))),
        upper_flange=FLANGE,
    )
    assert _found(plan=crossing)["screw.1.to_2"].verdict == "fail"


def test_the_docked_endplate_is_exempt_without_a_flange():
    assert "screw.1.inferior" not in _found(flange=None)


def test_density_along_the_thread():
    found = _found()["screw.1.density"]
    # The CT is 300 HU in bone, 0 in front of it; the first sample lies within half a voxel of the wall.
    assert found.value == pytest.approx(HU, rel=0.05)
    assert found.verdict == "pass"


def test_density_follows_a_posed_vertebra():
    moved = np.eye(4)
    moved[2, 3] = 20.0
    case = toy_case()
    posed = case.with_structures([replace(case.structure("C4"), pose=moved), case.structure("T2")])
    plan = toy_plan(screws=(screw((0.0, FRONT, 57.0), BACK),), upper_flange=FLANGE)
    found = {f.id: f for f in screws(Measured(design_of(posed, plan, column_mesh()).implants[0]))}
    assert found["screw.1.density"].value == pytest.approx(HU, rel=0.05)


def test_neighbouring_lengths_are_named():
    detail = _found()["screw.1.length"].detail
    assert "12 mm" in detail
    assert "16 mm" in detail


@settings(max_examples=50, deadline=None)
@given(st.floats(0.0, 50.0), st.floats(0.0, 1.0))
def test_placement_budget_by_hand(depth, axial):
    budget = ErrorBudget()
    found = placement_budget(budget, np.array([depth]), np.array([axial]))[0]
    sideways = np.hypot(1.4, depth * np.tan(np.deg2rad(6.7))) * np.sqrt(1 - axial**2)
    assert found == pytest.approx(np.hypot(0.8, sideways))


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.0, 2.0 * np.pi),
    st.floats(-1.0, 20.0),
    st.floats(0.0, 30.0),
    st.floats(3.2, 6.0),
    st.sampled_from((10.0, 14.0, 20.0)),
)
def test_a_ball_straight_ahead_is_as_near_as_one_beside(turn, deep, beyond, before, length):
    """The error counts in full from where the axis enters bone to the tip, wherever a station lies: C4's front is
    flat, so that the nearest place of the axis is told by plain geometry, and errors grow with depth."""
    line = ScrewLine(screw((0.0, BONE_FRONT + before, 41.0), BACK, length), 1, toy_case().structure("C4"))
    centre = np.array([beyond * np.cos(turn), BONE_FRONT - deep, 41.0 + beyond * np.sin(turn)])
    found = least_any_way(line, lambda p: np.linalg.norm(p - centre, axis=1) - 1.0, ErrorBudget())
    depth = np.linspace(before, length, 4000)
    wide = np.sqrt(0.8**2 + 1.4**2 + (depth * np.tan(np.deg2rad(6.7))) ** 2)
    away = np.hypot(beyond, depth - before - deep) - 1.0
    assert found == pytest.approx((away - wide).min() - 0.5 * line.screw.type.diameter_mm, abs=0.15)


def _flange_mesh(boss: float = 4.5, proud: float = 0.0):
    """A 16 mm wide boss in front of C4 with one screw hole: bore 3.7, seat radius 3.05, driver's way."""
    plate = box([-8.0, FRONT - boss, 30.0], [8.0, FRONT - proud, 44.0])
    bar = box([-5.0, FRONT - boss, -29.0], [5.0, FRONT - proud, 31.0])
    entry = np.array(ENTRY)
    cutters = [
        cylinder(entry, entry + np.array([0, -20, 0]), 1.85, 96),
        sphere(entry, 3.05, 96),
        cylinder(entry + np.array([0, 40, 0]), entry, 3.05, 96),
    ]
    return difference(union([plate, bar]), cutters)


def test_metal_under_the_head():
    found = _found(seats, mesh=_flange_mesh())["screw.1.under_head"]
    # The innermost ring, 2 mm off the axis: the seat is sqrt(3.05² - 2²) deep there; outwards there is more metal.
    assert 4.5 - np.sqrt(3.05**2 - 1.95**2) < found.value < 4.5 - np.sqrt(3.05**2 - 2.3**2)
    assert found.verdict == "pass"
    assert _found(seats, mesh=_flange_mesh(3.2))["screw.1.under_head"].verdict == "fail"


def _boss_mesh(radius: float, proud: float = 0.0, beside: tuple[float, float] = (0.0, 0.0)):
    """A round boss about the hole of `_flange_mesh`, its axis beside the screw's."""
    entry = np.array(ENTRY)
    axis = entry + np.array([beside[0], 0.0, beside[1]])
    boss = cylinder(axis + np.array([0, -proud, 0]), axis + np.array([0, -5.0, 0]), radius, 256)
    bore = cylinder(entry, entry + np.array([0, -20, 0]), 1.85, 256)
    return difference(boss, [bore, sphere(entry, 3.05, 256), cylinder(entry + np.array([0, 40, 0]), entry, 3.05, 256)])


@pytest.mark.parametrize(("radius", "verdict"), [(4.3, "pass"), (3.95, "warn"), (3.7, "fail")])
def test_metal_around_the_head(radius, verdict):
    found = _found(seats, mesh=_boss_mesh(radius))["screw.1.around_head"]
    # The seat is widest where it is looked at first, 0.5 mm under the head's top: sqrt(3.05² - 0.5²).
    assert found.value == pytest.approx(radius - np.sqrt(3.05**2 - 0.5**2), abs=0.02)
    assert found.verdict == verdict


def test_the_thinnest_side_of_a_boss_counts_and_none_is_nothing():
    found = _found(seats, mesh=_boss_mesh(4.5, beside=(0.6, 0.0)))["screw.1.around_head"]
    assert found.value == pytest.approx(4.5 - 0.6 - np.sqrt(3.05**2 - 0.5**2), abs=0.03)
    assert found.location[0] < -2.0
    lower = _found(seats, mesh=_boss_mesh(4.5, proud=1.0))["screw.1.around_head"]
    assert lower.value == 0.0 and lower.verdict == "fail"
    # A rim that stands apart from the seat, from 4 mm outwards, is no wall of it.
    rim = box([-8.0, FRONT - 5.0, 30.0], [8.0, FRONT, 44.0])
    rim = difference(rim, [cylinder(np.array([0, FRONT + 1, 37]), np.array([0, FRONT - 2.0, 37]), 4.0)])
    bore = cylinder(np.array(ENTRY), np.array([0, FRONT - 20, 37]), 1.85)
    apart = difference(rim, [bore, sphere(np.array(ENTRY), 3.05)])
    assert _found(seats, mesh=apart)["screw.1.around_head"].value == 0.0
    assert _found(seats, mesh=_boss_mesh(4.5, proud=0.4))["screw.1.around_head"].verdict == "pass"


def test_wide_metal_around_the_head_is_measured_to_its_outside():
    assert _found(seats, mesh=_flange_mesh())["screw.1.around_head"].value == pytest.approx(
        7.0 - np.sqrt(3.05**2 - 0.5**2), abs=0.03
    )


@pytest.mark.parametrize(("proud", "verdict"), [(0.0, "pass"), (0.4, "pass"), (1.5, "warn")])
def test_a_head_above_the_surface(proud, verdict):
    found = _found(seats, mesh=_flange_mesh(proud=proud))["screw.1.proud"]
    assert found.value == pytest.approx(proud, abs=0.02)
    assert found.verdict == verdict


def test_a_proud_head_that_faces_the_oesophagus_fails():
    gullet = tube("oesophagus", "keepout_critical", 0.0, 20.0, 5.0)
    assert _found(seats, gullet, mesh=_flange_mesh(proud=1.5))["screw.1.proud"].verdict == "fail"


def test_a_free_hole_and_a_blocked_one():
    free = _found(seats, mesh=_flange_mesh())["screw.1.bore"]
    assert free.verdict == "pass"
    assert free.value == pytest.approx(1.85, abs=0.15)
    stopped = union([_flange_mesh(), box([-0.5, FRONT - 4.4, 36.5], [4.0, FRONT - 4.0, 37.5])])
    assert _found(seats, mesh=stopped)["screw.1.bore"].verdict == "fail"
    roofed = union([_flange_mesh(), box([-4.0, FRONT + 3.0, 36.5], [4.0, FRONT + 4.0, 37.5]),
                    box([3.5, FRONT - 1.0, 36.5], [4.0, FRONT + 4.0, 37.5])])  # fmt: skip
    assert _found(seats, mesh=roofed)["screw.1.bore"].verdict == "fail"


def test_the_line_of_a_screw():
    line = ScrewLine(screw(ENTRY, (0.0, -2.0, 0.0), 16.0), 1, toy_case().structure("C4"))
    assert line.tip == pytest.approx((0.0, FRONT - 16.0, 37.0))
    assert line.points[np.argmax(line.in_bone)][1] == pytest.approx(8.0, abs=0.3)
    assert line.far_wall() == pytest.approx(3.0, abs=0.3)
