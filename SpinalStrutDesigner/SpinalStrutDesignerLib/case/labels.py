"""Structures from a label map on the CT's grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .images import Image
from .model import Mask, Structure, Volume
from .roles import Meaning

# Two files of the same grid may differ by the rounding of their headers, not by a tenth of a voxel.
_SAME_PLACE = 0.05


def structures_of_labels(
    labels: Image, ct: Volume, table: Mapping[int, Meaning], path: Path
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """The structures in a label map, in the order of their values, and what the table could not give a meaning to.

    Raises CaseError when the label map does not lie on the CT's grid or does not hold whole numbers.
    """
    if labels.voxels.ndim != 3:
        raise CaseError(f"'{path}' holds {labels.voxels.shape[-1]} values for each voxel; a label map has one")
    check_same_grid(labels.voxels.shape, labels.ijk_to_ras, ct, f"label map '{path}'")
    voxels = _whole_numbers(labels.voxels, path)
    structures, unknown = [], []
    for value, block in enumerate(ndimage.find_objects(voxels), start=1):
        if block is None:
            continue
        inside = voxels[block] == value
        meaning = table.get(value)
        if meaning is None or meaning.role is None:
            called = f"'{meaning.name}' (value {value})" if meaning else f"value {value}"
            unknown.append(f"{called}, {int(inside.sum())} voxels")
            continue
        mask = Mask(inside, block_matrix(ct.ijk_to_ras, block))
        structures.append(Structure(meaning.name, meaning.role, mask, value, meaning.level))
    return tuple(structures), tuple(unknown)


def check_same_grid(shape: tuple[int, ...], ijk_to_ras: np.ndarray, ct: Volume, where: str) -> None:
    """Raises CaseError with both geometries unless every voxel lies where the CT's does."""
    if shape == ct.voxels.shape:
        i, j, k = np.array(shape[::-1]) - 1
        corners = np.array([[0, 0, 0, 1], [i, 0, 0, 1], [0, j, 0, 1], [0, 0, k, 1]], dtype=float)
        apart = np.abs((corners @ (ijk_to_ras - ct.ijk_to_ras).T)[:, :3]).max()
        if apart <= _SAME_PLACE * ct.spacing.min():
            return
    raise CaseError(
        f"the {where} does not lie on the CT's grid: it has {geometry_text(shape, ijk_to_ras)}, the CT has "
        f"{geometry_text(ct.voxels.shape, ct.ijk_to_ras)}; resample the labels to the CT (nearest neighbour) or give "
        "the CT they were drawn on"
    )


def geometry_text(shape: tuple[int, ...], ijk_to_ras: np.ndarray) -> str:
    """A grid in words: size, spacing, first voxel and axes in RAS."""
    size = "×".join(str(n) for n in shape[:3][::-1])
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    axes = (ijk_to_ras[:3, :3] / spacing + 0.0).round(3).T.tolist()
    origin = (ijk_to_ras[:3, 3] + 0.0).round(2).tolist()
    return f"{size} voxels of {'×'.join(f'{s:.4g}' for s in spacing)} mm from {origin} RAS along {axes}"


def block_matrix(ijk_to_ras: np.ndarray, block: tuple[slice, slice, slice]) -> np.ndarray:
    """The 4x4 of a block of voxels (k, j, i slices)."""
    matrix = ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ np.array([s.start for s in block][::-1], dtype=float)
    return matrix


def _whole_numbers(voxels: np.ndarray, path: Path) -> np.ndarray:
    if voxels.dtype.kind == "f" and not np.array_equal(voxels, np.rint(voxels)):
        raise CaseError(f"the label map '{path}' holds fractions: resample labels with nearest neighbour only")
    low, high = int(voxels.min()), int(voxels.max())
    if low < 0 or high > 65535:
        raise CaseError(f"the label map '{path}' has values from {low} to {high}; labels are 0 to 65535")
    if high == 0:
        raise CaseError(f"the label map '{path}' is empty: every voxel is 0; give the map with the structures")
    return voxels if voxels.dtype.kind in "ui" and voxels.dtype.itemsize <= 2 else voxels.astype(np.int32)
