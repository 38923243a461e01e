"""Seats of guides: what is free is found free, what is held is held as the closed form says, and no pose that anybody
finds by trying moves a drill farther than is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from LatticeGeneratorLib.mesh.boolean import union
from LatticeGeneratorLib.mesh.solids import box
from scipy.optimize import linprog
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.errors import GeometryError
from SpinalStrutDesignerLib.verify.seating import MOST_SLIP_MM, Bore, Seating, Slop, seating
from SpinalStrutDesignerLib.verify.seating_contact import Contact, contact_of
from SpinalStrutDesignerLib.verify.seating_steps import best_steps
from SpinalStrutDesignerLib.verify.seating_words import words_of

Bone = Callable[[np.ndarray], np.ndarray]
DOWN = np.array([0.0, 0.0, -1.0])
SLOP = Slop(fit_gap_mm=0.2, tool_clearance_mm=0.35, print_tolerance_mm=0.1, sleeve_length_mm=15.0)
GAP = 0.2


def _square(half: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(*2 * [np.linspace(-half, half, count)])
    return x.ravel(), y.ravel()


def _contact(points: np.ndarray, normals: np.ndarray) -> Contact:
    return Contact(points, normals, np.full(len(points), 0.2), np.zeros(len(points), int))


def _plane() -> tuple[Contact, Bone]:
    x, y = _square(6.0, 20)
    return _contact(np.c_[x, y, 0 * x + GAP], np.tile([0.0, 0, 1], (len(x), 1))), lambda q: q[:, 2]


def _sphere(half: float, radius: float = 15.0) -> tuple[Contact, Bone]:
    x, y = _square(half, 20)
    normals = np.c_[x, y, np.full_like(x, radius)]
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return _contact((radius + GAP) * normals, normals), lambda q: np.linalg.norm(q, axis=1) - radius


def _cylinder(radius: float = 10.0) -> tuple[Contact, Bone]:
    x, y = _square(6.0, 20)
    normals = np.c_[np.sin(x / radius), 0 * x, np.cos(x / radius)]
    return _contact((radius + GAP) * normals + np.c_[0 * x, y, 0 * x], normals), (
        lambda q: np.hypot(q[:, 0], q[:, 2]) - radius
    )


def _domes() -> tuple[Contact, Bone]:
    """Three balls of bone 14 mm apart, and a cap on each: nothing of it is free."""
    centres = 8.0 * np.array([[np.cos(a), np.sin(a), 0.0] for a in np.radians([90, 210, 330])])
    x, y = _square(3.0, 6)
    cap = np.c_[x, y, np.sqrt(25.0 - x**2 - y**2)] / 5.0
    points = np.concatenate([c + (4.0 + GAP) * cap for c in centres])
    bone = lambda q: np.linalg.norm(q[:, None] - centres, axis=2).min(axis=1) - 4.0  # noqa: E731
    return _contact(points, np.tile(cap, (3, 1))), bone


def _crossed(arm: float) -> tuple[Contact, Bone]:
    """Three planes across each other, each touched in the corners of a square of 2 arm: (0, ±a, ±a) and so on."""
    anchors, axes = [], []
    for axis in range(3):
        for one in (-arm, arm):
            for other in (-arm, arm):
                anchors.append(np.insert([one, other], axis, 0.0))
                axes.append(axis)
    at, axis_of = np.array(anchors), np.array(axes)

    def bone(q: np.ndarray) -> np.ndarray:
        nearest = np.linalg.norm(q[:, None] - at, axis=2).argmin(axis=1)
        return q[np.arange(len(q)), axis_of[nearest]]

    return _contact(at, np.eye(3)[axis_of]), bone


def _bore(contact: Contact, deep: float = 15.0) -> Bore:
    entry = contact.points.mean(axis=0)
    return Bore("left", tuple(entry + deep * DOWN), tuple(DOWN), tuple(entry))


def _seat(contact: Contact, bone: Bone, slop: Slop = SLOP) -> Seating:
    return seating(contact, bone, slop, [_bore(contact)], DOWN)


@pytest.mark.parametrize("half", [2.0, 6.0, 10.0])
def test_a_sphere_is_never_a_seat_however_much_of_it_is_covered(half):
    seat = _seat(*_sphere(half))
    assert not seat.unique and not seat.bounded
    assert seat.tilt_deg == pytest.approx(15.0, rel=0.03)  # as far as poses are looked for


def test_a_plane_slides_and_spins():
    seat = _seat(*_plane())
    assert not seat.unique and not seat.bounded
    assert seat.slip_mm > 4.9 and seat.tilt_deg > 14.7
    assert abs(seat.loosest[2]) < 0.35  # nothing lifts it farther than the slack


def test_a_cylinder_slides_along_and_turns_about_its_axis():
    contact, bone = _cylinder()
    seat = _seat(contact, bone)
    assert not seat.unique and not seat.bounded
    assert seat.slip_mm > 4.9 and seat.tilt_deg > 14.7
    narrow = Slop(0.01, 0.35, 0.0, 15.0)  # so little slack leaves just these two, and no others
    loosest = _seat(contact, bone, narrow).loosest
    assert np.abs(loosest[[3, 5]]).max() < 0.3
    # A turn about the axis takes the middle round it: to the side, and down.
    middle = contact.points.mean(axis=0)
    turned = Rotation.from_rotvec(np.radians([0, loosest[4], 0])).apply(middle) - middle
    assert loosest[[0, 2]] == pytest.approx(turned[[0, 2]], abs=0.05)


def test_crossed_planes_hold_as_the_closed_form_says():
    # |v_x| + a |w_y| + a |w_z| ≤ g and so on: v = (g, g, g), or w = g/a about one axis.
    arm, slop = 10.0, Slop(0.03, 0.35, 0.02, 15.0)
    gap = slop.fit_gap_mm + slop.print_tolerance_mm
    contact, bone = _crossed(arm)
    seat = seating(contact, bone, slop, [Bore("one", (0.0, 0.0, -30.0), (0, 0, -1.0), (0.0, 0.0, -12.0), 2.0)], DOWN)
    assert seat.unique and seat.bounded
    assert seat.slip_mm == pytest.approx(gap * np.sqrt(3.0), rel=0.01)
    assert seat.tilt_deg == pytest.approx(np.degrees(gap / arm), rel=0.01)
    (error,) = seat.errors
    # w_x = g/a swings the tip by 30 g/a and leaves v_x = g free.
    assert error.seat_mm == pytest.approx(gap * np.hypot(30.0 / arm, 1.0), rel=0.01)
    assert error.seat_deg == pytest.approx(np.degrees(gap / arm), rel=0.01)
    # The drill's axis passes 0.175 mm off on one side at the top and on the other at the bottom; the tip is 20 mm on.
    assert error.tool_deg == pytest.approx(np.degrees(np.arctan(0.35 / 15.0)))
    assert error.tool_mm == pytest.approx(0.35 / 15.0 * 27.5)
    assert error.print_mm == pytest.approx(0.04 / 15.0 * 27.5)
    assert error.tip_mm == pytest.approx(np.sqrt(error.seat_mm**2 + error.tool_mm**2 + error.print_mm**2))
    assert error.worst_tip_mm == pytest.approx(error.seat_mm + error.tool_mm + error.print_mm)


@pytest.mark.parametrize("above, unique", [(0.97, True), (1.03, False)])
def test_the_limit_of_slip_is_where_it_says(above, unique):
    contact, bone = _crossed(20.0)
    gap = above * MOST_SLIP_MM / np.sqrt(3.0)
    seat = _seat(contact, bone, Slop(gap, 0.35, 0.0, 15.0))
    assert seat.bounded and seat.unique is unique


def _tried(contact: Contact, bone: Bone, slack: float, tip: np.ndarray, rounds: int = 300) -> float:
    """The farthest that many walkers, each going its own random way for as long as the guide looks seated and the tip
    goes farther, take a tip: nothing of it knows slopes."""
    random, walkers = np.random.default_rng(3), 120
    middle = contact.points.mean(axis=0)
    rest, at = bone(contact.points), contact.points - middle
    state, far, size = np.zeros((walkers, 6)), np.zeros(walkers), np.full(walkers, 0.5)
    for _ in range(rounds):
        trial = state + size[:, None] * random.normal(size=(walkers, 6)) * np.repeat([0.3, 0.03], 3)
        turns = Rotation.from_rotvec(trial[:, 3:]).as_matrix()
        moved = at @ turns.transpose(0, 2, 1) + trial[:, None, :3] + middle
        off = np.abs(bone(moved.reshape(-1, 3)).reshape(walkers, -1) - rest).max(axis=1)
        went = np.linalg.norm(turns @ (tip - middle) + trial[:, :3] + middle - tip, axis=1)
        better = (off <= slack) & (went > far)
        state[better], far[better] = trial[better], went[better]
        size = np.clip(np.where(better, 1.5, 0.93) * size, 0.01, 2.0)
    return float(far.max())


def test_nobody_finds_a_seated_pose_with_more_error_and_the_told_one_is_reached():
    contact, bone = _domes()
    seat = _seat(contact, bone)
    assert seat.bounded
    tried = _tried(contact, bone, 0.3, np.array(_bore(contact).tip))
    assert tried <= 1.01 * seat.errors[0].seat_mm
    assert tried >= 0.9 * seat.errors[0].seat_mm
    turn, middle = Rotation.from_rotvec(np.radians(seat.loosest[3:])), contact.points.mean(axis=0)
    moved = turn.apply(contact.points - middle) + middle + seat.loosest[:3]
    assert np.abs(bone(moved) - bone(contact.points)).max() <= 0.3 + 1e-6


@settings(max_examples=3, deadline=None, derandomize=True)
@given(st.floats(0.02, 0.3), st.floats(0.0, 0.2), st.floats(1.1, 2.0))
def test_more_slop_never_gives_less_error(gap, printed, more):
    contact, bone = _domes()
    small = Slop(gap, 0.3, printed, 15.0)
    one = _seat(contact, bone, small)
    for slop in (replace(small, fit_gap_mm=more * gap), replace(small, tool_clearance_mm=0.3 * more)):
        other = _seat(contact, bone, slop)
        assert other.slip_mm >= one.slip_mm - 1e-9 and other.tilt_deg >= one.tilt_deg - 1e-9
        assert other.errors[0].tip_mm >= one.errors[0].tip_mm and other.errors[0].angle_deg >= one.errors[0].angle_deg


@settings(max_examples=3, deadline=None, derandomize=True)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.lists(st.floats(-200, 200), min_size=3, max_size=3))
def test_moving_and_turning_everything_changes_nothing(about, along):
    contact, bone = _domes()
    turn, shift = Rotation.from_rotvec(about), np.array(along)
    moved = replace(contact, points=turn.apply(contact.points) + shift, normals=turn.apply(contact.normals))
    bore = _bore(contact)
    tip, entry = (tuple(turn.apply(p) + shift) for p in (bore.tip, bore.entry))
    there = replace(bore, tip=tip, entry=entry, direction=tuple(turn.apply(bore.direction)))
    one = seating(contact, bone, SLOP, [bore], DOWN)
    other = seating(moved, lambda q: bone(turn.inv().apply(q - shift)), SLOP, [there], turn.apply(DOWN))
    assert other.slip_mm == pytest.approx(one.slip_mm, rel=0.02)
    assert other.tilt_deg == pytest.approx(one.tilt_deg, rel=0.02)
    assert other.errors[0].seat_mm == pytest.approx(one.errors[0].seat_mm, rel=0.02)
    assert other.unique == one.unique


def test_many_programmes_at_once_are_solved_as_scipy_solves_each():
    random = np.random.default_rng(1)
    rows, gain = random.normal(size=(20, 40, 6)), random.normal(size=(20, 6))
    off, reach = random.uniform(-0.4, 0.4, size=(20, 40)), random.uniform(0.1, 3.0, 20)
    steps = best_steps(gain, rows, -0.5 - off, 0.5 - off, reach)
    for k in range(20):
        both, limit = np.vstack([rows[k], -rows[k]]), np.r_[0.5 - off[k], 0.5 + off[k]]
        best = linprog(-gain[k], A_ub=both, b_ub=limit, bounds=[(-reach[k], reach[k])] * 6)
        assert gain[k] @ steps[k] == pytest.approx(-best.fun, rel=1e-5)
        assert (both @ steps[k] <= limit + 1e-6).all()


def _feet(gap: float = GAP):
    return union([box([-10, -5, 3.0], [10, 5, 6]), *(box([x, -2, gap], [x + 3, 2, 4]) for x in (-9, -1.5, 6))])


def test_the_contact_of_a_guide_on_three_feet():
    contact = contact_of(_feet(), lambda q: q[:, 2], GAP, 0.05, DOWN)
    assert contact.areas.sum() == pytest.approx(3 * 12.0)
    assert len(np.unique(contact.zones)) == 3
    for zone in range(3):
        assert contact.areas[contact.zones == zone].sum() == pytest.approx(12.0)
    assert contact.normals == pytest.approx(np.tile([0.0, 0, 1], (len(contact.points), 1)))
    assert contact.points[:, 2] == pytest.approx(GAP)


def test_what_faces_away_from_bone_is_no_contact():
    thin = box([0, 0, GAP], [4, 4, GAP + 0.04])  # its upper side is within the limit of the offset as well
    assert contact_of(thin, lambda q: q[:, 2], GAP, 0.05, DOWN).areas.sum() == pytest.approx(16.0)
    with pytest.raises(GeometryError, match="no contact"):
        contact_of(thin, lambda q: q[:, 2], GAP, 0.05, -DOWN)


def test_a_guide_off_bone_is_refused():
    with pytest.raises(GeometryError, match=r"no contact with bone.*offset"):
        contact_of(_feet(2.0), lambda q: q[:, 2], GAP, 0.05, DOWN)


@pytest.mark.parametrize("field, value, words", [
    ("fit_gap_mm", -0.1, "fit_gap_mm is -0.1"), ("sleeve_length_mm", 0.0, "sleeve_length_mm"),
    ("print_tolerance_mm", float("nan"), "print_tolerance_mm"),
])  # fmt: skip
def test_slop_that_is_none_is_refused(field, value, words):
    with pytest.raises(GeometryError, match=words):
        replace(SLOP, **{field: value})


@pytest.mark.parametrize("motion, words", [
    ((2.0, 0, 0, 0, 0, 0), "slides 2.0 mm to the right"), ((0, 0, -1.0, 0, 0, 0), "along the insertion direction"),
    ((0, 0, 0, 0, 0, 9.0), "turns 9.0° about an axis along the insertion direction through the contact's middle"),
    ((0, 0, 0, 0, 9.0, 0), "turns 9.0° about an axis from back to front"),
])  # fmt: skip
def test_motions_in_words(motion, words):
    assert words in words_of(np.array(motion), 8.0, DOWN)


def test_a_large_contact_is_quick():
    x, y = _square(8.0, 100)
    z = 0.5 * np.sin(x / 3.0) * np.cos(y / 4.0)
    contact = _contact(np.c_[x, y, z + GAP], np.tile([0.0, 0, 1], (len(x), 1)))
    bores = [_bore(contact), replace(_bore(contact), name="right")]
    start = time.process_time()
    seating(contact, lambda q: q[:, 2] - 0.5 * np.sin(q[:, 0] / 3.0) * np.cos(q[:, 1] / 4.0), SLOP, bores, DOWN)
    assert time.process_time() - start < 20.0  # about two seconds; a machine that is busy must not fail it
