"""Signed distance in mm to a structure given as voxels, without the voxels' stairs.

The mask is blurred by a Gaussian of a fraction of a voxel. Across a flat boundary the blurred value is the normal
distribution of the distance, so its inverse gives the distance back with sub-voxel accuracy: the blur removes the
stairs and the inverse removes the blur. Every voxel centre keeps its side of the surface, so nothing thin vanishes.
From the voxels along the surface the distance is carried outwards and inwards by their nearest points on it: on the
voxels' own grid near the structure, on a coarser one farther off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.special import ndtri

from ..errors import CaseError
from .model import DistanceField, Mask

# Standard deviation of the blur in voxels: below 0.6 stairs remain, above 0.8 thin vessels shrink (measured on
# voxelised planes, spheres and cylinders).
_BLUR = 0.7
# A voxel centre stays at least this far (in voxels) on its own side of the surface.
_OWN_SIDE = 0.05
# Beyond this many standard deviations the blurred value says nothing more.
_TAIL = 3.3
_NEAR_PAD_MM = 5.0
_FAR_PAD_MM = 25.0
_FAR_SPACING_MM = 2.0


class _Surface(NamedTuple):
    """Voxels next to the surface. voxel: (n, 3) k, j, i; foot: (n, 3) nearest surface point in mm along k, j, i;
    distance: (n,) signed mm."""

    voxel: np.ndarray
    foot: np.ndarray
    distance: np.ndarray


def distance_field(mask: Mask) -> DistanceField:
    """Signed distance to the mask's surface, negative inside. Raises CaseError for an empty mask."""
    tight = tightened(mask)
    spacing = np.linalg.norm(tight.ijk_to_ras[:3, :3], axis=0)[::-1]
    pad = np.maximum(np.ceil(_NEAR_PAD_MM / spacing), 3).astype(int)
    inside = np.pad(tight.voxels, [(p, p) for p in pad])
    surface = _surface(inside, spacing)
    near = _near_values(inside, surface, spacing)
    far_step = np.maximum(np.round(_FAR_SPACING_MM / spacing), 1).astype(int)
    far_pad = np.ceil((_FAR_PAD_MM / spacing - pad) / far_step).astype(int) * far_step
    far = _far_values(inside, near, surface, spacing, far_step, far_pad)
    return DistanceField(
        values=near,
        ijk_to_ras=_shifted(tight.ijk_to_ras, -pad[::-1]),
        core=((pad - 0.5)[::-1], (np.array(inside.shape) - pad - 0.5)[::-1]),
        far_values=far,
        far_ijk_to_ras=_shifted(tight.ijk_to_ras, -(pad + far_pad)[::-1], far_step[::-1]),
    )


def sample_distance(field: DistanceField, points: np.ndarray) -> np.ndarray:
    """points: (n, 3) RAS mm to (n,) mm, trilinear; beyond the padding the distance to the mask's box, a lower bound."""
    points = np.asarray(points, dtype=float).reshape(-1, 3)
    ijk = _to_ijk(field.ijk_to_ras, points)
    near = _contains(field.values, ijk)
    result = np.empty(len(points))
    result[near] = _interpolated(field.values, ijk[near])
    if near.all():
        return result
    rest = np.flatnonzero(~near)
    far_ijk = _to_ijk(field.far_ijk_to_ras, points[rest])
    within = _contains(field.far_values, far_ijk)
    result[rest[within]] = _interpolated(field.far_values, far_ijk[within])
    beyond = rest[~within]
    low, high = field.core
    spacing = np.linalg.norm(field.ijk_to_ras[:3, :3], axis=0)
    outside = np.maximum(np.maximum(low - ijk[beyond], ijk[beyond] - high), 0.0) * spacing
    result[beyond] = np.linalg.norm(outside, axis=1)
    return result


