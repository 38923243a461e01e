"""Ways in: found where there is one by construction, refused where there is none, and what is said of them is true."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from insertion_toy import SPACING, filled, ring, toy
from scipy.ndimage import binary_dilation
from scipy.spatial import cKDTree
from SpinalStrutDesignerLib.build.design import Implant
from SpinalStrutDesignerLib.build.relief import relieved, undercuts
from SpinalStrutDesignerLib.case.model import Structure
from SpinalStrutDesignerLib.errors import PlanError
from SpinalStrutDesignerLib.plan.insertion import Insertion, Way, Waypoint
from SpinalStrutDesignerLib.plan.way import matrix_about, motion, pose_of, waypoint_of
from SpinalStrutDesignerLib.propose.bones import REACH_MM, bones_about
from SpinalStrutDesignerLib.propose.insertion import body_of, find_way
from SpinalStrutDesignerLib.propose.pull import Pull
from SpinalStrutDesignerLib.propose.walls import Walls, walls_around
from SpinalStrutDesignerLib.verify.bone import LIMIT_MM
from SpinalStrutDesignerLib.verify.insertion import insertion
from SpinalStrutDesignerLib.verify.measured import Measured

_number = st.floats(-60.0, 60.0)
_vec = st.tuples(_number, _number, _number)


def with_way(implant: Implant, way: Way) -> Implant:
    """The implant with a way in its plan."""
    plan = implant.situation.plan
    held = plan.with_(insertion=plan.insertion.with_(ways=(way,)))
    return replace(implant, situation=replace(implant.situation, plan=held))


def findings(implant: Implant, way: Way) -> dict:
    return {one.id: one for one in insertion(Measured(with_way(implant, way)))}


def scattered(implant: Implant, count: int = 6000) -> np.ndarray:
    """(count, 3) points scattered evenly on the implant's surface."""
    chance = np.random.default_rng(7)
    corners = implant.part.mesh.triangles
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    shares = chance.dirichlet((1.0, 1.0, 1.0), count)
    return np.einsum("nc,ncx->nx", shares, corners[chance.choice(len(corners), count, p=area / area.sum())])


def dense_overlap(implant: Implant, way: Way, level: str) -> float:
    """How deep points of the implant come into a bone's voxels anywhere on the way: by the nearest free voxel, with no
    distance field."""
    mask = implant.situation.case.structure(level).mask
    edge = binary_dilation(mask.voxels) & ~mask.voxels
    matrix = mask.ijk_to_ras
    free = cKDTree(np.argwhere(edge)[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3])
    points, middle, worst = scattered(implant), implant.situation.middle, 0.0
    for pose in motion(way.points, middle, 40.0, 0.1):
        moved = points @ pose[:3, :3].T + pose[:3, 3]
        index = np.rint((moved - matrix[:3, 3]) / np.diag(matrix)[:3]).astype(int)[:, ::-1]
        held = np.all((index >= 0) & (index < mask.voxels.shape), axis=1)
        inside = np.flatnonzero(held)[mask.voxels[tuple(index[held].T)]]
        if len(inside):
            worst = max(worst, float(free.query(moved[inside])[0].max()) - 0.5 * matrix[0, 0])
    return worst


def test_a_free_bar_comes_out_and_nothing_is_touched() -> None:
    implant = toy()
    way = find_way(implant).way
    assert way is not None and way.points[-1] == Waypoint()
    found = findings(implant, way)
    assert found["insertion.bone"].verdict == "pass" and found["insertion.outside"].verdict == "pass"
    assert set(found) == {"insertion.bone", "insertion.outside"}
    assert dense_overlap(implant, way, "C4") == dense_overlap(implant, way, "T2") == 0.0


