"""Vertebrae cut from each other in the bare CT of a test case, against its labels."""

from __future__ import annotations

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.bone import BoneAndMetal, find_bone
from SpinalStrutDesignerLib.case.model import Case, Mask, Volume
from SpinalStrutDesignerLib.case.seed_check import check_seeds
from SpinalStrutDesignerLib.case.separate import Separation, separate_vertebrae
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course
from SpinalStrutDesignerLib.errors import CaseError

UPPER, LOWER = 80, 200  # slices of the intact case: C4 lies in them with a neighbour above and several below


@pytest.fixture(scope="module")
def neck(synthetic) -> tuple[Case, Volume, BoneAndMetal, dict[str, np.ndarray]]:
    case, truth = synthetic("intact_c1_t5")
    matrix = case.ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * UPPER
    ct = Volume(case.ct.voxels[UPPER:LOWER], matrix)
    centres = {level: np.array(entry["body_centre"]) * [-1, -1, 1] for level, entry in truth["vertebrae"].items()}
    return case, ct, find_bone(ct), centres


def separated(ct: Volume, bone: BoneAndMetal, seeds: dict[str, np.ndarray]) -> Separation:
    """By way of the canal, where the seeds lie in bone."""
    check_seeds(ct, bone, seeds)
    return separate_vertebrae(ct, bone, find_canal_course(Mask(bone.bone, ct.ijk_to_ras), seeds), seeds)


def _dice(found: Separation, case: Case, level: str) -> float:
    mask = next(s.mask for s in found.structures if s.level == level)
    mine = {tuple(p) for p in np.rint(case.ct.to_ijk(mask.points)).astype(int)}
    true = {tuple(p) for p in np.rint(case.ct.to_ijk(case.structure(level).mask.points)).astype(int)}
    return 2.0 * len(mine & true) / (len(mine) + len(true))


def test_a_click_cuts_out_its_vertebra(neck) -> None:
    case, ct, bone, centres = neck
    found = separated(ct, bone, {"C5": centres["C5"] + [0.0, 2.0, 2.0]})
    assert _dice(found, case, "C5") >= 0.93
    assert [s.name for s in found.structures] == ["C5", "other_bone"]
    assert {"C4", "C6"} <= set(found.neighbours) and "C5" not in found.neighbours
    for level in ("C4", "C6"):
        assert np.linalg.norm(found.neighbours[level] - centres[level]) < 2.0


def test_two_neighbours_share_no_voxel(neck) -> None:
    _, ct, bone, centres = neck
    found = separated(ct, bone, {level: centres[level] for level in ("C5", "C6")})
    claimed = np.concatenate([np.rint(ct.to_ijk(s.mask.points)).astype(int) for s in found.structures])
    assert len(np.unique(claimed, axis=0)) == len(claimed)


def test_what_stands_next_to_a_seeded_one_within_the_span_is_cut_out_too(neck) -> None:
    case, ct, bone, centres = neck
    found = separated(ct, bone, {level: centres[level] for level in ("C4", "C6")})
    assert [s.name for s in found.structures] == ["C4", "C6", "C5", "other_bone"] and found.notes == ()
    assert _dice(found, case, "C5") >= 0.93


def test_counting_tells_a_seed_with_another_level_s_name(neck) -> None:
    _, ct, bone, centres = neck
    notes = separated(ct, bone, {"C4": centres["C4"], "C7": centres["C6"]}).notes
    assert any("count the vertebrae" in note and "counted from C4" in note for note in notes)


def test_the_image_may_be_mirrored(neck) -> None:
    case, ct, bone, centres = neck
    flipped = ct.ijk_to_ras @ np.diag([-1.0, 1.0, 1.0, 1.0])
    flipped[:3, 3] = ct.ijk_to_ras[:3, :3] @ [ct.voxels.shape[2] - 1, 0, 0] + ct.ijk_to_ras[:3, 3]
    mirrored = Volume(np.ascontiguousarray(ct.voxels[..., ::-1]), flipped)
    other = BoneAndMetal(
        np.ascontiguousarray(bone.bone[..., ::-1]), np.ascontiguousarray(bone.metal[..., ::-1]), bone.threshold_hu
    )
    found = separated(mirrored, other, {"C5": centres["C5"]})
    assert _dice(found, case, "C5") >= 0.93


def test_a_wrong_seed_is_said(neck) -> None:
    _, ct, bone, centres = neck
    with pytest.raises(CaseError, match=r"C5.*outside the image"):
        separated(ct, bone, {"C5": centres["C5"] + [0.0, 0.0, 500.0]})
    with pytest.raises(CaseError, match=r"C5.*not in bone: -?\d+ HU there; the nearest bone lies \d+ mm away"):
        separated(ct, bone, {"C5": centres["C5"] + [0.0, 30.0, 0.0]})
    with pytest.raises(CaseError, match="in one vertebra"):
        separated(ct, bone, {"C5": centres["C5"], "C6": centres["C5"] + [3.0, 0.0, 0.0]})
    with pytest.raises(CaseError, match="swapped"):
        separated(ct, bone, {"C5": centres["C6"], "C6": centres["C5"]})
