"""Bone and metal from the CT alone, without any label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .contrast import find_contrast, without_vessels
from .marrow import filled
from .metal import BLOOMING_MM, find_metal, within
from .model import Volume
from .slabs import counted, looked_up, slabs

# Muscle has 40 to 80 HU, blood 45 to 65, discs 70 to 100 (clinical facts).
_SOFT_HU = (0.0, 120.0)
# Bone begins so far above the commonest soft tissue: halfway from there to the 226 HU that is usual (clinical facts),
# below which older cancellous bone lies (89 to 226 HU). Engineering judgement.
_ABOVE_SOFT_HU, _USUAL_HU = 100.0, 226.0
# Noise is smoothed by less than a scanner blurs (0.4 mm), so that edges stay where they are.
SMOOTHED_MM = 0.3
_REACH_SIGMA = 4.0  # beyond it a Gaussian counts as nothing
# An edge lies halfway between the least and the greatest value about it, so far to each side: more than a cortex that
# is blurred is thick, less than two of them are apart.
ABOUT_EDGE_MM = 1.0
CLIPPED_HU = (0.0, 1500.0)  # air counts as soft tissue and metal as dense bone: edges between bone and them stay true
# Cortex has 500 to 1900 HU (clinical facts); streaks reached 430 on the test cases. Engineering judgement: how far from
# cortex they are taken for streaks, and how long metal is that leaves them.
_CORTEX_HU, _FROM_CORTEX_MM, _LONG_MM = 500.0, 3.0, 12.0
# Streaks are looked for so near to long metal (engineering judgement), and all over slices whose soft tissue they make
# noisier: 1.25 to 1.6 times on the test cases, at most 1.2 where a real scan shows dense contrast in the arm and no
# streak. Noise is what is finer than the last.
_NEAR_MM, _NOISIER, _FINE_MM = 40.0, 1.25, 2.0
# Engineering judgement: what is thinner everywhere is a streak or a calcified wall.
_THINNEST_MM = 2.5
_SMALLEST_MM3 = 200.0  # calcified cartilage and plaques are smaller; a vertebra has 3000 mm³ and more


@dataclass(frozen=True, eq=False)
class BoneAndMetal:
    """What was found in a CT. bone, metal: (k, j, i) bool on its grid, apart from each other; threshold_hu: above which
    bone was taken for bone where no edge is near; contrast: (k, j, i) bool, blood and organs full of it."""

    bone: np.ndarray
    metal: np.ndarray
    threshold_hu: float
    contrast: np.ndarray | None = None


def find_bone(ct: Volume) -> BoneAndMetal:
    """Bone and metal of a CT in HU.

    A voxel is bone above a threshold that follows the scan's own soft tissue; near an edge it is where its value is
    more than halfway from the soft tissue to the bone beside it (half maximum, as scanners' edges are defined by), or
    a thin cortex would come out too thick. What bone encloses on all sides is bone too: marrow and holes of osteopenic
    bodies. Small pieces are left out.

    Raises CaseError where nothing is left.
    """
    soft = _soft_tissue(ct.voxels)
    threshold = _USUAL_HU if soft is None else min(soft + _ABOVE_SOFT_HU, _USUAL_HU)
    metal = find_metal(ct)
    smooth = _smoothed(ct)
    reach = [round(ABOUT_EDGE_MM / step) for step in ct.spacing[::-1]]
    bone = _without_streaks(within_edges(smooth, threshold, reach) & ~metal, smooth, metal, ct)
    contrast = find_contrast(ct, (smooth > threshold) & ~metal, metal, threshold)
    likely = bone & ~contrast.mask
    bone = without_vessels(likely, smooth, contrast)
    vessels = contrast.mask | _large(likely & ~bone, ct)
    bone = filled(bone, smooth, threshold - _ABOVE_SOFT_HU if soft is None else soft, ct.spacing)
    bone = _large(bone & ~metal & ~vessels, ct)
    if not bone.any():
        raise CaseError(
            f"no bone was found in the CT: no piece above {threshold:.0f} HU has {_SMALLEST_MM3:g} mm³; give a CT of "
            "the spine in Hounsfield units, or a label map"
        )
    return BoneAndMetal(bone, metal, threshold, vessels)


def near_metal(found: BoneAndMetal, ct: Volume, within_mm: float = BLOOMING_MM) -> np.ndarray:
    """(k, j, i) bool: the voxels no farther from metal than its blooming margin."""
    return within(found.metal, within_mm, ct.spacing)


def _soft_tissue(voxels: np.ndarray) -> float | None:
    """HU, the commonest value of soft tissue in the scan; None where there is none."""
    low, high = _SOFT_HU
    count, edges = np.histogram(voxels, bins=int(high - low), range=_SOFT_HU)
    if not count.any():
        return None
    return float(edges[int(ndimage.gaussian_filter1d(count.astype(float), 5.0).argmax())])


def _smoothed(ct: Volume) -> np.ndarray:
    """(k, j, i) float32 HU."""
    sigma = SMOOTHED_MM / ct.spacing[::-1]
    smooth = np.empty(ct.voxels.shape, np.float32)
    for part, halo in slabs(smooth.shape, int(np.ceil(_REACH_SIGMA * sigma[0]))):
        clipped = np.clip(ct.voxels[halo], *CLIPPED_HU).astype(np.float32)
        here = slice(part.start - halo.start, part.stop - halo.start)
        smooth[part] = ndimage.gaussian_filter(clipped, sigma, truncate=_REACH_SIGMA)[here]
    return smooth


def within_edges(smooth: np.ndarray, threshold: float, reach: Sequence[int]) -> np.ndarray:
    """(k, j, i) bool: above the threshold, and beside soft tissue above the middle of the edge to it.

    smooth: (k, j, i) HU; reach: (3,) how many voxels to each side along k, j, i an edge is looked for.
    """
    size = tuple(2 * n + 1 for n in reach)
    bone = np.zeros(smooth.shape, bool)
    for part, halo in slabs(smooth.shape, reach[0]):
        here = slice(part.start - halo.start, part.stop - halo.start)
        lowest = ndimage.minimum_filter(smooth[halo], size)[here]
        middle = 0.5 * (ndimage.maximum_filter(smooth[halo], size)[here] + lowest)
        bone[part] = smooth[part] > np.where(lowest < 0.75 * threshold, np.maximum(threshold, middle), threshold)
    return bone


def _without_streaks(bone: np.ndarray, smooth: np.ndarray, metal: np.ndarray, ct: Volume) -> np.ndarray:
    """Without the bright streaks about metal that lies along slices: what there is away from all cortex.

    Marrow that goes with them is found again as what bone encloses.
    """
    long = _lies_along(metal, ct.spacing)
    slices = ndimage.binary_dilation(long.any(axis=(1, 2)))
    if not slices.any():
        return bone
    noise = np.array([_noise(values, ct.spacing) for values in ct.voxels])
    usual = np.percentile(noise, 10.0) if slices.all() else np.median(noise[~slices])
    streaky = within(long, _NEAR_MM, ct.spacing) & slices[:, None, None]
    streaky |= (slices & (noise > _NOISIER * usual))[:, None, None]
    cortex = (smooth > _CORTEX_HU) & ~within(metal, BLOOMING_MM, ct.spacing)
    return bone & (within(cortex, _FROM_CORTEX_MM, ct.spacing) | ~streaky)


def _noise(hu: np.ndarray, spacing: np.ndarray) -> float:
    """HU, the median roughness of soft tissue in a slice (j, i)."""
    values = np.clip(hu, *CLIPPED_HU).astype(np.float32)
    even = ndimage.gaussian_filter(values, _FINE_MM / spacing[1::-1])
    soft = (even > _SOFT_HU[0]) & (even < _SOFT_HU[1])
    return float(np.median(np.abs(values - even)[soft])) if soft.any() else 0.0


def _lies_along(metal: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: metal that is so long within a slice that it leaves streaks: a screw, and not a rod."""
    along = np.zeros_like(metal)
    for k in np.flatnonzero(metal.any(axis=(1, 2))):
        labels, _ = ndimage.label(metal[k])
        sizes = [[part.stop - part.start for part in piece] for piece in ndimage.find_objects(labels)]
        long = np.hypot(*(np.array(sizes) * spacing[1::-1]).T) > _LONG_MM
        along[k] = np.r_[False, long][labels]
    return along


def _large(mask: np.ndarray, ct: Volume) -> np.ndarray:
    """The pieces that are neither small nor thin everywhere."""
    labels, count = ndimage.label(mask)
    sizes = counted(labels, count) * float(np.prod(ct.spacing))
    thickest = np.maximum(np.floor((_THINNEST_MM / ct.spacing[::-1] + 1.0) / 2.0).astype(int), 1) * 2 - 1
    deep = ndimage.minimum_filter(mask, tuple(thickest))
    kept = (sizes >= _SMALLEST_MM3) & (np.bincount(labels[deep], minlength=len(sizes)) > 0)
    kept[0] = False
    return looked_up(kept, labels)
