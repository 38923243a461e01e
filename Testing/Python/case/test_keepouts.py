"""Keep-outs found in the made-up spine of the project, whose structures are known, as scanners may deliver it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from shared_phantom import shared_phantom
from SpinalStrutDesignerLib.case.air import WALL_MM
from SpinalStrutDesignerLib.case.bone import BoneAndMetal, find_bone
from SpinalStrutDesignerLib.case.labels import block_matrix
from SpinalStrutDesignerLib.case.model import Case, Mask, Structure, Volume
from SpinalStrutDesignerLib.case.phantom import phantom_truth
from SpinalStrutDesignerLib.case.soft import find_keepouts, spine_crop
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course
from SpinalStrutDesignerLib.errors import CaseError

LEVELS = ("C4", "T2")


def kept_clear_of(ct, found, seeds):
    """The keep-outs of a CT, by way of its canal."""
    course = find_canal_course(Mask(found.bone, ct.ijk_to_ras), seeds)
    return find_keepouts(ct, found, course, seeds)


@cache
def phantom() -> tuple[Case, dict[str, np.ndarray]]:
    """The phantom cut to 40 mm about the two levels, and where these are."""
    whole, bodies = shared_phantom(), phantom_truth().bodies
    seeds = {level: bodies[level] for level in LEVELS}
    ends = np.array(list(seeds.values()))
    first, last = ends.min(axis=0) - np.array([40.0, 60.0, 40.0]), ends.max(axis=0) + np.array([40.0, 45.0, 40.0])
    corners = whole.ct.to_ijk(np.stack([first, last]))
    low, high = np.rint(np.sort(corners, axis=0)).astype(int)[:, ::-1].clip(0, np.array(whole.ct.voxels.shape))
    block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    ct = Volume(whole.ct.voxels[block], block_matrix(whole.ct.ijk_to_ras, block))
    return replace(whole, ct=ct), seeds


@cache
def in_phantom() -> tuple[BoneAndMetal, dict[str, Structure]]:
    case, seeds = phantom()
    found = find_bone(case.ct)
    return found, {s.name: s for s in kept_clear_of(case.ct, found, seeds)}


def covered(structure: Structure, points: np.ndarray) -> float:
    """The share of points whose nearest voxel is the structure's."""
    mask = structure.mask
    inverse = np.linalg.inv(mask.ijk_to_ras)
    kji = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)[:, ::-1]
    inside = ((kji >= 0) & (kji < mask.voxels.shape)).all(axis=1)
    return float(mask.voxels[tuple(kji[inside].T)].sum() / len(points))


def between_seeds(points: np.ndarray, seeds: dict[str, np.ndarray]) -> np.ndarray:
    heights = sorted(seed[2] for seed in seeds.values())
    return points[(points[:, 2] > heights[0]) & (points[:, 2] < heights[1])]


def true_cord(seeds: dict[str, np.ndarray]) -> np.ndarray:
    return between_seeds(phantom()[0].structure("spinal_cord").points, seeds)


def test_the_canal_holds_the_cord_and_the_dura_where_bodies_are_gone() -> None:
    case, seeds = phantom()
    canal = in_phantom()[1]["spinal_canal"]
    assert canal.role == "keepout_critical"
    assert covered(canal, true_cord(seeds)) > 0.995
    assert covered(canal, between_seeds(case.structure("dural_sac").points, seeds)) > 0.95
    # It is the canal and not the neck: no more than 13 mm of radius about the cord's line.
    line = phantom_truth().cord
    away = np.linalg.norm(between_seeds(canal.points, seeds)[::7, None] - line[None, ::3], axis=2).min(axis=1)
    assert away.max() < 16.0


def test_the_airway_is_where_it_was_made_and_nothing_is_made_up() -> None:
    case, seeds = phantom()
    structures = in_phantom()[1]
    airway = structures["airway"]
    true = next(s for s in case.structures if "trachea" in s.name)
    assert covered(airway, between_seeds(true.points, seeds)) > 0.9
    # With a wall of 1.5 mm, and never more than that and a voxel's diagonal.
    assert true.distance(between_seeds(airway.points, seeds)).max() < WALL_MM + 1.4
    assert "metal" not in structures and "contrast_vessels" not in structures


def test_nothing_is_found_twice() -> None:
    case, _ = phantom()
    found, structures = in_phantom()
    for name in ("spinal_canal", "airway"):
        inside = structures[name].points
        kji = np.rint(case.ct.to_ijk(inside)).astype(int)[:, ::-1]
        assert not found.bone[tuple(kji.T)].any(), name


