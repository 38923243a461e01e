"""What a variant finds: the lower block moved, the upper still, and everything between following the axis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.build.situation import lengthened_case, lengthened_plan, posed, situation
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.case.motion import Bend, Stretch
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.plan import Axis, Corrections, EndplateOverride, Plan, Pose, Screw, ScrewType

UP = np.array([0.0, 0.0, 1.0])


def _ball(name: str, role, z: float, level: str | None = None) -> Structure:
    k, j, i = np.indices((21, 21, 21)) - 10
    matrix = np.eye(4)
    matrix[:3, 3] = [-10.0, -10.0, z - 10.0]
    return Structure(name, role, Mask(i**2 + j**2 + k**2 <= 36, matrix), level=level)


@pytest.fixture(scope="module")
def case() -> Case:
    structures = (
        _ball("C4", "bone", 60.0, "C4"),
        _ball("T2", "bone", 0.0, "T2"),
        _ball("rod", "metal", 2.0),
        _ball("aorta", "keepout_critical", 30.0),
    )
    return Case("toy", Volume(np.zeros((2, 2, 2)), np.eye(4)), structures, ScanQuality((1, 1, 1), 1.0, 0.0))


STRETCH = Stretch(60.0 * UP, -60.0 * UP, -3.0 * UP)


def _nearest(structure: Structure) -> float:
    """Height of the structure's deepest point on the long axis."""
    heights = np.arange(-20.0, 80.0, 0.05)
    return float(heights[structure.distance(heights[:, None] * UP).argmin()])


def test_the_lower_block_and_what_lies_in_it_move_and_the_upper_stays(case):
    plan = Plan("C4", "T2", screws=(Screw(ScrewType(), "T2", (0.0, 9.0, 0.0), (0.0, -1.0, 0.0), 14.0),))
    grown = lengthened_case(case, plan, STRETCH)
    moved = {s.name: _nearest(s) - _nearest(case.structure(s.name)) for s in grown.structures}
    assert moved["C4"] == pytest.approx(0.0, abs=0.06)
    assert moved["T2"] == pytest.approx(-3.0, abs=0.06)
    assert moved["rod"] == pytest.approx(-3.0, abs=0.06)
    assert moved["aorta"] == pytest.approx(-1.5, abs=0.3)
    assert np.allclose(grown.structure("rod").points, case.structure("rod").points - 3.0 * UP)


def test_the_axis_grows_between_the_feet_only():
    points = tuple((0.0, 0.0, z) for z in (55.0, 48.0, 30.0, 12.0, 5.0))
    screw = Screw(ScrewType(), "T2", (0.0, 9.0, 0.0), (0.0, -1.0, 0.0), 14.0)
    plan = lengthened_plan(Plan("C4", "T2", axis=Axis(points, back=(0.0, -1.0, 0.0)), screws=(screw,)), STRETCH)
    heights = [p[2] for p in plan.axis.control_points]
    assert heights[:2] == [55.0, 48.0]
    assert heights[3:] == [9.0, 2.0]
    assert plan.screws[0].entry == (0.0, 9.0, -3.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-40.0, 100.0), min_size=3, max_size=3))
def test_unmoved_undoes_moved(point):
    points = np.array([point])
    assert np.allclose(STRETCH.unmoved(STRETCH.moved(points)), points, atol=1e-3)


BLOCK = np.eye(4)
BLOCK[:3, :3] = Rotation.from_euler("xyz", [15.0, -6.0, 8.0], degrees=True).as_matrix()
BLOCK[:3, 3] = 60.0 * UP - BLOCK[:3, :3] @ (60.0 * UP) + [1.0, -2.0, 4.0]
BEND = Bend(60.0 * UP, -60.0 * UP, BLOCK)


@settings(max_examples=100, deadline=None)
@given(st.tuples(st.floats(-25.0, 25.0), st.floats(-40.0, 25.0), st.floats(-40.0, 100.0)))
def test_unbent_undoes_bent(point):
    points = np.array([point])
    assert np.allclose(BEND.unmoved(BEND.moved(points)), points, atol=2e-3)


