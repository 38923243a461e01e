"""Signed distance in mm to a structure given as voxels, without the voxels' stairs.

The mask is blurred; across a boundary the blurred value is a known function of the distance, and its inverse gives the
distance back with sub-voxel accuracy: the blur removes the stairs, the inverse removes the blur. Every voxel centre
keeps its side of the surface, so nothing thin vanishes. From the voxels along the surface the distance is carried
outwards and inwards by their nearest points on it: on the voxels' own grid near the structure, on a coarser one
farther off.

The blur is a·G − (a − 1)·G·G of a Gaussian G with standard deviation s. A surface of mean curvature K shifts the level
set of G by s²K/2 and that of G·G (deviation √2·s) by s²K, weighted with the slopes 1/s and 1/(√2·s) of their profiles:
the shifts cancel for a/2 = (a − 1)/√2, that is a = 2 + √2. A vessel keeps its diameter that way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from LatticeGeneratorLib.field.compiled import compiled
from scipy.special import ndtr

from ..errors import CaseError
from .blur import blurred
from .model import DistanceField, Mask
from .nearest import nearest_numbers
from .trilinear import interpolated, to_kji

# Deviation of the Gaussian in voxels: below 0.8 stairs remain, above 1.2 vessels of 1.5 mm shrink (measured on
# voxelised planes, spheres and cylinders).
_BLUR = 1.0
_SHARPEN = 2.0 + np.sqrt(2.0)
# The profile falls as far as 1.66 deviations: x with exp(x²/4) = 2. Beyond it nothing more can be told.
_PROFILE_AT = np.linspace(-1.62, 1.62, 325) * _BLUR
_PROFILE = _SHARPEN * ndtr(_PROFILE_AT / _BLUR) - (_SHARPEN - 1.0) * ndtr(_PROFILE_AT / (np.sqrt(2.0) * _BLUR))
# A voxel centre stays at least this far (in voxels) on its own side of the surface; where the structure is about one
# voxel thin, on average half of half a voxel.
_OWN_SIDE = 0.05
_OWN_SIDE_THIN = 0.3
_NEAR_PAD_MM = 5.0
_FAR_PAD_MM = 25.0
_FAR_SPACING_MM = 2.0
_SPACING_DECIMALS = 9  # of mm: over any scan's length far below a micrometre


class _Surface(NamedTuple):
    """Voxels next to the surface. voxel: (n, 3) k, j, i; foot: (n, 3) nearest surface point in mm along k, j, i;
    distance: (n,) signed mm."""

    voxel: np.ndarray
    foot: np.ndarray
    distance: np.ndarray


def distance_field(mask: Mask) -> DistanceField:
    """Signed distance to the mask's surface, negative inside. Raises CaseError for an empty mask."""
    tight = tightened(mask)
    # A turned image's spacing differs in the last bit, which must not choose between surface points equally near.
    spacing = np.round(np.linalg.norm(tight.ijk_to_ras[:3, :3], axis=0)[::-1], _SPACING_DECIMALS)
    pad = np.maximum(np.ceil(_NEAR_PAD_MM / spacing), 3).astype(int)
    inside = np.ascontiguousarray(np.pad(tight.voxels, [(p, p) for p in pad]))
    surface = _surface(inside, spacing)
    near, nearest = _near_values(inside, surface, spacing)
    far_step = np.maximum(np.round(_FAR_SPACING_MM / spacing), 1).astype(int)
    far_pad = np.maximum(np.ceil((_FAR_PAD_MM / spacing - pad) / far_step), 0).astype(int) * far_step
    far = _far_values(near, nearest, surface.foot, spacing, far_step, far_pad)
    return DistanceField(
        values=near,
        ijk_to_ras=_shifted(tight.ijk_to_ras, -pad[::-1]),
        core=((pad - 0.5)[::-1], (np.array(inside.shape) - pad - 0.5)[::-1]),
        far_values=far,
        far_ijk_to_ras=_shifted(tight.ijk_to_ras, -(pad + far_pad)[::-1], far_step[::-1]),
    )


def sample_distance(field: DistanceField, points: np.ndarray) -> np.ndarray:
    """points: (n, 3) RAS mm to (n,) mm, trilinear; beyond the padding the distance to the mask's box, a lower bound."""
    points = np.ascontiguousarray(points, dtype=float).reshape(-1, 3)
    result = interpolated(field.values, field.ras_to_ijk, points)
    rest = np.flatnonzero(np.isnan(result))
    if not len(rest):
        return result
    result[rest] = interpolated(field.far_values, field.far_ras_to_ijk, points[rest])
    rest = rest[np.isnan(result[rest])]
    if len(rest):
        beyond = to_kji(field.ras_to_ijk, points[rest])[::-1]
        low, high = (end[:, None] for end in field.core)
        spacing = np.linalg.norm(field.ijk_to_ras[:3, :3], axis=0)[:, None]
        result[rest] = np.linalg.norm(np.maximum(np.maximum(low - beyond, beyond - high), 0.0) * spacing, axis=0)
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
    profile, within, thick = _profile(inside).ravel(), inside.ravel(), _opened(inside).ravel()

    def level(at: np.ndarray) -> np.ndarray:
        """Distance in voxels, positive outside, of the voxels numbered at."""
        sign = np.where(within[at], -1.0, 1.0)
        own_side = np.where(within[at] & ~thick[at], _OWN_SIDE_THIN, _OWN_SIDE)
        outwards = -sign * np.interp(profile[at], _PROFILE, _PROFILE_AT)
        return sign * np.maximum(outwards, own_side)

    near = np.flatnonzero(_touching(inside))
    strides = (inside.shape[1] * inside.shape[2], inside.shape[2], 1)
    depth, sign = level(near), np.where(within[near], -1.0, 1.0)
    slope = np.zeros((len(near), 3))
    for axis, stride in enumerate(strides):
        # Upwind: the side on which the surface is nearer, so that a sheet one voxel thin has a slope as well.
        before = sign * (depth - level(near - stride))
        after = sign * (depth - level(near + stride))
        steepest = np.where(before > after, -before, after)
        slope[:, axis] = np.where(np.maximum(before, after) > 0, steepest, 0.0) / spacing[axis]
    steepness = np.linalg.norm(slope, axis=1)
    distance = depth / steepness
    voxel = np.stack(np.unravel_index(near, inside.shape), axis=1)
    foot = voxel * spacing + slope * (np.abs(distance) / steepness)[:, None]
    return _Surface(voxel, foot, distance)


