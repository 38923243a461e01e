"""Bone found in the bare CT against the labels of the cases made for testing."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from row import Row
from scipy import ndimage
from SpinalStrutDesignerLib.case.bone import BLOOMING_MM, find_bone
from SpinalStrutDesignerLib.case.images import read_image
from SpinalStrutDesignerLib.case.model import Volume

CASES = ("case2_c4_t2", "intact_c1_t5", "case1_c6_t11")
# What a plain threshold of 226 HU reaches (given with the cases).
PLAIN_HU = 226
LEAST_DICE, MOST_VOXELS = 0.93, 0.5


def rows(data: Path, pictures: Path) -> Iterator[Row]:
    """Dice and surface error of each case, outside the margin of metal."""
    for case in CASES:
        ct, bone, metal = _case(data / "synthetic" / case)
        start = time.perf_counter()
        found = find_bone(ct)
        seconds = time.perf_counter() - start
        counted = _apart(metal, ct)
        yield Row(case, "bone, Dice", dice(found.bone, bone, counted), least=LEAST_DICE)
        yield Row(case, f"  of a plain threshold of {PLAIN_HU} HU", dice(ct.voxels > PLAIN_HU, bone, counted))
        error = surface_error(found.bone & counted, bone & counted, ct.spacing[::-1])
        yield Row(case, "bone, mean distance of the surfaces", error / ct.spacing.min(), "voxel", most=MOST_VOXELS)
        if metal.any():
            yield Row(case, "metal, Dice", dice(found.metal, metal, np.ones_like(metal)))
        yield Row(case, "bone and metal found in", seconds, "s")
        _draw(ct, found.bone, bone, pictures / f"bone_{case}.png")


def dice(found: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> float:
    """Twice what both share over what both have, of the voxels that are counted."""
    both = np.count_nonzero(found & truth & counted)
    return 2.0 * both / (np.count_nonzero(found & counted) + np.count_nonzero(truth & counted))


def surface_error(found: np.ndarray, truth: np.ndarray, spacing: np.ndarray) -> float:
    """mm: mean distance from the border voxels of each to those of the other, both ways."""
    borders = [mask & ~ndimage.binary_erosion(mask) for mask in (found, truth)]
    away = [ndimage.distance_transform_edt(~border, sampling=spacing) for border in borders]
    return float(away[1][borders[0]].mean() + away[0][borders[1]].mean()) / 2.0


def _case(folder: Path) -> tuple[Volume, np.ndarray, np.ndarray]:
    image, labels = read_image(folder / "ct.nrrd"), read_image(folder / "labels.nrrd").voxels
    with open(folder / "labels.csv", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    bone, metal = (
        np.isin(labels, [int(row["value"]) for row in table if row["role"] == role]) for role in ("bone", "metal")
    )
    return Volume(image.voxels, image.ijk_to_ras), bone, metal


def _apart(metal: np.ndarray, ct: Volume) -> np.ndarray:
    if not metal.any():
        return np.ones_like(metal)
    return ndimage.distance_transform_edt(~metal, sampling=ct.spacing[::-1]) > BLOOMING_MM


def _draw(ct: Volume, found: np.ndarray, truth: np.ndarray, path: Path) -> None:
    """A sagittal and a coronal slice through the middle of the bone: found in red, truth in green, both in yellow."""
    middle = np.argwhere(truth).mean(axis=0).round().astype(int)
    panels = []
    for axis in (2, 1):
        grey, red, green = (np.take(array, middle[axis], axis=axis)[::-1] for array in (ct.voxels, found, truth))
        shade = (np.clip((grey + 200.0) / 1000.0, 0.0, 1.0) * 255.0).astype(np.uint8)
        picture = np.stack([shade] * 3, axis=-1)
        for channel, mask in ((0, red), (1, green)):
            edge = mask & ~ndimage.binary_erosion(mask)
            picture[edge] = np.where(np.arange(3) == channel, 255, picture[edge] * (picture[edge] == 255))
        panels.append(picture.repeat(3, axis=0).repeat(3, axis=1))
    sheet = np.concatenate(panels, axis=1)
    sitk.WriteImage(sitk.GetImageFromArray(sheet, isVector=True), str(path))
