"""What is said about a scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from SpinalStrutDesignerLib.case.model import Volume
from SpinalStrutDesignerLib.case.quality import scan_quality
from SpinalStrutDesignerLib.case.read import read_case


def volume(spacing: tuple[float, float, float], metal: int = 0, value: int = 2800) -> Volume:
    voxels = np.zeros((20, 30, 40), dtype=np.int16)
    voxels.ravel()[:metal] = value
    return Volume(voxels, np.diag([*spacing, 1.0]))


def test_a_fine_scan_has_no_notes() -> None:
    quality = scan_quality(volume((0.4, 0.4, 0.8)))
    assert quality.notes == ()
    assert (quality.spacing_mm, quality.slice_thickness_mm, quality.metal_fraction) == ((0.4, 0.4, 0.8), 0.8, 0.0)


@pytest.mark.parametrize(
    "spacing, thickness, words",
    [
        ((0.4, 0.4, 2.5), None, r"slices of 2.5 mm: an endplate's height is known to about 1.2 mm"),
        ((2.5, 0.4, 0.4), None, r"slices of 2.5 mm"),
        ((0.4, 0.4, 1.0), 3.0, r"slices of 3 mm"),
        ((0.4, 0.4, 1.0), 0.5, r"slices of 0.5 mm lie 1 mm apart"),
        ((1.1, 1.1, 1.2), None, r"pixels of 1.1 mm"),
    ],
)
def test_each_limit_is_said(spacing: tuple[float, float, float], thickness: float | None, words: str) -> None:
    notes = scan_quality(volume(spacing), thickness).notes
    assert len(notes) == 1 and notes[0].startswith(words)


def test_metal_and_the_end_of_the_scale() -> None:
    quality = scan_quality(volume((0.4, 0.4, 0.8), metal=240))
    assert quality.metal_fraction == pytest.approx(0.01)
    assert len(quality.notes) == 1 and "1.000% of the scan is above 2500 HU" in quality.notes[0]
    cut = scan_quality(volume((0.4, 0.4, 0.8), metal=240, value=3071))
    assert any(note.startswith("240 voxels are cut off at 3071 HU") for note in cut.notes)
    assert not any("3071" in n for n in scan_quality(volume((0.4, 0.4, 0.8), metal=240, value=8000)).notes)


def test_vertebrae_at_the_edge_are_named(scan) -> None:
    labels = scan.labels.copy()
    labels[12:14, 8:15, 6:16] = 3
    table = scan.table("value,name,role\n1,C6,bone\n2,C5,bone\n3,C4,bone\n7,trachea,keepout_critical\n")
    case = read_case(scan.write("ct.nrrd", scan.hu), scan.write("labels.nrrd", labels), table)
    assert any(note.startswith("at the edge of the scan, perhaps cut off: C4;") for note in case.quality.notes)


def test_the_synthetic_metal_is_seen(data: Path) -> None:
    with_rods = read_case(data / "synthetic" / "case2_c4_t2" / "ct.nrrd").quality
    without = read_case(data / "synthetic" / "intact_c1_t5" / "ct.nrrd").quality
    assert with_rods.metal_fraction > 1e-4 and without.metal_fraction == 0.0
    assert without.notes == ()
