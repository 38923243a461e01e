"""A bare CT, the phantom's, from two seeds: what is found against what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from LatticeGeneratorLib.progress import Cancelled, silent
from SpinalStrutDesignerLib.case.body import find_body
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Mask
from SpinalStrutDesignerLib.case.segment import Segmented, segment
from SpinalStrutDesignerLib.errors import CaseError

_ASIDE = np.array([2.0, -1.0, 1.5])
DOCKING = (("C4", "inferior"), ("T2", "superior"))


def seeds_in(phantom: Case) -> dict[str, np.ndarray]:
    """A click into each docking vertebra's body, not on its centre."""
    return {level: find_body(phantom, level).centre + _ASIDE for level, _ in DOCKING}


@pytest.fixture(scope="module")
def found(phantom: Case) -> Segmented:
    return segment(phantom.ct, seeds_in(phantom), silent)


@pytest.fixture(scope="module")
def case(phantom: Case, found: Segmented) -> Case:
    return phantom.with_structures(found.structures)


def on_ct(mask: Mask, case: Case) -> np.ndarray:
    """(k, j, i) bool on the CT's grid."""
    voxels = np.zeros(case.ct.voxels.shape, bool)
    voxels[tuple(np.rint(case.ct.to_ijk(mask.points)).astype(int)[:, ::-1].T)] = True
    return voxels


@pytest.mark.parametrize(("level", "face"), DOCKING)
def test_docking_vertebrae_are_those_that_were_drawn(phantom, case, level, face):
    mine, drawn = (on_ct(one.structure(level).mask, phantom) for one in (case, phantom))
    assert 2.0 * (mine & drawn).sum() / (mine.sum() + drawn.sum()) >= 0.95
    plate, truth = find_endplate(case, level, face), find_endplate(phantom, level, face)
    assert np.linalg.norm(plate.centre - truth.centre) <= 0.5
    assert np.degrees(np.arccos(min(plate.normal @ truth.normal, 1.0))) <= 1.5


def test_no_voxel_of_bone_belongs_to_two(phantom, case):
    assert (sum(on_ct(s.mask, phantom).astype(int) for s in case.having("bone")) <= 1).all()


def test_what_hu_and_shape_tell_is_found_and_no_more(phantom, case):
    soft = {s.name for s in case.having("keepout_critical", "keepout_soft", "metal")}
    assert soft == {"airway", "lungs", "spinal_canal"}  # the phantom has neither metal nor contrast
    canal = on_ct(case.structure("spinal_canal").mask, phantom)
    between = np.array([find_body(phantom, level).centre[2] for level in ("T2", "C4")])
    dura = phantom.structure("dural_sac").mask.points
    dura = dura[(dura[:, 2] > between[0]) & (dura[:, 2] < between[1])]
    assert canal[tuple(np.rint(phantom.ct.to_ijk(dura)).astype(int)[:, ::-1].T)].mean() >= 0.95


def test_one_seed_is_too_few(phantom):
    with pytest.raises(CaseError, match="give a seed in each, not only in C4"):
        segment(phantom.ct, {"C4": find_body(phantom, "C4").centre}, silent)


def test_it_can_be_cancelled(phantom):
    def cancel(stage: str, fraction: float) -> None:
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment(phantom.ct, seeds_in(phantom), cancel)
