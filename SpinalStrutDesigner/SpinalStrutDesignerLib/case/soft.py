"""Keep-outs that a CT shows by HU and shape alone; what it does not show is not made up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from .air import WALL_MM, find_airway, find_lungs
from .bone import BoneAndMetal
from .fragments import find_fragments
from .labels import block_matrix
from .metal import within
from .model import Mask, Role, Structure, Volume
from .spinal_canal import canal_block

# About the seeds: half a chest to the sides is more than a strut and its instruments need. In front lie the airway and
# the great vessels within 70 mm, behind the spinous processes within 90 mm. Engineering judgement.
_SIDE_MM, _AHEAD_MM, _BEHIND_MM, _BEYOND_MM = 75.0, 80.0, 95.0, 70.0
# What is smaller is noise.
_SMALLEST_MM3 = 100.0


def spine_crop(ct: Volume, seeds: Mapping[str, np.ndarray]) -> Volume:
    """The part of a CT about the seeds: (3,) RAS mm by name. A view, not a copy.

    Raises CaseError where a seed lies outside the CT.
    """
    points = np.array([np.asarray(seed, dtype=float) for seed in seeds.values()])
    size = np.array(ct.voxels.shape[::-1])
    for name, ijk in zip(seeds, ct.to_ijk(points), strict=True):
        if (ijk < -0.5).any() or (ijk > size - 0.5).any():
            raise CaseError(f"the point given for {name} lies outside the CT; set it in the middle of {name}'s body")
    low = points.min(axis=0) - np.array([_SIDE_MM, _BEHIND_MM, _BEYOND_MM])
    high = points.max(axis=0) + np.array([_SIDE_MM, _AHEAD_MM, _BEYOND_MM])
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    ijk = ct.to_ijk(corners)
    i0, j0, k0 = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, size - 1)
    i1, j1, k1 = np.clip(np.ceil(ijk.max(axis=0)).astype(int), 0, size - 1)
    block = slice(int(k0), int(k1) + 1), slice(int(j0), int(j1) + 1), slice(int(i0), int(i1) + 1)
    return Volume(ct.voxels[block], block_matrix(ct.ijk_to_ras, block))


def find_keepouts(
    ct: Volume, found: BoneAndMetal, course: np.ndarray, seeds: Mapping[str, np.ndarray]
) -> tuple[Structure, ...]:
    """Airway with its wall, lungs, spinal canal, fragments of bone, contrast and metal, as far as they are in view.

    found: of the same CT; course: (n, 3) RAS mm of the canal, as `find_canal_course` gives it; seeds: level to (3,) RAS
    mm in vertebral bodies. Vessels without contrast, oesophagus, nerves and dura are not seen and not here.
    """
    airway = find_airway(ct)
    lungs = find_lungs(ct, airway)
    walled = within(airway, WALL_MM, ct.spacing) & ~found.bone & ~found.metal
    bone = Mask(found.bone, ct.ijk_to_ras)
    masks: list[tuple[str, Role, Mask | None]] = [
        ("airway", "keepout_critical", _cropped(walled, ct)),
        ("lungs", "keepout_soft", _cropped(lungs & ~walled, ct)),
        ("spinal_canal", "keepout_critical", canal_block(bone, course)),
        ("bone_fragments", "bone", find_fragments(ct, found, course, seeds)),
        ("metal", "metal", _cropped(found.metal, ct)),
    ]
    if found.contrast is not None:
        masks.append(("contrast_vessels", "keepout_critical", _cropped(found.contrast, ct)))
    return tuple(Structure(name, role, mask) for name, role, mask in masks if mask is not None)


def _cropped(mask: np.ndarray, ct: Volume) -> Mask | None:
    """The mask's own block; None where there is hardly anything in it."""
    found = ndimage.find_objects(mask.view(np.uint8))
    if not found or mask.sum() * float(np.prod(ct.spacing)) < _SMALLEST_MM3:
        return None
    return Mask(mask[found[0]].copy(), block_matrix(ct.ijk_to_ras, found[0]))
