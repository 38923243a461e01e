"""What may be left of destroyed vertebrae between two levels: specks too small to be told from noise by themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .bone import BLOOMING_MM, BoneAndMetal
from .labels import block_matrix
from .metal import within
from .model import Mask, Volume
from .slabs import counted, held_by, looked_up

# Bodies are up to 43 mm wide (clinical facts): what lies farther from the line through them is no part of one.
_REACH_MM = 22.0
# What lies as near to bone is its blurred edge.
_EDGE_MM = 1.0
# Smaller specks move aside, and noise makes them. Engineering judgement.
_SMALLEST_MM3 = 10.0
# A speck's median lies so far above where bone begins; streaks and glands far from metal stayed below (measured on the
# test cases: fragments 22 HU and more, what was none 18 and less).
_ABOVE_HU = 20.0


def find_fragments(ct: Volume, found: BoneAndMetal, canal: np.ndarray, seeds: Mapping[str, np.ndarray]) -> Mask | None:
    """Specks as dense as bone near the line through the bodies, which `find_bone` leaves out; None without any.

    canal: (n, 3) RAS mm, its course; seeds: level to (3,) RAS mm. They may be streaks: a person has to look at them.
    """
    line = cKDTree(_line_of_bodies(canal, seeds))
    dense = (ct.voxels > found.threshold_hu) & ~found.metal & ~within(found.bone, _EDGE_MM, ct.spacing)
    if found.metal.any():
        dense &= ~within(found.metal, BLOOMING_MM, ct.spacing)
    if found.contrast is not None:
        dense &= ~found.contrast
    near = np.zeros_like(dense)
    for kji, points in held_by(dense, ct.ijk_to_ras):
        away, _ = line.query(points, distance_upper_bound=_REACH_MM)
        near[tuple(kji[np.isfinite(away)].T)] = True
    labels, count = ndimage.label(near)
    if count == 0:
        return None
    numbers = np.arange(1, count + 1)
    sizes = counted(labels, count)[1:] * float(np.prod(ct.spacing))
    kept = np.zeros(count + 1, bool)
    median = ndimage.median(ct.voxels[near], labels[near], numbers)
    kept[1:] = (sizes >= _SMALLEST_MM3) & (median > found.threshold_hu + _ABOVE_HU)
    specks = looked_up(kept, labels)
    blocks = ndimage.find_objects(specks.view(np.uint8))
    return Mask(specks[blocks[0]].copy(), block_matrix(ct.ijk_to_ras, blocks[0])) if blocks else None


def _line_of_bodies(canal: np.ndarray, seeds: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, 3) RAS mm between the outermost seeds: the canal's course, brought to the seeds at its ends."""
    points = sorted((np.asarray(seed, dtype=float) for seed in seeds.values()), key=lambda seed: -seed[2])
    first, last = points[0], points[-1]
    start, stop = sorted(int(i) for i in cKDTree(canal).query([first, last])[1])
    along = canal[start : stop + 1]
    share = np.linspace(0.0, 1.0, len(along))[:, None]
    return along + (1.0 - share) * (first - along[0]) + share * (last - along[-1])
