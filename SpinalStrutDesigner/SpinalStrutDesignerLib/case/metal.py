"""Metal in a CT, told from dense contrast in veins by its thickness and by how even it is inside."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .model import Volume
from .slabs import looked_up, slabs

# Titanium lies above 2500 HU (clinical facts); what is about it down to half of that is metal blurred by the scanner.
METAL_HU, _METAL_EDGE_HU = 2500, 1250
# Where a screw of 6.5 mm (clinical facts) meets its rod, metal is 9.6 mm thick as a scanner blurs it (measured on test
# cases); veins full of contrast reach as many HU and are thicker.
_THICKEST_MM = 12.0
# So deep under its own edge a scanner's blur (0.4 mm, 1 mm where it is soft) no longer dims metal; contrast that blood
# thins is uneven there. Nor is a piece's outermost voxel trusted, which metal fills in part: of 3 mm its middle lies
# deeper than that. Engineering judgement: how much of what is so deep metal fills.
_DEEP_MM, _EVEN = 1.6, 0.8
# Around metal the CT shows bright and dark streaks: what is found there is not to be trusted (clinical facts: a streak
# of -848 HU was measured near a screw). Engineering judgement.
BLOOMING_MM = 3.0


def find_metal(ct: Volume) -> np.ndarray:
    """(k, j, i) bool: pieces as dense as metal somewhere, no thicker than screws and rods, and dense all through."""
    dense = ct.voxels > _METAL_EDGE_HU
    labels, count = ndimage.label(dense)
    if count == 0:
        return dense
    metal = np.zeros(count + 1, bool)
    pieces = ndimage.find_objects(labels)
    for number in np.unique(labels[ct.voxels > METAL_HU]):
        if number > 0:
            block = pieces[number - 1]
            metal[number] = _is_metal(labels[block] == number, ct.voxels[block], ct.spacing[::-1])
    return looked_up(metal, labels)


def _is_metal(piece: np.ndarray, hu: np.ndarray, step: np.ndarray) -> bool:
    depth = ndimage.distance_transform_edt(np.pad(piece, 1), sampling=step)[1:-1, 1:-1, 1:-1]
    if 2.0 * depth.max() > _THICKEST_MM:
        return False
    deep = depth >= _DEEP_MM
    inner = deep & ndimage.binary_erosion(piece)
    deep = inner if inner.any() else deep
    return not deep.any() or float((hu[deep] > METAL_HU).mean()) >= _EVEN


def within(mask: np.ndarray, distance_mm: float, spacing: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: the voxels no farther than distance_mm from mask; spacing: (3,) mm along i, j, k.

    Distances are taken in slabs about the mask only, which holds in little memory what is needed of them.
    """
    near = np.zeros_like(mask)
    step = spacing[::-1]
    margin = np.ceil(distance_mm / step).astype(int) + 1
    for part, halo in slabs(mask.shape, int(margin[0])):
        found = ndimage.find_objects(mask[halo].astype(np.uint8))
        if not found:
            continue
        rows, columns = (slice(max(s.start - m, 0), s.stop + m) for s, m in zip(found[0][1:], margin[1:], strict=True))
        close = ndimage.distance_transform_edt(~mask[halo, rows, columns], sampling=step) <= distance_mm
        near[part, rows, columns] = close[part.start - halo.start : part.stop - halo.start]
    return near
