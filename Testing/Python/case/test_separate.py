"""Vertebrae cut from each other in the bare CT of a test case, against its labels."""

from __future__ import annotations

import numpy as np
import pytest
from clicked import RAS, Bare, dice, part_of
from SpinalStrutDesignerLib.case.bone import BoneAndMetal
from SpinalStrutDesignerLib.case.model import Case, Volume
from SpinalStrutDesignerLib.case.separate import Separation
from SpinalStrutDesignerLib.errors import CaseError

UPPER, LOWER = 80, 200  # slices of the intact case: C4 lies in them with a neighbour above and several below


@pytest.fixture(scope="module")
def neck(synthetic) -> tuple[Case, Bare, dict[str, np.ndarray]]:
    case, truth = synthetic("intact_c1_t5")
    centres = {level: np.array(entry["body_centre"]) * RAS for level, entry in truth["vertebrae"].items()}
    return case, Bare.of(part_of(case.ct, np.s_[UPPER:LOWER, :, :])), centres


@pytest.fixture(scope="module")
def pair(neck) -> Separation:
    """What seeds in C4 and C6 cut out."""
    _, bare, centres = neck
    return bare.separated({level: centres[level] for level in ("C4", "C6")})


def test_a_click_cuts_out_its_vertebra(neck) -> None:
    case, bare, centres = neck
    found = bare.separated({"C5": centres["C5"] + [0.0, 2.0, 2.0]})
    assert dice(found, case, "C5", bare.ct) >= 0.93
    assert [s.name for s in found.structures] == ["C5", "other_bone"]
    assert {"C4", "C6"} <= set(found.neighbours) and "C5" not in found.neighbours
    for level in ("C4", "C6"):
        assert np.linalg.norm(found.neighbours[level] - centres[level]) < 2.0


def test_neighbours_share_no_voxel(neck, pair: Separation) -> None:
    _, bare, _ = neck
    claimed = np.concatenate([np.rint(bare.ct.to_ijk(s.mask.points)).astype(int) for s in pair.structures])
    assert len(np.unique(claimed, axis=0)) == len(claimed)


def test_what_stands_next_to_a_seeded_one_within_the_span_is_cut_out_too(neck, pair: Separation) -> None:
    case, bare, _ = neck
    assert [s.name for s in pair.structures] == ["C4", "C6", "C5", "other_bone"] and pair.notes == ()
    assert dice(pair, case, "C5", bare.ct) >= 0.93


def test_counting_tells_a_seed_with_another_level_s_name(neck) -> None:
    _, bare, centres = neck
    notes = bare.separated({"C4": centres["C4"], "C7": centres["C6"]}).notes
    assert any("count the vertebrae" in note and "counted from C4" in note for note in notes)


def test_the_image_may_be_mirrored(neck) -> None:
    case, bare, centres = neck
    ct = bare.ct
    flipped = ct.ijk_to_ras @ np.diag([-1.0, 1.0, 1.0, 1.0])
    flipped[:3, 3] = ct.ijk_to_ras[:3, :3] @ [ct.voxels.shape[2] - 1, 0, 0] + ct.ijk_to_ras[:3, 3]
    voxels, bone, metal = (np.ascontiguousarray(v[..., ::-1]) for v in (ct.voxels, bare.found.bone, bare.found.metal))
    mirrored = Bare(Volume(voxels, flipped), BoneAndMetal(bone, metal, bare.found.threshold_hu))
    assert dice(mirrored.separated({"C5": centres["C5"]}), case, "C5", mirrored.ct) >= 0.93


def test_a_wrong_seed_is_said(neck) -> None:
    _, bare, centres = neck
    with pytest.raises(CaseError, match=r"C5.*outside the image"):
        bare.separated({"C5": centres["C5"] + [0.0, 0.0, 500.0]})
    with pytest.raises(CaseError, match=r"C5.*not in bone: -?\d+ HU there; the nearest bone lies \d+ mm away"):
        bare.separated({"C5": centres["C5"] + [0.0, 30.0, 0.0]})
    with pytest.raises(CaseError, match="in one vertebra"):
        bare.separated({"C5": centres["C5"], "C6": centres["C5"] + [3.0, 0.0, 0.0]})
    with pytest.raises(CaseError, match="swapped"):
        bare.separated({"C5": centres["C6"], "C6": centres["C5"]})
