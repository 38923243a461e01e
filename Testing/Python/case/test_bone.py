"""Bone and metal found in made-up CT, where everything's place is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from SpinalStrutDesignerLib.case.bone import find_bone, near_metal
from SpinalStrutDesignerLib.case.images import Image, hounsfield
from SpinalStrutDesignerLib.case.model import Volume
from SpinalStrutDesignerLib.errors import CaseError

SPACING = np.array([0.6, 0.6, 1.0])
SHAPE = (40, 60, 60)
MUSCLE, CORTEX, NOISE, BLUR_MM = 52.0, 1150.0, 18.0, 0.4


FINER = 3  # parts of a voxel along each axis, of which a scanner shows the mean


def _points(finer: int = 1) -> np.ndarray:
    k, j, i = ((np.indices(np.array(SHAPE) * finer) + 0.5) / finer - 0.5).astype(np.float32)
    return np.stack([i, j, k], axis=-1) * SPACING.astype(np.float32)


FINE = _points(FINER)


def _ball(centre: tuple[float, float, float], radius: float, points: np.ndarray = FINE) -> np.ndarray:
    return np.linalg.norm(points - np.array(centre, np.float32), axis=-1) < radius


def _ct(*parts: tuple[np.ndarray, float], seed: int = 0) -> Volume:
    """Muscle with parts of other HU in it, one over the other, blurred and noisy as a scanner's."""
    fine = np.full(FINE.shape[:3], MUSCLE, np.float32)
    for mask, value in parts:
        fine[mask] = value
    k, j, i = SHAPE
    hu = fine.reshape(k, FINER, j, FINER, i, FINER).mean(axis=(1, 3, 5))
    hu = ndimage.gaussian_filter(hu, BLUR_MM / SPACING[::-1]) + np.random.default_rng(seed).normal(0.0, NOISE, SHAPE)
    return Volume(np.clip(hu, -1024, 3071).round().astype(np.int16), np.diag([*SPACING, 1.0]))


MIDDLE = (18.0, 18.0, 20.0)
WHOLE = _ball(MIDDLE, 10.0)
MARROW = _ball(MIDDLE, 9.1)


@pytest.mark.parametrize("marrow", [200.0, 130.0, 60.0, 0.0])
def test_a_bone_is_found_whole_however_thin_its_marrow(marrow: float) -> None:
    ct = _ct((WHOLE, CORTEX), (MARROW, marrow))
    found = find_bone(ct)
    assert not found.metal.any() and 140.0 < found.threshold_hu < 170.0
    volume = found.bone.sum() * SPACING.prod()
    # A cortex of 0.9 mm is blurred to three quarters of its HU, whose half lies farther out: by a quarter of a voxel.
    assert volume == pytest.approx(4.0 / 3.0 * np.pi * 10.0**3, abs=0.25 * SPACING[0] * 4.0 * np.pi * 10.0**2)
    truth = _ball(MIDDLE, 10.0, _points())
    assert np.count_nonzero(found.bone != truth) < 0.06 * truth.sum()


def test_a_plate_of_cortex_is_as_thick_as_it_is() -> None:
    """Blur makes what lies above the threshold of cancellous bone half a millimetre thicker on each side."""
    points = FINE
    plate = (np.abs(points[..., 0] - 18.0) < 1.5) & (np.abs(points[..., 1] - 18.0) < 12.0)
    found = find_bone(_ct((plate, CORTEX)))
    row = found.bone[20, 20:40].sum(axis=1) * SPACING[0]
    assert row.mean() == pytest.approx(3.0, abs=0.35)
    plain = (_ct((plate, CORTEX)).voxels[20, 20:40] > 150).sum(axis=1) * SPACING[0]
    assert plain.mean() > row.mean() + 0.5


def test_metal_is_apart_from_bone_and_a_vein_full_of_contrast_is_no_metal() -> None:
    rod = np.hypot(FINE[..., 0] - 18.0, FINE[..., 1] - 18.0) < 2.75
    found = find_bone(_ct((WHOLE, CORTEX), (MARROW, 200.0), (rod, 3200.0)))
    assert not (found.metal & found.bone).any()
    # At the half maximum of metal in muscle and in bone its edge lies within a voxel of where it is.
    assert np.count_nonzero(found.metal) == pytest.approx(np.count_nonzero(rod) / FINER**3, rel=0.25)
    margin = near_metal(found, _ct(), 3.0)
    points = _points()
    away = np.hypot(points[..., 0] - 18.0, points[..., 1] - 18.0)
    assert margin[away < 5.0].all() and not margin[away > 7.0].any()
    vein, beside = _ball((18.0, 10.0, 20.0), 7.0), _ball((18.0, 28.0, 20.0), 6.0)
    found = find_bone(_ct((vein, 3000.0), (beside, CORTEX)))
    assert not found.metal.any() and found.contrast is not None
    true = _ball((18.0, 10.0, 20.0), 6.5, _points())
    assert found.contrast[true].all() and not found.bone[true].any()


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_screw_across_slices_of_3_mm_is_metal(first: int) -> None:
    """6.5 mm thick: of three slices that hold it two hold it in part."""
    screw = (np.hypot(FINE[..., 1] - 18.0, FINE[..., 2] - 20.0) < 3.25) & (np.abs(FINE[..., 0] - 18.0) < 14.0)
    thin = _ct((WHOLE, CORTEX), (MARROW, 200.0), (screw, 3000.0))
    slices = (len(thin.voxels) - first) // 3
    mean = thin.voxels[first : first + 3 * slices].reshape(slices, 3, *thin.voxels.shape[1:]).mean(axis=1)
    matrix = thin.ijk_to_ras @ np.diag([1.0, 1.0, 3.0, 1.0])
    found = find_bone(Volume(mean.round().astype(np.int16), matrix))
    assert found.contrast is None or not found.contrast.any()
    true = np.count_nonzero(screw) / FINER**3 * float(np.prod(SPACING))
    assert np.count_nonzero(found.metal) * 3.0 * float(np.prod(SPACING)) == pytest.approx(true, rel=0.3)


