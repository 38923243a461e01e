"""Seeds as text, and how a segmentation that nobody has looked at is told in its file."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from SpinalStrutDesignerLib.case.levels import LEVELS
from SpinalStrutDesignerLib.case.model import Case, Mask, ScanQuality, Structure, Volume
from SpinalStrutDesignerLib.case.read import read_case
from SpinalStrutDesignerLib.case.seeds import seeds_of, seeds_text
from SpinalStrutDesignerLib.case.write import write_case, write_segmentation
from SpinalStrutDesignerLib.errors import CaseError

SEEDS = (("C4", (1.5, -20.0, 30.0)), ("T2", (0.125, -30.0, -40.25)))
number = st.integers(-900_000, 900_000).map(lambda micrometres: micrometres / 1000.0)


@given(st.dictionaries(st.sampled_from(LEVELS), st.tuples(number, number, number)))
def test_what_is_written_is_read_again(seeds):
    assert seeds_of(seeds_text(seeds.items()).split()) == tuple(seeds.items())


@pytest.mark.parametrize("text", ["C4", "C4=1,2", "C4=1,2,3,4", "C4=1,two,3", "C4=1,2,inf", "X4=1,2,3", "aorta=1,2,3"])
def test_what_says_no_place_in_a_vertebra_is_refused(text):
    with pytest.raises(CaseError, match=text):
        seeds_of([text])


def test_two_seeds_of_a_vertebra_are_refused_however_it_is_called():
    with pytest.raises(CaseError, match="C4 has a seed already"):
        seeds_of(["C4=1,2,3", "vertebrae_C4=4,5,6"])


@pytest.fixture
def case() -> Case:
    block = Mask(np.ones((4, 4, 4), bool), np.eye(4))
    bones = tuple(Structure(level, "bone", block, level=level) for level in ("C4",))
    quality = ScanQuality((1.0, 1.0, 1.0), 1.0, 0.0)
    return Case(
        "toy",
        Volume(np.linspace(-1000, 1500, 729).astype(np.int16).reshape(9, 9, 9), np.eye(4)),
        bones,
        quality,
        seeds=SEEDS,
    )


def test_a_case_that_nobody_has_looked_at_stays_so_in_its_files(case, tmp_path):
    ct, labels, roles = write_case(case, tmp_path)
    assert read_case(ct, labels, roles).seeds == SEEDS


def test_one_that_was_looked_at_has_no_seeds_in_its_files(case, tmp_path):
    ct, labels, _ = write_case(case, tmp_path)
    write_segmentation(case.structures, labels, ())
    assert read_case(ct, labels).seeds == ()


def test_other_segmentations_have_none(case, tmp_path):
    ct, _, _ = write_case(case, tmp_path)
    labels = sitk.GetImageFromArray(np.ones((9, 9, 9), np.uint8))
    labels.SetDirection((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0))  # along RAS, as the CT
    sitk.WriteImage(labels, str(tmp_path / "plain.nii.gz"))
    (tmp_path / "plain.csv").write_text("value,name,role\n1,C4,bone\n", encoding="utf-8")
    assert read_case(ct, tmp_path / "plain.nii.gz", tmp_path / "plain.csv").seeds == ()
