"""Defects planted in a made-up scan are measured as they were planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from SpinalStrutDesignerLib.case.images import hounsfield, read_image
from SpinalStrutDesignerLib.case.model import Volume
from SpinalStrutDesignerLib.case.quality import scan_quality
from SpinalStrutDesignerLib.case.scan_measures import docking_measures, motion, noise

SPACING = np.array([0.8, 0.8, 1.0])


def patient(sigma: float = 12.0, kernel: float = 0.0, slices: int = 60) -> np.ndarray:
    """A leaning neck with a spine in it, with noise; (k, j, i) HU."""
    rng = np.random.default_rng(5)
    k, j, i = np.indices((slices, 120, 110), np.float32)
    hu = np.full(k.shape, -1000.0, np.float32)
    hu[np.hypot(i - 55.0 - 0.1 * k, (j - 60.0) * 0.9) < 42.0] = 50.0
    hu[np.hypot(i - 55.0 - 0.1 * k, j - 62.0 - 0.2 * k) < 12.0] = 300.0
    texture = rng.normal(0.0, 1.0, hu.shape).astype(np.float32)
    if kernel:
        texture = ndimage.gaussian_filter(texture, (0.0, kernel, kernel))
        texture /= texture.std()
    return hu + sigma * texture


def volume(hu: np.ndarray) -> Volume:
    return Volume(hu.round().astype(np.int16), np.diag([*SPACING, 1.0]))


@pytest.mark.parametrize("sigma, kernel", [(8.0, 0.0), (25.0, 0.0), (45.0, 0.0), (25.0, 1.0)])
def test_noise_is_measured_as_it_was_made_also_where_a_kernel_correlates_it(sigma: float, kernel: float) -> None:
    found = noise(volume(patient(sigma, kernel)))
    assert found is not None and found.unit == "HU"
    assert found.value == pytest.approx(sigma, rel=0.15)
    assert found.limiting == (sigma > 40.0)


def test_noise_that_limits_is_a_note_with_its_effect() -> None:
    quality = scan_quality(volume(patient(50.0)))
    (note,) = [text for text in quality.notes if text.startswith("noise ")]
    assert "edges of bone are moved by" in note and "looks like bone" in note
    assert scan_quality(volume(patient(10.0))).notes == ()
    assert [measure.name for measure in scan_quality(volume(patient(10.0))).measures] == ["noise", "motion"]


def test_without_soft_tissue_there_is_no_figure_for_noise() -> None:
    assert noise(volume(np.full((20, 40, 40), -1000.0))) is None


@pytest.mark.parametrize("rows, columns", [(3, 0), (0, -2), (2, 2)])
def test_slices_that_were_shifted_are_found_where_they_were(rows: int, columns: int) -> None:
    hu = patient()
    hu[37:] = np.roll(hu[37:], (rows, columns), axis=(1, 2))
    found = motion(volume(hu))
    assert found is not None and found.limiting
    assert found.value == pytest.approx(np.hypot(rows, columns) * SPACING[0], rel=0.15)
    assert "between slices 37 and 38" in found.effect
    assert any(note.startswith("motion ") for note in scan_quality(volume(hu)).notes)


def test_a_leaning_patient_did_not_move() -> None:
    found = motion(volume(patient()))
    assert found is not None and not found.limiting and found.value < 0.3
    assert motion(volume(patient(slices=15))) is None


@pytest.mark.parametrize(
    "file",
    [
        "synthetic/case2_c4_t2/ct.nrrd",
        "synthetic/intact_c1_t5/ct.nrrd",
        "synthetic/case1_c6_t11/ct.nrrd",
        "real/lidc0001_spine_ct.nii.gz",
        "real/totalseg_aorta_thoracic_stent_ct.nii.gz",
        "real/totalseg_example_lumbar_3mm_ct.nii.gz",
    ],
)
def test_no_given_scan_moved(data: Path, file: str) -> None:
    ct, _ = hounsfield(read_image(data / file), file)
    found = motion(ct)
    assert found is not None and not found.limiting


def test_levels_near_the_border_and_near_metal_are_named() -> None:
    ct = volume(patient())
    ct.voxels[30:40, 70:75, 50:55] = 3000
    points = {
        "C4": np.array([40.0, 48.0, 12.0]),
        "T2": np.array([40.0, 48.0, 31.0]),
        "far": np.array([40.0, 48.0, 70.0]),
    }
    found = {measure.name: measure for measure in docking_measures(ct, points)}
    assert found["field of view at C4"].value == pytest.approx(12.0) and found["field of view at C4"].limiting
    # Of 60 slices 1 mm apart the last lies at 59 mm.
    assert found["field of view at T2"].value == pytest.approx(28.0) and found["field of view at T2"].limiting
    assert "outside the scan" in found["field of view at far"].effect
    # The metal begins at row 70 of 0.8 mm, so at 56 mm, and holds the columns and slices of T2's point.
    assert found["metal near T2"].value == pytest.approx(8.0) and found["metal near T2"].limiting
    assert "metal near far" not in found and "metal near C4" in found
    wide = Volume(np.zeros((100, 100, 100), np.int16), np.eye(4))
    assert not any(m.limiting for m in docking_measures(wide, {"C4": np.full(3, 50.0)}))
