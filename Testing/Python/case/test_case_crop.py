"""The part of a case in a box, and the case's own questions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Case
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.errors import CaseError


@pytest.fixture
def case(scan) -> Case:
    return read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", scan.labels), scan.table())


def within(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return points[((points >= low) & (points <= high)).all(axis=1)]


def test_what_lies_in_the_box_stays_where_it_was(case) -> None:
    low, high = np.array([2.0, -45.0, 560.5]), np.array([9.0, -36.0, 565.2])
    part = case.cropped(low, high)
    assert part.levels == ("C4",)  # C5 lies above the box
    assert {s.name for s in part.structures} == {"C4", "trachea"}
    for structure in part.structures:
        before = within(case.structure(structure.name).mask.points, low, high)
        after = within(structure.mask.points, low, high)
        np.testing.assert_allclose(after, before, atol=1e-9)
        assert len(after) > 0
    points = np.random.default_rng(0).uniform(low, high, (500, 3))
    np.testing.assert_allclose(part.ct.sample(points), case.ct.sample(points), atol=1e-3)
    assert part.ct.voxels.size < case.ct.voxels.size
    assert (part.digest, part.quality, part.name) == (case.digest, case.quality, case.name)


def test_distances_near_the_middle_stay(case) -> None:
    whole = case.structure("trachea")
    part = case.cropped(np.array([-5.0, -50.0, 555.0]), np.array([20.0, -30.0, 580.0])).structure("trachea")
    assert part is whole, "a structure that lies wholly in the box is kept, with its distance field"


def test_a_box_follows_a_structures_pose(case) -> None:
    up = np.eye(4)
    up[2, 3] = 50.0
    moved = case.with_structures([replace(case.structure("C5"), pose=up), *case.having("keepout_critical")])
    low, high = np.array([-5.0, -50.0, 615.0]), np.array([20.0, -30.0, 630.0])
    with pytest.raises(CaseError, match="outside the CT"):
        moved.cropped(low, high)
    part = moved.cropped(np.array([-5.0, -50.0, 570.0]), high)
    assert [s.name for s in part.structures] == ["C5", "trachea"]
    assert np.array_equal(part.structures[0].pose, up)


def test_boxes_that_hold_nothing_are_refused(case) -> None:
    with pytest.raises(CaseError, match=r"box from \[1.0, .* is empty; low must be below high"):
        case.cropped(np.array([1.0, 0, 0]), np.array([0.0, 1, 1]))
    with pytest.raises(CaseError, match=r"lies outside the CT"):
        case.cropped(np.array([100.0, 0, 0]), np.array([101.0, 1, 1]))


def test_a_posed_structure_is_measured_where_it_was_moved_to(case) -> None:
    from scipy.spatial.transform import Rotation

    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [15, -10, 5], degrees=True).as_matrix()
    pose[:3, 3] = [4.0, -7.0, 11.0]
    structure = case.structure("C4")
    points = np.random.default_rng(1).uniform(-5, 5, (200, 3)) + structure.mask.points.mean(axis=0)
    moved = points @ pose[:3, :3].T + pose[:3, 3]
    np.testing.assert_allclose(replace(structure, pose=pose).distance(moved), structure.distance(points), atol=1e-4)


def test_resected_bone_is_gone(case) -> None:
    structure = case.structure("C4")
    low, high = structure.mask.points.min(axis=0), structure.mask.points.max(axis=0)
    middle = (low + high) / 2
    cut = replace(structure, cuts=((middle, np.array([0.0, 0.0, 1.0])),))
    up = np.array([0.0, 0.0, 1.0])
    above, below = middle + up, middle - up
    assert structure.distance(above[None])[0] < 0 < cut.distance(above[None])[0]
    assert cut.distance(above[None])[0] == pytest.approx(1.0)
    assert cut.distance(below[None])[0] == pytest.approx(-1.0, abs=0.3)


def test_unknown_names_are_answered_with_the_known_ones(case) -> None:
    with pytest.raises(CaseError, match=r"no structure 'aorta'; it has: C4, C5, trachea"):
        case.structure("aorta")


def test_the_distance_to_nothing_is_infinite(case) -> None:
    assert np.isposinf(case.distance([], np.zeros((3, 3)))).all()
    points = np.random.default_rng(2).uniform([-5, -50, 555], [15, -30, 580], (300, 3))
    both = case.distance(case.having("bone"), points)
    each = np.minimum(case.structure("C4").distance(points), case.structure("C5").distance(points))
    np.testing.assert_array_equal(both, each)