def turned(kind: str) -> Volume:
    """The phantom's CT as other scanners deliver it."""
    ct = phantom()[0].ct
    if kind == "mirrored":  # columns stored the other way round, which is the same patient
        matrix = ct.ijk_to_ras.copy()
        matrix[:3, 3] += matrix[:3, 0] * (ct.voxels.shape[2] - 1)
        matrix[:3, 0] *= -1.0
        return Volume(ct.voxels[:, :, ::-1], matrix)
    if kind == "3 mm slices":
        factor = round(3.0 / ct.spacing[2])
        slices = len(ct.voxels) // factor
        mean = ct.voxels[: slices * factor].reshape(slices, factor, *ct.voxels.shape[1:]).mean(axis=1)
        matrix = ct.ijk_to_ras.copy()
        matrix[:3, 3] += matrix[:3, 2] * (factor - 1) / 2.0
        matrix[:3, 2] *= factor
        return Volume(mean.round().astype(np.int16), matrix)
    # Oblique: the grid, and not the patient, is turned by 18 degrees.
    rotation = Rotation.from_euler("xyz", [18.0, -7.0, 10.0], degrees=True).as_matrix()
    step, shape = 1.0, np.array(ct.voxels.shape) * ct.spacing[::-1]
    middle = ct.ijk_to_ras[:3, :3] @ ((np.array(ct.voxels.shape[::-1]) - 1) / 2.0) + ct.ijk_to_ras[:3, 3]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * step
    size = np.ceil(shape * 1.2 / step).astype(int)
    matrix[:3, 3] = middle - matrix[:3, :3] @ ((size[::-1] - 1) / 2.0)
    to_old = np.linalg.inv(ct.ijk_to_ras) @ matrix
    voxels = ndimage.affine_transform(
        ct.voxels, to_old[:3, :3][::-1, ::-1], to_old[:3, 3][::-1], tuple(size), order=1, cval=-1024
    )
    return Volume(voxels, matrix)


@pytest.mark.parametrize("kind", ["mirrored", "3 mm slices", "oblique"])
def test_the_canal_is_found_in_whatever_grid_the_patient_lies(kind: str) -> None:
    """Stated loss on 3 mm slices: a fiftieth of the cord."""
    _, seeds = phantom()
    ct = turned(kind)
    found = find_bone(ct)
    canal = {s.name: s for s in kept_clear_of(ct, found, seeds)}["spinal_canal"]
    assert covered(canal, true_cord(seeds)) > (0.98 if kind == "3 mm slices" else 0.99)


def test_a_crop_shows_the_same() -> None:
    (case, _), (whole, _) = phantom(), in_phantom()
    ct = Volume(
        case.ct.voxels[10:-15, 12:-9, 7:-11],
        block_matrix(case.ct.ijk_to_ras, (slice(10, 0), slice(12, 0), slice(7, 0))),
    )
    found = find_bone(ct)
    same = whole.bone[10:-15, 12:-9, 7:-11]
    assert 2 * np.count_nonzero(found.bone & same) / (found.bone.sum() + same.sum()) > 0.97


def test_a_large_scan_is_cut_to_the_spine() -> None:
    wide = Volume(np.zeros((300, 400, 400), np.int16), np.eye(4))
    cut = spine_crop(wide, {"C4": np.array([200.0, 200.0, 150.0]), "C6": np.array([200.0, 200.0, 120.0])})
    assert np.shares_memory(cut.voxels, wide.voxels) and cut.voxels.shape == (171, 176, 151)
    assert np.allclose(cut.to_ijk(np.array([[200.0, 200.0, 150.0]])), [[75.0, 95.0, 100.0]])


def test_wrong_seeds_are_told() -> None:
    case, seeds = phantom()
    found = in_phantom()[0]
    far = {"C4": seeds["C4"], "T2": seeds["T2"] + [0.0, 0.0, -500.0]}
    with pytest.raises(CaseError, match="T2 lies outside the CT"):
        spine_crop(case.ct, far)
    k = round(float(case.ct.to_ijk(seeds["C4"][None])[0][2]))
    thin = Mask(found.bone[k - 4 : k + 5], block_matrix(case.ct.ijk_to_ras, np.s_[k - 4 : k + 5, 0:1, 0:1]))
    with pytest.raises(CaseError, match=r"canal is seen over \d+ mm only behind C4"):
        find_canal_course(thin, {"C4": seeds["C4"]})
    empty = BoneAndMetal(np.zeros_like(found.bone), found.metal, 150.0)
    with pytest.raises(CaseError, match=r"no spinal canal is seen behind the point of C4"):
        kept_clear_of(case.ct, empty, seeds)


def test_the_same_scan_gives_the_same_voxels() -> None:
    case, seeds = phantom()
    once, twice = in_phantom()[1], kept_clear_of(case.ct, in_phantom()[0], seeds)
    assert all(np.array_equal(once[s.name].mask.voxels, s.mask.voxels) for s in twice) and len(once) == len(twice)