def tightened(mask: Mask) -> Mask:
    """The same mask on the smallest block that holds it. Raises CaseError when it holds nothing."""
    bounds = []
    for axis in range(3):
        filled = np.flatnonzero(mask.voxels.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(filled):
            raise CaseError("a structure's mask holds no voxel: leave the structure out or label it")
        bounds.append((filled[0], filled[-1] + 1))
    block = tuple(slice(low, high) for low, high in bounds)
    return Mask(mask.voxels[block], _shifted(mask.ijk_to_ras, np.array([low for low, _ in bounds])[::-1]))


def _surface(inside: np.ndarray, spacing: np.ndarray) -> _Surface:
    """The voxels that have a face neighbour on the other side, with their distance to the surface."""
    blurred = ndimage.gaussian_filter(inside.astype(np.float32), _BLUR, truncate=4.0)
    flat_inside = inside.ravel()
    near = np.flatnonzero(_touching(inside).ravel())
    strides = np.array([inside.shape[1] * inside.shape[2], inside.shape[2], 1])
    depth = _level(blurred.ravel()[near], flat_inside[near])
    sign = np.where(flat_inside[near], -1.0, 1.0)
    slope = np.zeros((len(near), 3))
    for axis, stride in enumerate(strides):
        # Upwind: the side on which the surface is nearer, so that a sheet one voxel thin has a slope as well.
        before = sign * (depth - _level(blurred.ravel()[near - stride], flat_inside[near - stride]))
        after = sign * (depth - _level(blurred.ravel()[near + stride], flat_inside[near + stride]))
        steepest = np.where(before > after, -before, after)
        slope[:, axis] = np.where(np.maximum(before, after) > 0, steepest, 0.0) / spacing[axis]
    steepness = np.linalg.norm(slope, axis=1)
    distance = depth / steepness
    voxel = np.stack(np.unravel_index(near, inside.shape), axis=1)
    foot = voxel * spacing + slope * (np.abs(distance) / steepness)[:, None]
    return _Surface(voxel, foot, distance)


def _level(blurred: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Blurred mask to distance in voxels, for a flat boundary exactly; each voxel centre keeps its side."""
    level = -_BLUR * np.clip(ndtri(blurred.astype(float)), -_TAIL, _TAIL)
    return np.where(inside, np.minimum(level, -_OWN_SIDE), np.maximum(level, _OWN_SIDE))


def _touching(inside: np.ndarray) -> np.ndarray:
    """Voxels with a face neighbour on the other side."""
    touching = np.zeros_like(inside)
    for axis in range(3):
        one = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        other = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        differs = inside[one] != inside[other]
        touching[one] |= differs
        touching[other] |= differs
    return touching


def _near_values(inside: np.ndarray, surface: _Surface, spacing: np.ndarray) -> np.ndarray:
    """(k, j, i) float32 mm: distance of each voxel centre to the nearest voxel's surface point."""
    number = np.zeros(inside.shape, dtype=np.int32)
    at = tuple(surface.voxel.T)
    number[at] = np.arange(len(surface.voxel))
    values = _distance_to_feet(at, number, surface.foot, np.zeros(3), spacing)
    np.negative(values, out=values, where=inside)
    values[at] = surface.distance
    return values


def _far_values(
    inside: np.ndarray,
    near: np.ndarray,
    surface: _Surface,
    spacing: np.ndarray,
    step: np.ndarray,
    pad: np.ndarray,
) -> np.ndarray:
    """The same on every step-th voxel of the block padded further by pad voxels (a multiple of step)."""
    shape = tuple((np.array(inside.shape) + 2 * pad - 1) // step + 1)
    offset = pad // step
    # One surface point for each coarse node near the surface: that of the last fine voxel that falls to it.
    node = offset + np.round(surface.voxel / step).astype(int)
    node = np.minimum(node, np.array(shape) - 1)
    number = np.zeros(shape, dtype=np.int32)
    number[tuple(node.T)] = np.arange(len(node))
    values = _distance_to_feet(tuple(node.T), number, surface.foot, -pad * spacing, step * spacing)
    block = near[:: step[0], :: step[1], :: step[2]]
    values[tuple(slice(o, o + n) for o, n in zip(offset, block.shape))] = block
    return values


def _distance_to_feet(
    at: tuple[np.ndarray, ...], number: np.ndarray, foot: np.ndarray, origin: np.ndarray, spacing: np.ndarray
) -> np.ndarray:
    """Unsigned distance from every node to the surface point of the nearest node that has one."""
    free = np.ones(number.shape, dtype=bool)
    free[at] = False
    nearest = ndimage.distance_transform_edt(free, sampling=spacing, return_distances=False, return_indices=True)
    feature = number[tuple(nearest)]
    squared = np.zeros(number.shape, dtype=np.float32)
    for axis in range(3):
        place = np.arange(number.shape[axis], dtype=np.float32) * np.float32(spacing[axis]) + np.float32(origin[axis])
        place = place.reshape([-1 if a == axis else 1 for a in range(3)])
        squared += (place - foot[:, axis].astype(np.float32)[feature]) ** 2
    return np.sqrt(squared)


def _shifted(ijk_to_ras: np.ndarray, ijk: np.ndarray, step: np.ndarray | None = None) -> np.ndarray:
    """The matrix of a block that starts at voxel ijk and takes every step-th one."""
    shifted = np.array(ijk_to_ras, dtype=float)
    shifted[:3, 3] += shifted[:3, :3] @ ijk
    if step is not None:
        shifted[:3, :3] *= step
    return shifted


def _to_ijk(ijk_to_ras: np.ndarray, points: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(ijk_to_ras)
    return points @ inverse[:3, :3].T + inverse[:3, 3]


def _contains(values: np.ndarray, ijk: np.ndarray) -> np.ndarray:
    return ((ijk >= 0) & (ijk <= np.array(values.shape[::-1]) - 1)).all(axis=1)


def _interpolated(values: np.ndarray, ijk: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(values, ijk[:, ::-1].T, order=1, mode="nearest")
