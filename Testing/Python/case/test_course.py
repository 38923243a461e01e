"""The spine's direction and the vertebrae's places told by the canal, against the truth of the test cases."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.bone import find_bone
from SpinalStrutDesignerLib.case.course import Course
from SpinalStrutDesignerLib.case.model import Mask, Volume
from SpinalStrutDesignerLib.case.pedicles import to_pedicles
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course


@pytest.fixture(scope="module")
def spine(synthetic):
    """The case whose bodies C5 to T1 are destroyed: bone, the canal's course from one seed in T2, and the truth."""
    case, truth = synthetic("case2_c4_t2")
    bone = Mask(find_bone(case.ct).bone, case.ct.ijk_to_ras)
    known = truth["vertebrae"]
    course = Course(find_canal_course(bone, {"T2": np.array(known["T2"]["body_centre"]) * [-1, -1, 1]}))
    return Volume(bone.voxels.astype(np.float32), bone.ijk_to_ras), course, known


def _centre(entry) -> np.ndarray:
    return np.array(entry["body_centre"]) * [-1, -1, 1]


def test_one_seed_leads_along_the_canal(spine) -> None:
    _, course, known = spine
    for level in ("C6", "C7", "T1", "T2", "T3", "T4"):
        true = np.array(known[level]["canal"]["centre"]) * [-1, -1, 1]
        # The truth is the middle of a ring, the course that of a tube over several rings.
        assert np.linalg.norm(course.points - true, axis=1).min() < 3.0, level


def test_bodies_follow_each_other_along_the_canal(spine) -> None:
    _, course, known = spine
    for lower, upper in pairwise(("T4", "T3", "T2", "T1", "C7", "C6")):
        start, end = _centre(known[lower]), _centre(known[upper])
        step = float(np.linalg.norm(end - start))
        moved = course.moved(start, step)
        assert np.linalg.norm(moved - start) == pytest.approx(step, abs=0.5)
        # A disc's thickness: nearer than that no other body is meant.
        assert np.linalg.norm(moved - end) < 5.0, upper


def test_pedicles_tell_where_a_destroyed_body_was(spine) -> None:
    solid, course, known = spine
    for level, height in (("T1", 16.0), ("C6", 13.0)):
        true = _centre(known[level])
        for off in (-3.0, 3.0):
            guess = course.moved(true, off)
            found = course.moved(guess, to_pedicles(solid, course, guess, height))
            assert np.linalg.norm(found - true) < 2.5, (level, off)


@given(radius=st.floats(60.0, 400.0), ahead=st.floats(10.0, 30.0), by=st.floats(-25.0, 25.0), at=st.floats(-0.3, 0.3))
def test_along_an_arc_a_point_keeps_its_place_beside_it(radius, ahead, by, at) -> None:
    turn = np.arange(-90.0, 90.1, 1.5) / radius
    course = Course(np.stack([0.0 * turn, radius * np.cos(turn), radius * np.sin(turn)], axis=1))
    reach = 45.0 / radius
    start = at * reach

    def beside(angle: float) -> np.ndarray:
        return (radius + ahead) * np.array([0.0, np.cos(angle), np.sin(angle)])

    # A chord of this length on the outer circle spans this angle.
    span = 2.0 * np.arcsin(by / 2.0 / (radius + ahead))
    assert np.linalg.norm(course.moved(beside(start), by) - beside(start + span)) < 1.6
    assert np.degrees(np.arccos(np.clip(course.up(beside(start)) @ [0.0, -np.sin(start), np.cos(start)], -1, 1))) < 1.0