@pytest.fixture
def few_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world so small it is soon seen that nothing leads out."""
    monkeypatch.setattr("SpinalStrutDesignerLib.propose.insertion._MOST_STEPS", 250)


@pytest.mark.usefixtures("few_pulls")
def test_a_ring_of_bone_is_reported_with_what_holds() -> None:
    search = find_way(toy(ring("other_bone", "bone")))
    assert search.way is None and "other_bone" in search.held_by


@pytest.mark.usefixtures("few_pulls")
def test_a_ring_that_must_not_be_moved_holds_as_well() -> None:
    search = find_way(toy(ring("vertebral_arteries", "keepout_critical")))
    assert search.way is None and "vertebral_arteries" in search.held_by


def test_a_gap_beside_a_wall_is_found() -> None:
    """The front is closed by bone; to the right it is open."""
    wall = filled("other_bone", "bone", (-40.0, 14.0, -45.0), (12.0, 18.0, 45.0))
    implant = toy(wall)
    way = find_way(implant).way
    assert way is not None
    assert findings(implant, way)["insertion.bone"].verdict == "pass"
    # The smooth surface cuts the corner of the wall's voxels.
    assert dense_overlap(implant, way, "other_bone") < 0.5 * SPACING


def test_what_may_be_held_aside_is_and_by_how_much_is_told() -> None:
    """A tube of 8 mm in front of the bar, which passes its middle: held aside by half of both widths."""
    tube = filled("oesophagus", "keepout_critical", (-4.0, 12.0, -45.0), (4.0, 20.0, 45.0))
    implant = toy(tube)
    straight = Way(0.0, (Waypoint((0.0, 90.0, 0.0)), Waypoint()))
    found = findings(implant, straight)["insertion.oesophagus"]
    assert found.value == pytest.approx(8.0 + 0.8, abs=1.7)  # a cell of 1 mm and half a voxel on each side
    assert found.verdict == "pass" and "30 mm" in found.limit
    way = find_way(implant).way
    assert way is not None
    moved = findings(implant, way).get("insertion.oesophagus")
    assert moved is None or moved.verdict == "pass"


def test_what_is_held_aside_too_far_fails() -> None:
    wide = filled("oesophagus", "keepout_critical", (-39.0, 12.0, -45.0), (39.0, 20.0, 45.0))
    straight = Way(0.0, (Waypoint((0.0, 90.0, 0.0)), Waypoint()))
    found = findings(toy(wide), straight)["insertion.oesophagus"]
    assert found.verdict == "fail" and found.value > 40.0


def closed_but_in_front() -> list[Structure]:
    """Bone at both sides of the bar and behind it."""
    return [
        filled("rib_left", "bone", (-22.0, -22.0, -34.0), (-6.0, 9.0, 34.0)),
        filled("rib_right", "bone", (6.0, -22.0, -34.0), (22.0, 9.0, 34.0)),
        filled("rib_behind", "bone", (-6.0, -22.0, -34.0), (6.0, -6.0, 34.0)),
    ]


@pytest.mark.usefixtures("few_pulls")
def test_a_lip_of_bone_holds_unless_it_may_be_taken_off() -> None:
    """In front both edges hang 1.6 mm before the bar, which is 2.4 mm too tall."""
    sides = closed_but_in_front()
    held = find_way(toy(*sides, lip_mm=1.6, insertion=Insertion(give_mm=0.0, relief_mm=0.0)))
    assert held.way is None and {"C4", "T2"} & set(held.held_by)
    implant = toy(*sides, lip_mm=1.6, insertion=Insertion(give_mm=2.4, relief_mm=0.0))
    way = find_way(implant).way
    assert way is not None
    found = findings(implant, way)["insertion.bone"]
    assert found.verdict == "warn" and 0.8 < found.value <= 2.5
    deepest = max(dense_overlap(implant, way, level) for level in ("C4", "T2"))
    assert found.value == pytest.approx(deepest, abs=0.8)  # a voxel


def test_a_lip_holds_no_longer_where_the_implant_may_be_cut_back() -> None:
    """The same lips, of which hardly anything may be taken off: what is left of the implant passes them."""
    implant = toy(*closed_but_in_front(), lip_mm=1.6, insertion=Insertion(give_mm=0.1, relief_mm=2.0))
    way = find_way(implant).way
    assert way is not None
    uncut = max(dense_overlap(implant, way, level) for level in ("C4", "T2"))
    planned = with_way(implant, way)
    made = relieved(planned, undercuts(planned.part.mesh, planned.situation))
    assert made.relief is not None and made.relief.volume_mm3 > 10.0
    found = {one.id: one for one in insertion(Measured(made))}
    assert found["insertion.bone"].verdict != "fail" and found["insertion.bone"].value <= 0.1 + 0.02
    told = found["insertion.relief"]
    assert told.verdict == "warn" and "lowered" in told.detail and told.value == pytest.approx(uncut, abs=0.5 * SPACING)
    left = max(dense_overlap(made, way, level) for level in ("C4", "T2"))
    assert left < 0.1 + LIMIT_MM + 0.5 * SPACING < uncut  # by voxels told to half of one


def test_a_way_through_bone_is_told_as_deep_as_it_is() -> None:
    """Drawn out upwards through C4: the bar's whole end passes it."""
    through = Way(0.0, (Waypoint((0.0, 0.0, 60.0)), Waypoint()))
    found = findings(toy(), through)["insertion.bone"]
    assert found.verdict == "fail"
    assert found.value == pytest.approx(dense_overlap(toy(), through, "C4"), abs=0.8)


