"""What bone encloses: marrow, and the holes of osteopenic bodies."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .slabs import looked_up

# Old marrow has 89 HU and more (75 to 110 in the slices of a real osteopenic spine, where its densest parts are bone
# already), soft tissue about 52, cord 35 to 40, CSF 15 (clinical facts). Engineering judgement: what bone rings is
# marrow where its mean is so far above the commonest soft tissue; the canal is far below.
_ABOVE_SOFT_HU = 20.0
# Rings are sought on a grid of about so many mm, whose cells are bone where any of their voxels is: so gaps close that
# are thinner than a cell, as osteopenic cortex has them.
_GRID_MM = 1.5
# A body rings its marrow whichever way it is sliced; two bodies ring the disc between them one way at most.
_RINGS = 2


def filled(bone: np.ndarray, hu: np.ndarray, soft_hu: float, spacing: np.ndarray) -> np.ndarray:
    """Bone with what it encloses. bone, hu: (k, j, i), hu smoothed; soft_hu: of soft tissue; spacing: (3,) mm, i, j, k.

    What is enclosed on all sides is bone whatever it holds, also where the shell, thinner than a voxel, has pinholes.
    What bone rings in the slices across two axes is bone where it is marrow by its mean: canal and discs are not.
    """
    bone = bone | _enclosed(bone)
    shell = _pinholes_closed(bone)
    within = _enclosed(shell)
    # With marrow come the pinholes beside it; what else was closed stays open.
    bone = bone | within | (ndimage.maximum_filter(within, 3) & shell)
    ringed = _ringed_marrow(bone, hu, soft_hu + _ABOVE_SOFT_HU, spacing)
    if ringed.any():
        bone |= ringed
        bone |= _enclosed(bone)
    return bone


def _pinholes_closed(bone: np.ndarray) -> np.ndarray:
    """Bone closed by one voxel to each side."""
    return ndimage.minimum_filter(ndimage.maximum_filter(np.pad(bone, 1), 3), 3)[1:-1, 1:-1, 1:-1] | bone


def _enclosed(bone: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: what is not bone and bone encloses on all sides."""
    labels, outer = background(bone, (0, 1, 2))
    return looked_up(~outer, labels)


def background(bone: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The background's parts, numbered (bone: 0), and which of the numbers is bone or reaches the image's border.

    Parts are connected along the axes only.
    """
    structure = np.zeros((3, 3, 3), bool)
    for axis in axes:
        structure[tuple(slice(None) if a == axis else 1 for a in range(3))] = True
    labels, count = ndimage.label(~bone, structure)
    outer = np.zeros(count + 1, bool)
    outer[0] = True
    for axis in axes:
        for end in (0, -1):
            outer[np.take(labels, end, axis=axis)] = True
    return labels, outer


def _ringed_marrow(bone: np.ndarray, hu: np.ndarray, least_hu: float, spacing: np.ndarray) -> np.ndarray:
    """(k, j, i) bool: what bone rings in the slices across two axes and is marrow by its mean HU."""
    stride = np.maximum(np.floor(_GRID_MM / spacing[::-1] + 1e-6).astype(int), 1)
    cells = _cells(bone, stride)
    means = hu[tuple(slice(n // 2, None, n) for n in stride)]
    means = np.pad(means, [(0, c - m) for c, m in zip(cells.shape, means.shape, strict=True)], mode="edge")
    votes = np.zeros(cells.shape, np.uint8)
    for across in range(3):
        labels, outer = background(cells, tuple(axis for axis in range(3) if axis != across))
        size = np.bincount(labels.ravel(), minlength=len(outer))
        mean = np.bincount(labels.ravel(), means.ravel(), len(outer)) / np.maximum(size, 1)
        votes += ((mean >= least_hu) & ~outer)[labels]
    marrow = votes >= _RINGS
    for axis, n in enumerate(stride):
        marrow = np.repeat(marrow, n, axis=axis)
    marrow = marrow[tuple(slice(n) for n in bone.shape)] & ~bone
    # The cells of the ring reach inwards by up to their size: from the marrow to the bone, and not through it.
    return ndimage.binary_dilation(marrow, iterations=int(stride.max()), mask=~bone & (hu > least_hu))


def _cells(bone: np.ndarray, stride: np.ndarray) -> np.ndarray:
    """Which cells of so many voxels hold any bone."""
    padded = np.pad(bone, [(0, -size % n) for size, n in zip(bone.shape, stride, strict=True)])
    k, j, i = (size // n for size, n in zip(padded.shape, stride, strict=True))
    return np.asarray(padded.reshape(k, stride[0], j, stride[1], i, stride[2]).any(axis=(1, 3, 5)))
