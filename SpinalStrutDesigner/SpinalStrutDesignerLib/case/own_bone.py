"""A vertebra's own bone on the CT's grid: with its marrow, without discs and metal."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import ndimage

from .bone import BLOOMING_MM, BoneAndMetal
from .labels import block_matrix
from .model import Mask, Volume
from .parting import CORNER_MM, OSTEOPENIC, RIM_MM, STEP_MM, Block, depth_near
from .star import Star
from .stations import Station

_CLOSED_MM = 2.0


def own_bone(ct: Volume, found: BoneAndMetal, block: Block, labels: np.ndarray, own: Station, soft_hu: float) -> Mask:
    """The first station's bone on the CT's own grid, with its marrow and without metal."""
    star = own.star
    assert star is not None
    # A voxel of the CT takes the label that is nearest on the coarser grid.
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    labels = labels[tuple(nearest)]
    mine = np.argwhere(labels * (block.solid.voxels > 0.1) == 1)
    corners = np.array(list(product(*zip(mine.min(axis=0) - 4, mine.max(axis=0) + 4, strict=True))))[:, ::-1]
    ijk = ct.to_ijk(corners * STEP_MM + block.solid.ijk_to_ras[:3, 3])[:, ::-1]
    low = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(ijk.max(axis=0)).astype(int) + 1, ct.voxels.shape)
    box = slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])
    k, j, i = np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij")
    ras = np.stack([i, j, k], axis=-1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
    at = np.rint((ras - block.solid.ijk_to_ras[:3, 3]) / STEP_MM).astype(int)
    within = ((at >= 0) & (at < np.array(labels.shape)[::-1])).all(axis=-1)
    at = np.where(within[..., None], at, 0)
    owner = np.where(within, labels[at[..., 2], at[..., 1], at[..., 0]], 0)
    depth = depth_near(star, ras, 6.0)
    bone = (found.bone[box] | (depth > 0.8)) & (owner == 1)
    bone |= _beside_metal(ct, found, box) & (owner == 1)
    if soft_hu < OSTEOPENIC * found.threshold_hu:
        bone |= (depth > -CORNER_MM) & (ct.voxels[box] > soft_hu) & (owner == 1)
        near = ndimage.distance_transform_edt(~found.bone[box], sampling=ct.spacing[::-1]) <= RIM_MM
        bone |= near & (ct.voxels[box] > soft_hu) & (owner == 1)
    bone &= ~_outside_body(own, star, ras, depth)
    metal = found.metal[box]
    bone = _filled(bone | (metal & (owner == 1))) & ~metal
    bone = _in_one_piece(bone, metal & (owner == 1))
    tight = ndimage.find_objects(bone.astype(np.uint8))[0]
    return Mask(bone[tight], block_matrix(block_matrix(ct.ijk_to_ras, box), tight))


def _beside_metal(ct: Volume, found: BoneAndMetal, box: tuple[slice, ...]) -> np.ndarray:
    """Bone between metal and the bone about it, where the metal's brightness hides the edge."""
    bone, metal = found.bone[box], found.metal[box]
    if not metal.any():
        return np.zeros_like(bone)
    step, wide = ct.spacing[::-1], [(round(2.0 * _CLOSED_MM / size) + 1,) * 2 for size in ct.spacing[::-1]]
    apart = np.pad(~(bone | metal), wide, constant_values=True)
    grown = ndimage.distance_transform_edt(apart, sampling=step) <= _CLOSED_MM
    closed = ndimage.distance_transform_edt(grown, sampling=step) > _CLOSED_MM
    inner = tuple(slice(pad, -pad) for pad, _ in wide)
    about = ndimage.distance_transform_edt(~metal, sampling=step) <= BLOOMING_MM
    return closed[inner] & about & (ct.voxels[box] > found.threshold_hu) & ~metal


def _in_one_piece(bone: np.ndarray, metal: np.ndarray) -> np.ndarray:
    """The bone that hangs together, be it through its screws."""
    pieces, count = ndimage.label(bone | metal, ndimage.generate_binary_structure(3, 3))
    if count < 2:
        return bone
    sizes = np.bincount(pieces.ravel(), weights=bone.ravel())
    return bone & (pieces == int(sizes[1:].argmax()) + 1)


def _outside_body(own: Station, star: Star, ras: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """What lies in front of the canal and off the body: discs, vessels, the neighbours' osteophytes."""
    local = own.frame.to_local(ras.reshape(-1, 3)).reshape(ras.shape)
    reach = star.reach
    ahead = (local[..., 1] - reach[1, 0]) / (reach[1, 1] - reach[1, 0])
    within = (np.abs(local[..., 0]) < reach[0, 1]) & (np.abs(local[..., 2]) > 0.6 * reach[2, 1])
    # Transverse processes of cervical vertebrae stand beside the front half of the body too.
    front = 0.6 if own.level.startswith("C") else 0.15
    far = (ahead > front) & (depth < -2.5)
    return far | (within & (ahead > 0.15) & (depth < -1.2))


def _filled(bone: np.ndarray) -> np.ndarray:
    """With the marrow, also where its shell has pinholes."""
    around = ndimage.generate_binary_structure(3, 3)
    padded = np.pad(bone, 3)
    closed = ndimage.binary_closing(padded, around, iterations=2) | padded
    enclosed = ndimage.binary_fill_holes(closed) & ~closed
    grown = ndimage.binary_dilation(enclosed, around, iterations=2) & closed
    return (padded | enclosed | grown)[3:-3, 3:-3, 3:-3] | ndimage.binary_fill_holes(bone)
