"""Vertebrae cut out of the bare CT, each from one seed, against the labels of the cases made for testing."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from row import Row
from segmentation import _draw, dice, surface_error
from SpinalStrutDesignerLib.case.bone import find_bone
from SpinalStrutDesignerLib.case.images import read_image
from SpinalStrutDesignerLib.case.model import Mask, Volume
from SpinalStrutDesignerLib.case.separate import separate_vertebrae
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course

CASES = {
    "case2_c4_t2": ("C4", "T2"),
    "case1_c6_t11": ("C6", "T11"),
    "intact_c1_t5": ("C4", "C6", "T2", "T4"),
}
REAL = tuple(f"T{n}" for n in range(3, 11))
LEAST_DICE, LEAST_DICE_REAL = 0.95, 0.90
_CORE_MM = 5.5  # only a vertebra's body is thicker than twice this


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """Dice, surface error and time of each vertebra."""
    for case, levels in CASES.items():
        folder = data / "synthetic" / case
        image, labels = read_image(folder / "ct.nrrd"), read_image(folder / "labels.nrrd").voxels
        with open(folder / "labels.csv", encoding="utf-8") as file:
            values = {row["name"]: int(row["value"]) for row in csv.DictReader(file)}
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["vertebrae"]
        seeds = {level: np.array(truth[level]["body_centre"]) * [-1, -1, 1] for level in levels}
        ct = Volume(image.voxels, image.ijk_to_ras)
        yield from _rows(case, ct, labels, values, seeds, LEAST_DICE, pictures)
    folder = data / "real"
    image = read_image(folder / "lidc0001_spine_ct.nii.gz")
    labels = read_image(folder / "lidc0001_spine_totalseg_labels.nii.gz").voxels
    with open(folder / "lidc0001_label_names.csv", encoding="utf-8") as file:
        values = {row["structure"].removeprefix("vertebrae_"): int(row["id"]) for row in csv.DictReader(file)}
    ct = Volume(image.voxels, image.ijk_to_ras)
    seeds = {level: _core(labels == values[level], ct) for level in REAL}
    yield from _rows("lidc0001", ct, labels, values, seeds, LEAST_DICE_REAL, pictures)


def _rows(
    case: str,
    ct: Volume,
    labels: np.ndarray,
    values: dict[str, int],
    seeds: dict[str, np.ndarray],
    least: float,
    pictures: Path,
) -> Iterator[Row]:
    bone = find_bone(ct)
    for level, seed in seeds.items():
        start = time.perf_counter()
        course = find_canal_course(Mask(bone.bone, ct.ijk_to_ras), {level: seed})
        result = separate_vertebrae(ct, bone, course, {level: seed})
        seconds = time.perf_counter() - start
        found = _whole(next(s.mask for s in result.structures if s.level == level), ct)
        true = labels == values[level]
        yield Row(case, f"{level} from one seed, Dice", dice(found, true, np.ones_like(true)), least=least)
        yield Row(case, f"{level}, mean distance of the surfaces", surface_error(found, true, ct.spacing[::-1]), "mm")
        yield Row(case, f"{level} found in", seconds, "s")
        _draw(ct, found, true, pictures / f"vertebra_{case}_{level}.png")


def _core(true: np.ndarray, ct: Volume) -> np.ndarray:
    """(3,) RAS mm: the middle of the vertebra's thickest part."""
    from scipy import ndimage

    deep = ndimage.distance_transform_edt(true, sampling=ct.spacing[::-1])
    middle = np.argwhere(deep > min(_CORE_MM, 0.8 * deep.max())).mean(axis=0)[::-1]
    return ct.ijk_to_ras[:3, :3] @ middle + ct.ijk_to_ras[:3, 3]


def _whole(mask: Mask, ct: Volume) -> np.ndarray:
    start = np.rint(ct.to_ijk(mask.ijk_to_ras[:3, 3][None])[0]).astype(int)[::-1]
    voxels = np.zeros(ct.voxels.shape, bool)
    voxels[tuple(slice(a, a + n) for a, n in zip(start, mask.voxels.shape, strict=True))] = mask.voxels
    return voxels
