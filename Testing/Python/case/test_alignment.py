"""Angles of the spine: on solids turned by known angles, on the phantom, and against exact truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from SpinalStrutDesignerLib.build.situation import situation
from SpinalStrutDesignerLib.case.alignment import cobb, greatest_cobb, kyphosis, restoration
from SpinalStrutDesignerLib.case.model import Case, Mask
from SpinalStrutDesignerLib.case.phantom import phantom_truth
from SpinalStrutDesignerLib.case.symmetry import find_right
from SpinalStrutDesignerLib.errors import CaseError
from SpinalStrutDesignerLib.plan.presets import preset

LPS = np.array([-1.0, -1.0, 1.0])


def lean(*, right: float = 0.0, forward: float = 0.0) -> np.ndarray:
    """(3, 3): a vertebra whose axis leans to the right, or forwards, by so many degrees."""
    return Rotation.from_euler("xy", [-forward, right], degrees=True).as_matrix()


def three(solids: Callable[..., Case], *turns: np.ndarray) -> Case:
    """T9, T10 and T11 of simple solids, so turned, 26 mm apart."""
    return solids(
        *((level, turn, np.array([0.0, 0.0, -26.0 * n])) for n, (level, turn) in enumerate(zip(LEVELS, turns)))
    )


LEVELS = ("T9", "T10", "T11")


@pytest.mark.parametrize(("top", "bottom"), [(-14.0, 12.0), (9.0, -6.0), (20.0, 5.0)])
def test_cobb_of_solids_that_lean_sideways(solids: Callable[..., Case], top: float, bottom: float) -> None:
    case = three(solids, lean(right=top), lean(right=0.4 * top), lean(right=bottom))
    angle = cobb(case, "T9", "T11")
    assert angle.degrees == pytest.approx(bottom - top, abs=1.5)
    assert 0.2 < angle.uncertain < 2.5 and angle.by_arch == ()
    # To the left above and to the right below: the bodies bulge to the right.
    greatest = greatest_cobb(case, case.levels)
    assert abs(greatest.degrees) >= abs(angle.degrees)
    assert {greatest.upper, greatest.lower} <= set(LEVELS)
    assert kyphosis(case, "T9", "T11").degrees == pytest.approx(0.0, abs=1.5)


@pytest.mark.parametrize(("top", "bottom"), [(25.0, -18.0), (-10.0, 8.0)])
def test_kyphosis_of_solids_that_lean_forwards(solids: Callable[..., Case], top: float, bottom: float) -> None:
    case = three(solids, lean(forward=top), lean(), lean(forward=bottom))
    assert kyphosis(case, "T9", "T11").degrees == pytest.approx(top - bottom, abs=1.5)
    assert cobb(case, "T9", "T11").degrees == pytest.approx(0.0, abs=1.5)


def test_angles_of_the_phantom_are_those_it_was_given(phantom: Case) -> None:
    truth = phantom_truth()

    def tilt(level: str, face: str, along: int) -> float:
        up = truth.endplates[level, face].normal * (1 if face == "superior" else -1)
        return float(np.degrees(np.arctan2(up[along], up[2])))

    expected = tilt("C3", "superior", 1) - tilt("T3", "inferior", 1)
    assert kyphosis(phantom, "C3", "T3").degrees == pytest.approx(expected, abs=2.0)
    expected = tilt("T3", "inferior", 0) - tilt("C3", "superior", 0)
    assert cobb(phantom, "C3", "T3").degrees == pytest.approx(expected, abs=2.0)


@pytest.mark.parametrize("level", ["T3", "T4", "T5", "T6", "T7", "T8", "T9"])
def test_the_midplane_outlasts_the_body(synthetic, level: str) -> None:
    case, truth = synthetic("case1_c6_t11")
    # The model the case was made from is symmetric: the pose turned its left-right axis.
    right = -np.array(truth["vertebrae"][level]["pose_from_intact"])[:3, 0] * LPS
    found = find_right(case, level)
    assert abs(np.degrees(np.arctan2(found[2], found[0]) - np.arctan2(right[2], right[0]))) < 2.5


def test_an_arch_that_lost_too_much_tells_nothing(synthetic) -> None:
    with pytest.raises(CaseError, match="C6: what stands of its arch is not symmetric enough"):
        find_right(synthetic("case2_c4_t2")[0], "C6")


def test_angles_agree_with_the_truth(synthetic) -> None:
    case, truth = synthetic("case1_c6_t11")
    angles = truth["angles"]
    assert kyphosis(case, "T1", "T12").degrees == pytest.approx(angles["kyphosis_T1_T12"]["deg"], abs=2.0)
    curve = angles["max_coronal_cobb"]
    found = greatest_cobb(case, case.levels)
    # All plates within the curve are destroyed.
    assert abs(found.degrees) == pytest.approx(curve["deg"], abs=2.0)
    assert found.degrees > 0 and set(found.by_arch) == {found.upper, found.lower}
    stated = cobb(case, *curve["levels"])
    assert stated.degrees == pytest.approx(curve["deg"], abs=2.0)
    assert stated.uncertain > cobb(case, "T1", "T12").uncertain
    with pytest.raises(CaseError, match="T4 superior endplate not found"):
        kyphosis(case, "T4", "T12")


def test_what_is_to_be_restored(synthetic) -> None:
    case, truth = synthetic("case1_c6_t11")
    found, true = restoration(case, "C6", "T11"), truth["docking"]
    assert found.distance_mm == pytest.approx(true["distance_mm"], abs=1.0)
    assert abs(found.distance_mm - true["distance_mm"]) < 2 * found.uncertain_mm
    assert found.between_deg == pytest.approx(true["angle_between_planes_deg"], abs=2.0)
    assert found.sagittal_deg == pytest.approx(true["angle_sagittal_deg"], abs=2.0)
    assert abs(found.coronal_deg) == pytest.approx(true["angle_coronal_deg"], abs=2.0)
    assert found.upper_lean_deg == pytest.approx(true["axis_to_upper_normal_deg"], abs=1.5)
    assert found.lower_lean_deg == pytest.approx(true["axis_to_lower_normal_deg"], abs=1.5)
    centres = [np.array(truth["vertebrae"][level]["body_centre"]) for level in ("C7", *(f"T{n}" for n in range(1, 11)))]
    line = np.array([true["upper_centre"], *centres, true["lower_centre"]])
    assert found.axis_mm == pytest.approx(np.linalg.norm(np.diff(line, axis=0), axis=1).sum(), rel=0.03)
    away = np.linalg.norm(np.cross(line - line[0], (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])), axis=1)
    # Over seven lost bodies the line follows the canal: it is a few millimetres off where bodies deepen.
    assert found.off_chord_mm == pytest.approx(away.max(), abs=5.0)


def test_what_a_variant_makes_of_it_is_what_is_built(phantom: Case) -> None:
    found, amount = restoration(phantom, "C4", "T2"), 3.0
    made = found.variant(amount)
    plan = preset("case2", "C4", "T2")
    points = found.line[[0, 12, -1]]
    plan = plan.with_(axis=plan.axis.with_(control_points=tuple(map(tuple, points.tolist()))))
    before, built = situation(phantom, plan), situation(phantom, plan, amount)
    between = built.lower.centre - built.upper.centre
    assert made.distance_mm == pytest.approx(np.linalg.norm(between))
    shift = built.lower.centre - before.lower.centre
    assert made.upper_gap_mm == pytest.approx(shift @ before.upper.normal)
    assert made.lower_gap_mm == pytest.approx(-shift @ before.lower.normal)
    assert made.stretch_percent == pytest.approx(100 * amount / found.axis_mm)
    np.testing.assert_allclose(built.lower.normal, before.lower.normal)


def test_levels_that_cannot_be_measured_are_named(solids: Callable[..., Case]) -> None:
    case = three(solids, lean(), lean(), lean())
    with pytest.raises(CaseError, match="T11 does not lie above T9"):
        cobb(case, "T11", "T9")
    with pytest.raises(CaseError, match="no vertebra L1"):
        kyphosis(case, "T9", "L1")
    with pytest.raises(CaseError, match="fewer than two of T9 can be measured"):
        greatest_cobb(case, ["T9"])


def test_a_body_that_is_gone_leaves_its_arch(solids: Callable[..., Case]) -> None:
    """The bodies are cut away but for a rim before the canal: the same angle comes from what stands."""
    case = three(solids, lean(right=-10.0), lean(), lean(right=11.0))
    shells = []
    for structure in case.structures:
        mask = structure.mask
        turn = {"T9": lean(right=-10.0), "T10": lean(), "T11": lean(right=11.0)}[structure.level]
        v = ((mask.points - [0.0, 0.0, -26.0 * LEVELS.index(structure.level)]) @ turn)[:, 1]
        voxels = mask.voxels.copy()
        voxels[tuple(np.argwhere(voxels)[v > -8.0].T)] = False
        shells.append(replace(structure, mask=Mask(voxels, mask.ijk_to_ras)))
    gone = case.with_structures(shells)
    angle = cobb(gone, "T9", "T11")
    assert angle.by_arch == ("T9", "T11")
    assert angle.degrees == pytest.approx(21.0, abs=2.0)
