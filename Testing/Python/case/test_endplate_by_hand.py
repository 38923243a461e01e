"""A plane set by hand where nothing can be measured, against the endplate that was there before it was spoilt."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.build.situation import docking_endplate, situation
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.endplate_by_hand import endplate_by_hand, usual_size
from SpinalStrutDesignerLib.case.model import Case, Endplate
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.plan import Corrections, EndplateOverride, Plan, Pose
from spoilt_vertebra import without_arch


@pytest.fixture(scope="module")
def truth(phantom: Case) -> Endplate:
    return find_endplate(phantom, "C4", "inferior")


@pytest.fixture(scope="module")
def spoilt(phantom: Case) -> Case:
    return without_arch(phantom, "C4")


def override(truth: Endplate, **changes) -> EndplateOverride:
    given = EndplateOverride(
        "C4", "inferior", tuple(truth.centre), tuple(truth.normal), truth.width_mm, truth.depth_mm
    )  # fmt: skip
    return given.with_(**changes)


def plan_with(given: EndplateOverride, **changes) -> Plan:
    return Plan("C4", "T2", corrections=Corrections(endplates=(given,)), **changes)


def test_the_surface_under_the_plane_is_the_bone_that_was_measured(spoilt: Case, truth: Endplate) -> None:
    found = endplate_by_hand(spoilt, "C4", "inferior", truth.centre, truth.normal, (truth.width_mm, truth.depth_mm))
    assert found.by_hand and not truth.by_hand
    assert (found.width_mm, found.depth_mm) == (truth.width_mm, truth.depth_mm)
    extents = [np.ptp(found.outline @ axis) for axis in (found.right, found.anterior, found.normal)]
    np.testing.assert_allclose(extents, [truth.width_mm, truth.depth_mm, 0.0], atol=0.02)
    assert found.right @ truth.right > 0.99 and found.anterior @ truth.anterior > 0.99
    # Both outlines run the same way round.
    ways = [np.cross(p.outline[0] - p.centre, p.outline[10] - p.centre) @ p.normal for p in (found, truth)]
    assert ways[0] > 0.0 < ways[1]
    # Every point lies on the surface of the intact bone.
    measured = truth.to_local(truth.surface)
    mine = found.to_local(found.surface)
    nearest = np.linalg.norm(mine[:, None, :2] - measured[None, :, :2], axis=2).argmin(axis=1)
    inside = np.linalg.norm(mine[:, :2] - measured[nearest, :2], axis=1) < 0.5
    assert inside.mean() > 0.8
    assert np.median(np.abs(mine[inside, 2] - measured[nearest[inside], 2])) < 0.15


@pytest.mark.parametrize("change, words", [
    (lambda c, n: (c + 6.5 * n, n), r"bone within 5 mm under only \d+%"),
    (lambda c, n: (c + np.array([14.0, 0.0, 0.0]), n), r"bone within 5 mm under only \d+%"),
    (lambda c, n: (c, -n), "has to point out of the body, down"),
])  # fmt: skip
def test_a_plane_beside_the_bone_or_turned_over_is_refused(spoilt: Case, truth: Endplate, change, words) -> None:
    centre, normal = change(truth.centre, truth.normal)
    with pytest.raises(CaseError, match=words):
        endplate_by_hand(spoilt, "C4", "inferior", centre, normal, (15.0, 13.0))


def test_a_level_that_is_not_there_is_named(spoilt: Case, truth: Endplate) -> None:
    with pytest.raises(CaseError, match="no vertebra L5"):
        endplate_by_hand(spoilt, "L5", "inferior", truth.centre, truth.normal, usual_size("L5", "inferior"))


def test_the_plan_s_plane_is_used_only_where_nothing_can_be_measured(
    phantom: Case, spoilt: Case, truth: Endplate
) -> None:
    with pytest.raises(CaseError, match="no spinal canal"):
        docking_endplate(spoilt, Plan("C4", "T2"), "C4", "inferior")
    found = docking_endplate(spoilt, plan_with(override(truth)), "C4", "inferior")
    assert found.by_hand and np.allclose(found.centre, truth.centre)
    corrected = docking_endplate(phantom, plan_with(override(truth)), "C4", "inferior")
    assert not corrected.by_hand
    with pytest.raises(
        CaseError, match=r"no spinal canal.*gives no width_mm and depth_mm of the inferior endplate of C4"
    ):
        docking_endplate(spoilt, plan_with(override(truth, width_mm=None)), "C4", "inferior")


def test_it_moves_with_its_vertebra_in_the_pose(spoilt: Case, truth: Endplate) -> None:
    plan = plan_with(override(truth), pose=Pose(distraction_mm=4.0))
    found = situation(spoilt, plan).upper
    assert found.by_hand
    np.testing.assert_allclose(found.centre, truth.centre - 4.0 * truth.normal, atol=1e-6)
    apart = np.abs(found.to_local(found.surface)[:, 2])
    assert np.median(apart) < 1.5  # the bone has come along
