"""A structure's separate parts: vessels of both sides under one name move each by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from .distance import tightened
from .model import Mask, Structure

_SMALLEST_MM3 = 50.0  # smaller parts are taken for noise of the labels, unless there is nothing larger


def pieces(structure: Structure) -> tuple[Structure, ...]:
    """The connected parts of a structure, largest first, each as a structure of its own; itself where it is one."""
    mask = structure.mask
    numbers, count = ndimage.label(mask.voxels, ndimage.generate_binary_structure(3, 3))
    if count < 2:
        return (structure,)
    sizes = np.bincount(numbers.ravel())[1:] * mask.volume / max(int(mask.voxels.sum()), 1)
    order = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] >= _SMALLEST_MM3] or [int(np.argmax(sizes))]
    return tuple(replace(structure, mask=tightened(Mask(numbers == k + 1, mask.ijk_to_ras))) for k in order)
