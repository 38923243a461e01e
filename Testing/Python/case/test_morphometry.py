"""Adult sizes: which are noted, and whether what is compared is measured right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.endplate import find_endplate
from SpinalStrutDesignerLib.case.model import Case, Endplate, Mask
from SpinalStrutDesignerLib.case.morphometry import adult_means, morphometry_notes
from SpinalStrutDesignerLib.case.stations import usual_size
from SpinalStrutDesignerLib.case.vertebra import vertebra


def plates(case: Case, *levels: str) -> list[Endplate]:
    """Both of each level."""
    return [find_endplate(case, level, face) for level in levels for face in ("superior", "inferior")]


def scaled(case: Case, level: str, factor: float) -> Case:
    """The case with one vertebra alone, so much larger."""
    bone = case.structure(level)
    grown = replace(bone, mask=Mask(bone.mask.voxels, np.diag([factor] * 3 + [1.0]) @ bone.mask.ijk_to_ras))
    ct = replace(case.ct, ijk_to_ras=np.diag([factor] * 3 + [1.0]) @ case.ct.ijk_to_ras)
    return replace(case.with_structures([grown]), ct=ct)


def test_the_table_has_the_levels_from_the_axis_to_l5() -> None:
    means = adult_means()
    levels = *(f"C{n}" for n in range(2, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))
    assert tuple(means) == levels
    assert means["T11"]["lower_width"] == 39.1 and means["C7"]["canal_depth"] == 15.2
    for row in means.values():
        assert 3.0 < row["disc_below"] < 12.0
        assert all(7.0 < value < 50.0 for name, value in row.items() if name != "disc_below")


def test_a_search_starts_from_the_mean_of_both_plates() -> None:
    size, disc = usual_size("T11")
    assert size == pytest.approx([37.0, 31.85, 21.3]) and disc == 6.0
    for beyond, last in (("T13", "T12"), ("L6", "L5"), ("C1", "C2")):
        assert (usual_size(beyond)[0] == usual_size(last)[0]).all()


def test_the_phantom_has_the_means_it_was_made_from(phantom: Case) -> None:
    assert morphometry_notes(phantom, plates(phantom, "C3", "C4", "T2", "T3")) == ()


def test_an_adult_is_not_noted_and_a_giant_is(synthetic) -> None:
    case, _ = synthetic("intact_c1_t5")
    lone = scaled(case, "T4", 1.0)
    assert morphometry_notes(lone, plates(lone, "T4")) == ()
    giant = scaled(case, "T4", 1.5)
    notes = morphometry_notes(giant, plates(giant, "T4"))
    told = "\n".join(notes)
    for size in ("width of the superior", "depth of the inferior", "height of the body's back"):
        assert f"T4: {size}" in told
    assert "above the adult mean of 24.5 mm (noted from 35% on): look at the label and at the level's name" in told
    child = scaled(case, "T4", 0.62)
    assert "below the adult mean" in "\n".join(morphometry_notes(child, plates(child, "T4")))


def test_a_wrong_level_s_name_is_noted(synthetic) -> None:
    case, _ = synthetic("case1_c6_t11")
    named = case.with_structures([replace(case.structure("T12"), name="C5", level="C5")])
    notes = morphometry_notes(named, plates(named, "C5"))
    assert any(note.startswith("C5: width of the inferior endplate is 42") for note in notes)


@pytest.mark.parametrize("level", ["C4", "C7", "T3", "T5"])
def test_the_canal_s_size(synthetic, level: str) -> None:
    case, truth = synthetic("intact_c1_t5")
    canal, true = vertebra(case, level).canal, truth["vertebrae"][level]["canal"]
    assert canal.width == pytest.approx(true["width_mm"], abs=2.5)
    assert canal.depth == pytest.approx(true["ap_mm"], abs=2.5)
