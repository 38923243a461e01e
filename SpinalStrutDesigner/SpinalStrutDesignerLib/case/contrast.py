"""Blood and organs full of contrast medium, told from bone by having no cortex."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .model import Volume
from .slabs import counted, looked_up, slabs

# Vessels are sought on a grid of about so many mm; the smallest that matter, carotids, have 5 to 7 mm (verify locally).
_GRID_MM = 1.5
_SMOOTHED_MM = 1.0
# Engineering judgement: blood is even. An edge of 300 HU that is smoothed so is steeper than this 1.6 mm to each side.
_EVEN_HU_PER_MM = 30.0
_LEAST_MM3 = 400.0  # 15 mm of a carotid
# Bone has cortex about its marrow, brighter by more than 50 HU within 3 mm: on a fifth and more of the marrow's border
# even in an osteopenic body whose shell is thinner than the slices (measured on a real CT: 0.17 to 0.35 in bodies, at
# most 0.06 in blood, spleen, kidney and thyroid).
_BRIGHTER_HU, _RIM_MM, _LEAST_RIM = 50.0, 3.0, 0.10
# No marrow is even in one piece of such a volume: a lumbar body has 30 000 to 50 000 mm³ (verify locally) with its
# shell. Blood with calcified walls or a stent about it is.
_NO_MARROW_MM3 = 60000.0
# From the even inside to the vessel's edge, and how much brighter than its inside a vessel's edge can be.
_TO_EDGE_MM, _BRIGHTER_EDGE_HU = 3.5, 100.0
# Denser than all cortex (500 to 1900 HU, clinical facts), and what is thinned by blood beside it.
_DENSER_HU, _THINNED_HU = 1900.0, 900.0
# Smaller vessels are no brighter than the blood they come from. Engineering judgement: a fifth for noise.
_NO_BRIGHTER, _BRIGHT_SHARE = 1.2, 0.05
# Engineering judgement: the share of its border that a bone may have against contrast.
_BESIDE_SHARE = 0.15


@dataclass(frozen=True, eq=False)
class Contrast:
    """mask: (k, j, i) bool; blood_hu: of the largest body of blood, None where no contrast was found."""

    mask: np.ndarray
    blood_hu: float | None


def find_contrast(ct: Volume, candidates: np.ndarray, metal: np.ndarray, threshold: float) -> Contrast:
    """What of the candidates for bone is contrast.

    Blood is even, and no edge of it is brighter than its inside; marrow lies within cortex. From the even insides
    contrast reaches to its edge, but not nearer to a cortex than to itself. candidates, metal: (k, j, i) bool.
    """
    step = ct.spacing[::-1]
    stride = np.maximum(np.floor(_GRID_MM / step + 1e-6).astype(int), 1)
    coarse = tuple(slice(None, None, n) for n in stride)
    smooth = _smoothed(ct, stride)
    step = step * stride
    free = smooth > threshold
    free &= ~ndimage.binary_dilation(metal[coarse], iterations=2)
    inside, levels = _insides(smooth, free, step)
    dense = _dense(smooth, free, step)
    if not inside.any() and not dense.any():
        return Contrast(np.zeros_like(candidates), None)
    blood = _blood(inside, levels, smooth, threshold)
    core = (inside > 0) | dense
    away, nearest = ndimage.distance_transform_edt(~core, sampling=step, return_indices=True)
    level = np.where(dense, np.inf, levels[inside])[tuple(nearest)]
    cortex = free & ~core & (smooth > level + _BRIGHTER_EDGE_HU)
    to_cortex = ndimage.distance_transform_edt(~cortex, sampling=step) if cortex.any() else np.inf
    reached = (away <= _TO_EDGE_MM) & (away < to_cortex)
    for axis, n in enumerate(stride):
        reached = np.repeat(reached, n, axis=axis)
    mask = candidates & reached[tuple(slice(n) for n in candidates.shape)]
    return Contrast(mask, blood)


def without_vessels(pieces: np.ndarray, hu: np.ndarray, contrast: Contrast) -> np.ndarray:
    """The pieces of bone without those that are nowhere brighter than blood: vessels too thin to be even inside.

    What lies along contrast with much of its border goes too: walls, and blood that is not yet mixed.
    """
    if contrast.blood_hu is None:
        return pieces
    labels, count = ndimage.label(pieces)
    size = counted(labels, count)
    brighter = np.bincount(labels[hu > _NO_BRIGHTER * contrast.blood_hu], minlength=count + 1)
    border = pieces & ~ndimage.minimum_filter(pieces, 3)
    around = np.bincount(labels[border], minlength=count + 1)
    beside = np.bincount(labels[border & ndimage.maximum_filter(contrast.mask, 3)], minlength=count + 1)
    kept = (brighter > _BRIGHT_SHARE * size) & (beside < _BESIDE_SHARE * around)
    kept[0] = False
    return looked_up(kept, labels)


def _smoothed(ct: Volume, stride: np.ndarray) -> np.ndarray:
    """float32, on every stride-th voxel."""
    sigma = _SMOOTHED_MM / ct.spacing[::-1]
    slices, rows, columns = ct.voxels.shape
    values = np.empty((-(-slices // stride[0]), rows, columns), np.float32)
    for part, _ in slabs((rows, slices, columns)):
        clipped = np.clip(ct.voxels[:, part], -200, 3071).astype(np.float32)
        values[:, part] = ndimage.gaussian_filter1d(clipped, sigma[0], axis=0)[:: stride[0]]
    for axis in (1, 2):
        values = ndimage.gaussian_filter1d(values, sigma[axis], axis=axis)
        values = np.take(values, np.arange(0, values.shape[axis], stride[axis]), axis=axis)
    return values


def _insides(smooth: np.ndarray, free: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbered even insides of contrast (0: none), and their HU by number."""
    steep = np.zeros_like(smooth)
    for axis in range(3):
        if smooth.shape[axis] > 1:
            steep += np.gradient(smooth, step[axis], axis=axis) ** 2
    even = free & (steep < _EVEN_HU_PER_MM**2)
    labels, count = ndimage.label(ndimage.binary_opening(even, ndimage.generate_binary_structure(3, 1)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * float(np.prod(step))
    kept, levels = np.zeros(count + 1, int), np.full(count + 1, -np.inf)
    margin = np.ceil(_RIM_MM / step).astype(int) + 1
    for number, block in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[number] < _LEAST_MM3:
            continue
        wide = tuple(slice(max(part.start - m, 0), part.stop + m) for part, m in zip(block, margin, strict=True))
        piece, hu = labels[wide] == number, smooth[wide]
        level = float(np.median(hu[piece]))
        if sizes[number] > _NO_MARROW_MM3 or _rim(piece, hu, level, step) < _LEAST_RIM:
            kept[number], levels[number] = number, level
    return kept[labels], levels


def _rim(piece: np.ndarray, hu: np.ndarray, level: float, step: np.ndarray) -> float:
    """The share of a piece's border with something brighter close outside."""
    border = piece & ~ndimage.binary_erosion(piece)
    brighter = ~piece & (hu > level + _BRIGHTER_HU)
    if not brighter.any():
        return 0.0
    return float((ndimage.distance_transform_edt(~brighter, sampling=step)[border] <= _RIM_MM).mean())


def _dense(smooth: np.ndarray, free: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: contrast denser than bone, with what is thinned about it."""
    labels, count = ndimage.label(free & (smooth > _THINNED_HU))
    volume = np.bincount(labels.ravel(), (smooth > _DENSER_HU).ravel(), count + 1) * float(np.prod(step))
    kept = volume >= _LEAST_MM3 / 2.0
    kept[0] = False
    return kept[labels]


def _blood(inside: np.ndarray, levels: np.ndarray, smooth: np.ndarray, threshold: float) -> float:
    """HU of the brightest thing that makes up a tenth of all that is even."""
    sizes = np.bincount(inside.ravel(), minlength=len(levels))
    sizes[0] = 0
    large = sizes >= 0.1 * max(int(sizes.sum()), 1)
    return float(levels[large].max()) if large.any() and sizes.any() else threshold