def _turned(degrees: float, span_mm: float) -> Bend:
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    return Bend(np.zeros(3), np.array([0.0, 0.0, -span_mm]), motion)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-60.0, 60.0),
    st.floats(30.0, 250.0),
    st.floats(0.0, 0.85),
    st.floats(0.0, 2.0 * np.pi),
    st.floats(-1.2, 0.4),
)
def test_all_that_is_not_folded_can_be_brought_back(degrees, span_mm, part, angle, along):
    bend = _turned(degrees, span_mm)
    away = part * min(bend.folds_mm, 100.0)
    point = np.array([[away * np.cos(angle), away * np.sin(angle), along * span_mm]])
    there = bend.moved(point)
    assert np.allclose(bend.moved(bend.unmoved(there)), there, atol=1e-3)


def test_a_turn_that_folds_tissue_about_the_strut_is_refused(case):
    folding = Bend(30.0 * UP, -30.0 * UP, _turned(40.0, 30.0).motion)
    with pytest.raises(
        PlanError, match=r"over 30 mm, tissue 29 mm from the line .* turn less, or bridge a longer span"
    ):
        posed(case, Plan("C4", "T2"), folding)


def test_tissue_beside_the_upper_block_goes_with_it_and_beside_the_lower_stays(case):
    """Seen from the moved block all about it is as far as before: no distance to tissue there may change."""
    plan = Plan("C4", "T2")
    after = posed(case, plan, BEND)
    beside = np.array([[x, y, z] for x in (-9.0, 4.0) for y in (-7.0, 9.0) for z in (60.0, 64.0, 72.0)])
    there = beside @ BLOCK[:3, :3].T + BLOCK[:3, 3]
    above = replace(case.structure("aorta"), name="artery", mask=_ball("artery", "keepout_critical", 66.0).mask)
    follows = posed(case.with_structures([*case.structures, above]), plan, BEND).structure("artery")
    assert np.allclose(follows.distance(there), above.distance(beside), atol=1e-6)
    assert np.allclose(after.structure("C4").distance(there), case.structure("C4").distance(beside), atol=1e-6)
    low = beside * [1.0, 1.0, -1.0] + 60.0 * UP
    for name in ("rod", "T2"):
        assert np.allclose(after.structure(name).distance(low), case.structure(name).distance(low), atol=1e-6)
    halfway = after.structure("aorta").points.mean(axis=0) - case.structure("aorta").points.mean(axis=0)
    assert 0.2 < np.linalg.norm(halfway) / np.linalg.norm(BLOCK[:3, :3] @ (30 * UP) + BLOCK[:3, 3] - 30 * UP) < 0.8


def test_a_posed_structures_box_holds_it(case):
    for structure in posed(case, Plan("C4", "T2"), BEND).structures:
        low, high = structure.box
        assert (structure.points > low - 0.5).all() and (structure.points < high + 0.5).all()


def test_a_corrected_endplate_moves_with_its_vertebra_in_the_pose(phantom: Case):
    """Distraction lifts the corrected plate by as much as it lifts the bone; lordosis turns it about its own centre."""
    measured = find_endplate(phantom, "C4", "inferior")
    centre = measured.centre + 1.5 * measured.normal
    override = EndplateOverride("C4", "inferior", tuple(centre), tuple(measured.normal))
    plan = Plan("C4", "T2", corrections=Corrections(endplates=(override,)))
    lifted = situation(phantom, plan.with_(pose=Pose(distraction_mm=3.0))).upper
    np.testing.assert_allclose(lifted.centre, centre - 3.0 * measured.normal, atol=1e-9)
    np.testing.assert_allclose(lifted.normal, measured.normal, atol=1e-9)
    turned = situation(phantom, plan.with_(pose=Pose(lordosis_deg=10.0))).upper
    np.testing.assert_allclose(turned.centre, centre, atol=1e-9)
    assert np.degrees(np.arccos(turned.normal @ measured.normal)) == pytest.approx(10.0, abs=1e-6)
    still = situation(phantom, plan).upper
    np.testing.assert_allclose(still.centre, centre, atol=1e-12)