def _profile(inside: np.ndarray) -> np.ndarray:
    """(k, j, i) float32: the mask blurred so that curved surfaces stay where they are."""
    once = blurred(inside, _BLUR)
    twice = blurred(once, _BLUR)
    twice *= np.float32(_SHARPEN - 1.0)
    once *= np.float32(_SHARPEN)
    once -= twice
    return once


def _opened(inside: np.ndarray) -> np.ndarray:
    """The mask without what is thinner than three voxels; its block's outermost voxels are empty."""
    cores = inside.copy()
    for one, other in _face_neighbours():
        cores[one] &= inside[other]
        cores[other] &= inside[one]
    opened = cores.copy()
    for one, other in _face_neighbours():
        opened[one] |= cores[other]
        opened[other] |= cores[one]
    return opened


def _touching(inside: np.ndarray) -> np.ndarray:
    """Voxels with a face neighbour on the other side."""
    touching = np.zeros_like(inside)
    for one, other in _face_neighbours():
        differs = inside[one] != inside[other]
        touching[one] |= differs
        touching[other] |= differs
    return touching


def _face_neighbours() -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each axis all voxels of a block but its last layer, and, in the same order, the next one to each of them."""
    for axis in range(3):
        one, other = [slice(None)] * 3, [slice(None)] * 3
        one[axis], other[axis] = slice(None, -1), slice(1, None)
        yield tuple(one), tuple(other)


def _near_values(inside: np.ndarray, surface: _Surface, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, j, i) float32 mm, distance of each voxel centre to the surface, and the number of its surface point."""
    at = tuple(surface.voxel.T)
    nearest = nearest_numbers(at, np.arange(len(surface.voxel)), inside.shape, spacing)
    values = _distance_to_feet(surface.foot, nearest, np.zeros(3), spacing)
    np.negative(values, out=values, where=inside)
    values[at] = surface.distance
    return values, nearest


def _far_values(
    near: np.ndarray, nearest: np.ndarray, foot: np.ndarray, spacing: np.ndarray, step: np.ndarray, pad: np.ndarray
) -> np.ndarray:
    """The same on every step-th voxel of the block padded further by pad voxels (a multiple of step).

    The nodes near the surface know their surface point; every farther node takes that of the nearest of them.
    """
    every = tuple(slice(None, None, s) for s in step)
    shape = tuple((np.array(near.shape) + 2 * pad - 1) // step + 1)
    offset = pad // step
    knows = np.argwhere(np.abs(near[every]) < _NEAR_PAD_MM - 0.5)
    far = nearest_numbers(tuple((knows + offset).T), nearest[every][tuple(knows.T)], shape, step * spacing)
    values = _distance_to_feet(foot, far, -pad * spacing, step * spacing)
    values[tuple(slice(o, o + n) for o, n in zip(offset, near[every].shape))] = near[every]
    return values


def _distance_to_feet(foot: np.ndarray, number: np.ndarray, origin: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Unsigned distance in mm from every node to its surface point foot[number]."""
    values = np.zeros(number.shape, dtype=np.float32)
    foot, origin, spacing = (numbers.astype(np.float32) for numbers in (foot, origin, spacing))
    (compiled(lengths) or lengths_arrays)(foot, number, origin, spacing, values)
    return values


def lengths(foot: np.ndarray, number: np.ndarray, origin: np.ndarray, spacing: np.ndarray, values: np.ndarray) -> None:
    """Writes to values how far each node is from its surface point, all in float32; a loop for `compiled`."""
    depth, height, width = number.shape
    for k in range(depth):
        z = np.float32(k) * spacing[0] + origin[0]
        for j in range(height):
            y = np.float32(j) * spacing[1] + origin[1]
            for i in range(width):
                x = np.float32(i) * spacing[2] + origin[2]
                n = number[k, j, i]
                dz, dy, dx = z - foot[n, 0], y - foot[n, 1], x - foot[n, 2]
                values[k, j, i] = math.sqrt(dz * dz + dy * dy + dx * dx)


def lengths_arrays(
    foot: np.ndarray, number: np.ndarray, origin: np.ndarray, spacing: np.ndarray, values: np.ndarray
) -> None:
    """The same, whole arrays at a time."""
    for axis in range(3):
        place = np.arange(number.shape[axis], dtype=np.float32) * spacing[axis] + origin[axis]
        place = place.reshape([-1 if a == axis else 1 for a in range(3)])
        values += (place - foot[:, axis][number]) ** 2
    np.sqrt(values, out=values)


def _shifted(ijk_to_ras: np.ndarray, ijk: np.ndarray, step: np.ndarray | None = None) -> np.ndarray:
    """The matrix of a block that starts at voxel ijk and takes every step-th one."""
    shifted = np.array(ijk_to_ras, dtype=float)
    shifted[:3, 3] += shifted[:3, :3] @ ijk
    if step is not None:
        shifted[:3, :3] *= step
    return shifted
