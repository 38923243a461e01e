"""Bone and metal from the CT alone, without any label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .model import Volume

# Muscle has 40 to 80 HU, blood 45 to 65, discs 70 to 100 (clinical facts).
_SOFT_HU = (0.0, 120.0)
# Bone begins so far above the commonest soft tissue: halfway from there to the 226 HU that is usual (clinical facts),
# below which older cancellous bone lies (89 to 226 HU). Engineering judgement.
_ABOVE_SOFT_HU, _USUAL_HU = 100.0, 226.0
# Titanium lies above 2500 HU (clinical facts); what is about it down to half of that is metal blurred by the scanner.
_METAL_HU, _METAL_EDGE_HU = 2500.0, 1250.0
# Where a screw of 6.5 mm (clinical facts) meets its rod, metal is 9.6 mm thick as a scanner blurs it (measured on test
# cases); veins full of contrast reach as many HU and are thicker.
_THICKEST_METAL_MM = 12.0
# Around metal the CT shows bright and dark streaks: what is found there is not to be trusted (clinical facts: a streak
# of -848 HU was measured near a screw). Engineering judgement.
BLOOMING_MM = 3.0
# Noise is smoothed by less than a scanner blurs (0.4 mm), so that edges stay where they are.
_SMOOTHED_MM = 0.3
# An edge lies halfway between the least and the greatest value about it, so far to each side: more than a cortex that
# is blurred is thick, less than two of them are apart.
_ABOUT_EDGE_MM = 1.0
_CLIPPED_HU = (0.0, 1500.0)  # air counts as soft tissue and metal as dense bone: edges between bone and them stay true
_AROUND = ndimage.generate_binary_structure(3, 3)
# Cortex has 500 to 1900 HU (clinical facts); streaks reached 430 on the test cases. Engineering judgement: how far from
# cortex they are taken for streaks, and how long metal is that leaves them.
_CORTEX_HU, _FROM_CORTEX_MM, _LONG_MM = 500.0, 3.0, 12.0
# Engineering judgement: what is thinner everywhere is a streak or a calcified wall.
_THINNEST_MM = 2.5
_SMALLEST_MM3 = 200.0  # calcified cartilage and plaques are smaller; a vertebra has 3000 mm³ and more


@dataclass(frozen=True, eq=False)
class BoneAndMetal:
    """What was found in a CT. bone, metal: (k, j, i) bool on its grid, apart from each other; threshold_hu: above which
    bone was taken for bone where no edge is near."""

    bone: np.ndarray
    metal: np.ndarray
    threshold_hu: float


def find_bone(ct: Volume) -> BoneAndMetal:
    """Bone and metal of a CT in HU.

    A voxel is bone above a threshold that follows the scan's own soft tissue; near an edge it is where its value is
    more than halfway from the soft tissue to the bone beside it (half maximum, as scanners' edges are defined by), or
    a thin cortex would come out too thick. What bone encloses on all sides is bone too: marrow and holes of osteopenic
    bodies. Small pieces are left out.

    Raises CaseError where nothing is left.
    """
    threshold = _threshold(ct.voxels)
    metal = _metal(ct)
    smooth = ndimage.gaussian_filter(
        np.clip(ct.voxels, *_CLIPPED_HU).astype(np.float32), _SMOOTHED_MM / ct.spacing[::-1]
    )
    size = tuple(2 * round(_ABOUT_EDGE_MM / step) + 1 for step in ct.spacing[::-1])
    highest, lowest = ndimage.maximum_filter(smooth, size), ndimage.minimum_filter(smooth, size)
    level = np.where(lowest < 0.75 * threshold, np.maximum(threshold, 0.5 * (highest + lowest)), threshold)
    bone = _without_streaks((smooth > level) & ~metal, smooth, metal, ct)
    bone = _large(_filled(bone) & ~metal, ct)
    if not bone.any():
        raise CaseError(
            f"no bone was found in the CT: no piece above {threshold:.0f} HU has {_SMALLEST_MM3:g} mm³; give a CT of "
            "the spine in Hounsfield units, or a label map"
        )
    return BoneAndMetal(bone, metal, threshold)


def near_metal(found: BoneAndMetal, ct: Volume, within_mm: float = BLOOMING_MM) -> np.ndarray:
    """(k, j, i) bool: the voxels no farther from metal than its blooming margin."""
    if not found.metal.any():
        return np.zeros_like(found.metal)
    return ndimage.distance_transform_edt(~found.metal, sampling=ct.spacing[::-1]) <= within_mm


def _filled(bone: np.ndarray) -> np.ndarray:
    """Bone with what it encloses, also where its shell, thinner than a voxel, has pinholes."""
    bone = ndimage.binary_fill_holes(bone)
    shell = ndimage.binary_closing(np.pad(bone, 1), _AROUND)[1:-1, 1:-1, 1:-1] | bone
    enclosed = ndimage.binary_fill_holes(shell) & ~shell
    # With marrow come the pinholes beside it; what else was closed stays open.
    return bone | enclosed | (ndimage.binary_dilation(enclosed, _AROUND) & shell)


def _threshold(voxels: np.ndarray) -> float:
    """HU above which a voxel is bone: by the commonest value of soft tissue in the scan."""
    low, high = _SOFT_HU
    count, edges = np.histogram(voxels, bins=int(high - low), range=_SOFT_HU)
    if not count.any():
        return _USUAL_HU
    commonest = int(ndimage.gaussian_filter1d(count.astype(float), 5.0).argmax())
    return min(float(edges[commonest]) + _ABOVE_SOFT_HU, _USUAL_HU)


def _metal(ct: Volume) -> np.ndarray:
    """(k, j, i) bool: pieces that are as dense as metal somewhere, and nowhere thicker than screws and rods."""
    dense = ct.voxels > _METAL_EDGE_HU
    labels, count = ndimage.label(dense)
    if count == 0:
        return dense
    metal = np.zeros(count + 1, bool)
    pieces = ndimage.find_objects(labels)
    for number in np.unique(labels[ct.voxels > _METAL_HU]):
        if number > 0:
            piece = np.pad(labels[pieces[number - 1]] == number, 1)
            deepest = ndimage.distance_transform_edt(piece, sampling=ct.spacing[::-1]).max()
            metal[number] = 2.0 * deepest <= _THICKEST_METAL_MM
    return metal[labels]


def _without_streaks(bone: np.ndarray, smooth: np.ndarray, metal: np.ndarray, ct: Volume) -> np.ndarray:
    """Without the bright streaks in slices that metal lies along: what there is away from all cortex.

    Marrow that goes with them is found again as what bone encloses.
    """
    slices = ndimage.binary_dilation(_lies_along(metal, ct.spacing))
    if not slices.any():
        return bone
    cortex = (smooth > _CORTEX_HU) & (ndimage.distance_transform_edt(~metal, sampling=ct.spacing[::-1]) > BLOOMING_MM)
    away = ndimage.distance_transform_edt(~cortex, sampling=ct.spacing[::-1]) > _FROM_CORTEX_MM
    return bone & ~(away & slices[:, None, None])


def _lies_along(metal: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """(k,) bool: the slices in which a piece of metal is so long that it leaves streaks: a screw, and not a rod."""
    along = np.zeros(len(metal), bool)
    for k in np.flatnonzero(metal.any(axis=(1, 2))):
        pieces = ndimage.find_objects(ndimage.label(metal[k])[0])
        sizes = [[part.stop - part.start for part in piece] for piece in pieces]
        along[k] = np.hypot(*(np.array(sizes) * spacing[1::-1]).T).max() > _LONG_MM
    return along


def _large(mask: np.ndarray, ct: Volume) -> np.ndarray:
    """The pieces that are neither small nor thin everywhere."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel()) * float(np.prod(ct.spacing))
    deep = ndimage.distance_transform_edt(mask, sampling=ct.spacing[::-1]) >= 0.5 * _THINNEST_MM
    kept = (sizes >= _SMALLEST_MM3) & (np.bincount(labels.ravel(), deep.ravel()) > 0)
    kept[0] = False
    return kept[labels]