def test_a_way_that_begins_in_the_patient_warns() -> None:
    wall = filled("other_bone", "bone", (-40.0, 20.0, -45.0), (40.0, 40.0, 45.0))
    inside = Way(0.0, (Waypoint((0.0, 30.0, 0.0)), Waypoint()))
    found = findings(toy(wall), inside)
    assert found["insertion.outside"].verdict == "warn" and found["insertion.bone"].verdict == "fail"


def test_without_a_way_nothing_is_claimed() -> None:
    (found,) = insertion(Measured(toy()))
    assert found.verdict == "not_evaluated" and not found.blocks


@given(_vec, _vec, _vec)
@settings(max_examples=60, deadline=None)
def test_a_waypoint_is_its_pose(shift: tuple, turn: tuple, middle: tuple) -> None:
    pose = matrix_about(np.array(middle), np.deg2rad(np.array(turn)), np.array(shift))
    again = pose_of(waypoint_of(pose, np.array(middle)), np.array(middle))
    corners = np.array(middle) + 50.0 * np.vstack([np.eye(3), -np.eye(3)])
    assert np.abs((corners @ pose[:3, :3].T + pose[:3, 3]) - (corners @ again[:3, :3].T + again[:3, 3])).max() < 1e-3


@given(st.lists(st.tuples(_vec, _vec), min_size=1, max_size=4), st.floats(0.2, 5.0))
@settings(max_examples=40, deadline=None)
def test_no_point_moves_farther_than_a_step(points: list, step: float) -> None:
    way = (*(Waypoint(shift, turn) for shift, turn in points), Waypoint())
    middle, reach = np.array([5.0, -3.0, 20.0]), 30.0
    corners = middle + reach * np.vstack([np.eye(3), -np.eye(3)])
    poses = motion(way, middle, reach, step)
    places = [corners @ pose[:3, :3].T + pose[:3, 3] for pose in poses]
    assert max(np.linalg.norm(a - b, axis=1).max() for a, b in pairwise(places)) <= step + 1e-6
    assert np.allclose(poses[-1], np.eye(4), atol=1e-9)


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({"points": (Waypoint(),)}, "1 given; a way has at least 2"),
        ({"points": (Waypoint(), Waypoint((0.0, 1.0, 0.0)))}, "the last one is not the implant's place"),
        ({"amount_mm": -1.0, "points": (Waypoint(), Waypoint())}, "amount_mm: -1 mm is outside"),
    ],
)
def test_a_wrong_way_is_refused_in_words(way: dict, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        Way(**way)


def test_two_ways_for_one_implant_are_refused() -> None:
    way = Way(0.0, (Waypoint((0.0, 9.0, 0.0)), Waypoint()))
    with pytest.raises(PlanError, match="given more than once"):
        Insertion(ways=(way, way))


STRAIGHT = Way(0.0, (Waypoint((0.0, 90.0, 0.0)), Waypoint()))


def test_without_bone_the_way_is_not_called_free() -> None:
    implant = toy()
    case = implant.situation.case.with_structures(())
    bare = replace(implant, situation=replace(implant.situation, case=case))
    found = findings(bare, STRAIGHT)["insertion.bone"]
    assert found.verdict == "not_evaluated" and found.blocks and found.value is None


def test_what_lies_near_at_the_place_allows_nothing_beside_another() -> None:
    """Metal 0.2 mm behind the bar; the cord's stand-in is passed by nearly nothing in front."""
    metal = filled("metal", "metal", (-4.0, -9.0, -10.0), (4.0, -4.2, 10.0))
    artery = filled("vertebral_arteries", "keepout_critical", (4.2, 20.0, -10.0), (12.0, 28.0, 10.0))
    found = findings(toy(metal, artery), STRAIGHT)["insertion.clear"]
    assert found.verdict == "fail" and "vertebral arteries" in found.detail and found.limit == "≥ 0.80 mm"


def test_a_lung_in_the_way_is_for_a_person_to_decide() -> None:
    lung = filled("lungs", "keepout_soft", (-20.0, 20.0, -20.0), (20.0, 40.0, 20.0))
    assert findings(toy(lung), STRAIGHT)["insertion.lungs"].verdict == "warn"


def test_a_scan_that_ends_in_tissue_does_not_show_the_outside() -> None:
    flesh = filled("muscle", "disc", (-40.0, 30.0, -45.0), (40.0, 50.5, 45.0))
    found = findings(toy(flesh), STRAIGHT)["insertion.outside"]
    assert found.verdict == "warn" and found.value == 100.0 and "100 % of it lies beyond" in found.detail


def test_bones_are_as_far_off_as_each_by_itself_says() -> None:
    """On the block about the implant and beside it."""
    implant = toy(filled("rib", "bone", (20.0, -22.0, -34.0), (26.0, 9.0, 34.0)))
    case = implant.situation.case
    points = np.random.default_rng(3).uniform((-30.0, -25.0, -40.0), (35.0, 45.0, 40.0), (20000, 3))
    truth = np.minimum(case.distance(case.having("bone"), points), REACH_MM)
    found = bones_about(case, implant.part.mesh.vertices).distance(points)
    # Voxels' corners are cut a little otherwise where two bones are equally near.
    assert np.abs(found - truth).max() < 0.25 * SPACING
    assert np.abs(found - truth).mean() < 0.01


def walls_of(implant: Implant) -> Walls:
    return walls_around(implant.situation, implant.part.mesh.vertices, np.array([[0.0, 1.0, 0.0]]))


def test_what_is_held_aside_blocks_no_more_than_itself() -> None:
    """A tube in front of the bar: gone from there, and on both sides of where it is held the way is free."""
    implant = toy(filled("oesophagus", "keepout_critical", (-4.0, 12.0, -45.0), (4.0, 20.0, 45.0)))
    slack = walls_of(implant).at(np.column_stack([np.linspace(-39.0, 39.0, 79), np.full(79, 16.0), np.zeros(79)]))
    places = np.linspace(-39.0, 39.0, 79)
    blocked = places[slack < 0.0]
    assert np.all(slack[np.abs(places) < 4.0] > 0.0)
    assert 8.0 <= np.ptp(blocked) + 1.0 <= 8.0 + 2 * 1.5 + 1.0  # as wide as the tube, to a node on each side
    assert 22.0 < abs(blocked.mean()) <= 30.0  # held aside by no more than the plan lets it
    assert slack[0] > 0.0 and slack[-1] > 0.0


def test_what_nobody_may_hold_aside_stays() -> None:
    implant = toy(filled("vertebral_arteries", "keepout_critical", (-4.0, 12.0, -45.0), (4.0, 20.0, 45.0)))
    assert walls_of(implant).at(np.array([[0.0, 16.0, 0.0]]))[0] < 0.0


def test_great_vessels_are_moved_only_where_nothing_else_leads_out() -> None:
    """A vessel crosses in front of a bar that comes out to a side as well."""
    vessel = filled("great_vessels", "keepout_critical", (-40.0, 14.0, -4.0), (40.0, 18.0, 4.0))
    free = find_way(toy(vessel, insertion=Insertion(give_mm=0.0)))
    assert free.way is not None and free.allowance < 2
    assert "insertion.great_vessels" not in findings(toy(vessel), free.way)


def test_a_lengthwise_pull_turns_with_the_body() -> None:
    quarter = matrix_about(np.zeros(3), np.array([0.5 * np.pi, 0.0, 0.0]), np.zeros(3))
    pull = Pull(np.zeros((2, 3)), np.tile([0.0, 0.0, -1.0], (2, 1)))
    assert np.allclose(pull.at(quarter), [[0.0, 1.0, 0.0]] * 2)


def test_points_near_walls_are_all_looked_at() -> None:
    """Each point with little slack is among those that are near, and the bound holds."""
    implant = toy(filled("rib", "bone", (12.0, -22.0, -34.0), (18.0, 9.0, 34.0)))
    body, walls = body_of(implant), walls_of(implant)
    for shift in np.random.default_rng(5).uniform(-6.0, 6.0, (10, 3)):
        pose = matrix_about(body.middle, 0.05 * shift, shift)
        near, bound = body.near(walls, pose, 1.0)
        slack = walls.coarse(body.placed(pose))
        assert bound <= slack.min() + 1e-6
        close = body.placed(pose)[slack < 1.0]
        assert set(map(tuple, close.round(6))) <= set(map(tuple, near.round(6)))
