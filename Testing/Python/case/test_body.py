"""Vertebral bodies: centre, axes, front and back against exact truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.phantom import phantom_truth
from SpinalStrutDesignerLib.errors import CaseError

LPS = np.array([-1.0, -1.0, 1.0])
BODIES = [
    *(("intact_c1_t5", level) for level in ("C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3", "T4", "T5")),
    *(("case2_c4_t2", level) for level in ("C3", "C4", "T2", "T3", "T4", "T5")),
    *(("case1_c6_t11", level) for level in ("C4", "C5", "C6", "C7", "T1", "T2", "T10", "T11", "T12", "L1")),
]


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    """Between two unit vectors."""
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))


@pytest.mark.parametrize(("name", "level"), BODIES)
def test_bodies_agree_with_the_truth(synthetic, name: str, level: str) -> None:
    case, truth = synthetic(name)
    body, true = find_body(case, level), truth["vertebrae"][level]
    # The truth's centre lies midway between the neighbouring discs' centroids, and its axes join them: a plate may be
    # off its disc by a millimetre, which over a cervical body of 12 mm is several degrees.
    assert np.linalg.norm(body.centre - true["body_centre"] * LPS) < 2.0
    assert degrees(body.superior, true["axes"]["up"] * LPS) < 9.0
    assert degrees(body.right, -np.array(true["axes"]["left"]) * LPS) < 6.0
    assert degrees(body.anterior, -np.array(true["axes"]["posterior"]) * LPS) < 9.0
    back, true_back = body.posterior_wall, true["posterior_wall"] * LPS
    assert abs((back - true_back) @ body.anterior) < 2.0
    assert abs((back - true_back) @ body.right) < 1.5


@pytest.mark.parametrize(("name", "level"), BODIES)
def test_front_and_back_lie_on_the_bone(synthetic, name: str, level: str) -> None:
    case, _ = synthetic(name)
    body = find_body(case, level)
    axes = np.stack([body.right, body.anterior, body.superior])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    front, back = axes @ (body.anterior_face - body.centre), axes @ (body.posterior_wall - body.centre)
    assert np.abs([front[0], front[2], back[0], back[2]]).max() < 1e-6
    assert abs(case.structure(level).distance(np.stack([body.anterior_face, body.posterior_wall]))).max() < 0.6
    # The waist of a body is a little shallower than its plates.
    depths = [find_endplate(case, level, "superior").depth_mm, find_endplate(case, level, "inferior").depth_mm]
    assert 0.75 * max(depths) < front[1] - back[1] < 1.05 * max(depths)


def test_a_pose_moves_the_body(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [10, -5, 20], degrees=True).as_matrix()
    pose[:3, 3] = [3.0, -7.0, 11.0]
    before = find_body(case, "C6")
    posed = case.with_structures([replace(s, pose=pose) if s.level == "C6" else s for s in case.structures])
    after = find_body(posed, "C6")
    for point in ("centre", "anterior_face", "posterior_wall"):
        np.testing.assert_allclose(getattr(after, point), pose[:3, :3] @ getattr(before, point) + pose[:3, 3])
    for axis in ("right", "anterior", "superior"):
        np.testing.assert_allclose(getattr(after, axis), pose[:3, :3] @ getattr(before, axis))


def test_the_axis_has_a_body_without_a_superior_plate(synthetic) -> None:
    case, truth = synthetic("intact_c1_t5")
    body = find_body(case, "C2")
    inferior = truth["vertebrae"]["C2"]["endplates"]["inferior"]
    above = (body.centre - inferior["centre"] * LPS) @ (-np.array(inferior["normal"]) * LPS)
    assert 5.0 < above < 15.0
    assert degrees(body.superior, truth["vertebrae"]["C2"]["axes"]["up"] * LPS) < 9.0


def test_bodies_of_the_phantom_are_where_it_was_given_them(phantom: Case) -> None:
    truth = phantom_truth()
    for level in ("C3", "C4", "T2", "T3"):
        assert np.linalg.norm(find_body(phantom, level).centre - truth.bodies[level]) < 1.0


@pytest.mark.parametrize("level", ["C5", "C6", "C7", "T1"])
def test_destroyed_bodies_are_refused(synthetic, level: str) -> None:
    case, _ = synthetic("case2_c4_t2")
    with pytest.raises(CaseError, match=rf"^{level} .*; choose another docking level"):
        find_body(case, level)


def test_an_absent_level_is_refused(synthetic) -> None:
    case, _ = synthetic("case2_c4_t2")
    with pytest.raises(CaseError, match="no vertebra L2; labelled are: C1, C2"):
        find_body(case, "L2")