def test_contrast_that_is_not_yet_mixed_is_no_metal_however_thin_its_vein() -> None:
    """A vein of 10 mm, as thick as a screw at its rod, holds 3000 HU on one side and 1400 on the other."""
    away = np.hypot(FINE[..., 0] - 18.0, FINE[..., 1] - 9.0)
    vein = (away < 5.0, 3000.0), ((away < 5.0) & (FINE[..., 0] > 18.0), 1400.0)
    found = find_bone(_ct(*vein, (_ball((18.0, 28.0, 20.0), 6.0), CORTEX)))
    assert not found.metal.any()


@pytest.mark.parametrize("noise", [NOISE, 2.0 * NOISE])
def test_metal_far_off_costs_thin_bone_only_in_slices_that_are_noisier(noise: float) -> None:
    """A lead lies along five of twenty slices, 90 mm from a bone whose shell has no more than 450 HU."""
    k, j, i = np.indices((20, 60, 200), np.float32)
    lead = (np.abs(k - 10.0) < 2.5) & (np.abs(j - 30.0) < 3.0) & (np.abs(i - 20.0) < 15.0)
    away = np.linalg.norm(np.stack([(i - 170.0) * 0.6, (j - 30.0) * 0.6, k - 10.0]), axis=0)
    ball, shell = away < 8.0, (away < 8.0) & (away > 6.0)
    clean = np.select([lead, shell, ball], [3000.0, 450.0, 220.0], MUSCLE)
    hu = ndimage.gaussian_filter(clean, BLUR_MM / SPACING[::-1])
    rough = np.where(np.abs(k - 10.0) < 4.0, noise, NOISE)
    hu += np.random.default_rng(1).normal(0.0, 1.0, hu.shape) * rough
    found = find_bone(Volume(np.clip(hu, -1024, 3071).round().astype(np.int16), np.diag([*SPACING, 1.0])))
    assert found.metal[lead].mean() > 0.9
    kept = found.bone[ball & (np.abs(k - 10.0) < 1.0)].mean()
    assert kept > 0.95 if noise == NOISE else kept < 0.2


@pytest.mark.parametrize("blood", [250.0, 409.0, 550.0])
def test_a_vessel_full_of_contrast_beside_a_bone_is_no_bone(blood: float) -> None:
    """An aorta of 14 mm lies 1.5 mm from a body with thin cortex and old marrow."""
    away = np.hypot(FINE[..., 0] - 18.0, FINE[..., 1] - 8.5)
    body = _ball((18.0, 26.0, 20.0), 9.0), _ball((18.0, 26.0, 20.0), 8.2)
    found = find_bone(_ct((away < 7.0, blood), (body[0], CORTEX), (body[1], 120.0)))
    points = _points()
    vessel = np.hypot(points[..., 0] - 18.0, points[..., 1] - 8.5) < 6.5
    assert found.contrast is not None
    assert found.bone[vessel].mean() < 0.01 and found.contrast[vessel].mean() > 0.95
    true = _ball((18.0, 26.0, 20.0), 9.0, points)
    assert found.bone[true].mean() > 0.97 and found.contrast[true].mean() < 0.01


def test_the_hole_of_an_old_body_is_filled_through_gaps_of_its_cortex_and_the_canal_is_not() -> None:
    """The shell lacks a window of 1.2 mm in its back; a ring of bone behind it holds a canal of 30 HU."""
    x, y, z = (FINE[..., axis] - offset for axis, offset in enumerate((18.0, 12.0, 20.0)))
    shell = (np.maximum(np.hypot(x, y) - 9.0, np.abs(z) - 8.0) < 0.0, CORTEX)
    marrow = (np.maximum(np.hypot(x, y) - 8.2, np.abs(z) - 7.2) < 0.0, 100.0)
    window = ((np.abs(x) < 0.6) & (np.abs(z) < 0.6) & (y > 7.0) & (y < 10.0), 100.0)
    behind = np.hypot(x, y - 15.0)
    ring = ((behind < 8.0) & (behind > 6.5) & (np.abs(z) < 8.0) & (y > 9.0), CORTEX)
    canal = ((behind < 6.5) & (y > 9.0), 30.0)
    found = find_bone(_ct(canal, shell, marrow, window, ring))
    points = _points()
    x, y, z = (points[..., axis] - offset for axis, offset in enumerate((18.0, 12.0, 20.0)))
    assert found.bone[np.maximum(np.hypot(x, y) - 8.0, np.abs(z) - 7.0) < 0.0].mean() > 0.95
    assert not found.bone[(np.hypot(x, y - 15.0) < 5.5) & (y > 10.0)].any()


def test_no_bone_is_said() -> None:
    with pytest.raises(CaseError, match=r"no bone was found in the CT.*200 mm³"):
        find_bone(_ct())
    with pytest.raises(CaseError, match="no bone was found"):
        find_bone(_ct((_ball(MIDDLE, 2.0), CORTEX)))
    air = Volume(np.full((20, 30, 30), -1000, np.int16), np.eye(4))
    with pytest.raises(CaseError, match="no bone was found in the CT"):
        find_bone(air)


def test_values_of_an_mri_are_not_taken_for_a_ct() -> None:
    signal = np.random.default_rng(1).gamma(2.0, 150.0, (10, 20, 20)).astype(np.float32)
    with pytest.raises(CaseError, match="nothing is below water"):
        hounsfield(Image(signal, np.eye(4), {}), "mri.nrrd")
