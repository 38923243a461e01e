"""Distance to many bones at once: sampled where an implant lies on the CT's own voxels, one by one elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..case.model import Case, Structure

REACH_MM = 3.0  # what is farther off counts as so far
_AROUND_MM = 12.0  # of the implant at its place
_EXACT_MM = 4.0  # nearer than this distances are asked for at every node: beyond it they are nearly even


@dataclass(frozen=True, eq=False)
class Bones:
    """Bones, and their least distance (k, j, i) mm on a block of the CT's voxels; ras_to_ijk: 4x4 to that block's."""

    structures: tuple[Structure, ...]
    ras_to_ijk: np.ndarray
    values: np.ndarray

    def distance(self, points: np.ndarray) -> np.ndarray:
        """(n,) mm at points (n, 3) RAS, at most REACH_MM."""
        kji = (points @ self.ras_to_ijk[:3, :3].T + self.ras_to_ijk[:3, 3])[:, ::-1].T
        last = np.array(self.values.shape)[:, None] - 1
        on_block = ((kji >= 0) & (kji <= last)).all(axis=0)
        distance = np.empty(len(points))
        distance[on_block] = ndimage.map_coordinates(self.values, kji[:, on_block], order=1)
        if not on_block.all():
            distance[~on_block] = self._one_by_one(points[~on_block])
        return distance

    def _one_by_one(self, points: np.ndarray) -> np.ndarray:
        distance = np.full(len(points), REACH_MM)
        for bone, (low, high) in zip(self.structures, self._boxes):
            beside = np.flatnonzero(np.all((points > low - REACH_MM) & (points < high + REACH_MM), axis=1))
            if len(beside):
                distance[beside] = np.minimum(distance[beside], bone.distance(points[beside]))
        return distance

    @cached_property
    def _boxes(self) -> list[np.ndarray]:
        return [bone.box for bone in self.structures]


def bones_about(case: Case, body: np.ndarray) -> Bones:
    """The case's bones, sampled about an implant whose surface points are body (n, 3) RAS."""
    ct, bones = case.ct, case.having("bone")
    low, high = body.min(axis=0) - _AROUND_MM, body.max(axis=0) + _AROUND_MM
    first, last = _voxels(np.linalg.inv(ct.ijk_to_ras), np.array([low, high]), np.array(ct.voxels.shape))
    values = np.full(last - first, REACH_MM, dtype=np.float32)
    for bone in bones:
        start, stop = _voxels(np.linalg.inv(ct.ijk_to_ras), bone.box + REACH_MM * np.array([[-1.0], [1.0]]), last)
        start = np.maximum(start, first)
        if (start < stop).all():
            part = values[tuple(slice(a, b) for a, b in zip(start - first, stop - first))]
            np.minimum(part, on_nodes(bone, ct.ijk_to_ras, start, stop), out=part)
    to_block = np.linalg.inv(ct.ijk_to_ras)
    to_block[:3, 3] -= first[::-1]
    return Bones(bones, to_block, values)


def on_nodes(structure: Structure, ijk_to_ras: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(k, j, i) float32 mm: a structure's distance on nodes first to last (k, j, i), the last not included; far from
    its surface by what it is on every second of them."""

    def at(kji: np.ndarray) -> np.ndarray:
        return structure.distance(kji[::-1].T @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]).astype(np.float32)

    shape = last - first
    half = np.stack(np.meshgrid(*(2 * np.arange(n // 2 + 1) for n in shape), indexing="ij"))
    values = at(half.reshape(3, -1) + first[:, None]).reshape(half.shape[1:])
    for axis, count in enumerate(shape):
        values = _doubled(values, axis, count)
    near = np.argwhere(values < _EXACT_MM).T
    values[tuple(near)] = at(near + first[:, None])
    return values


def _doubled(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Values at every second of so many nodes along an axis, at all of them."""
    values = np.moveaxis(values, axis, 0)
    full = np.empty((2 * len(values) - 1, *values.shape[1:]), dtype=values.dtype)
    full[::2] = values
    full[1::2] = 0.5 * (values[:-1] + values[1:])
    return np.ascontiguousarray(np.moveaxis(full[:count], 0, axis))


def _voxels(ras_to_ijk: np.ndarray, box: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First (3,) and one beyond the last voxel, k first, of a RAS box (2, 3) in an image."""
    corners = np.stack(np.meshgrid(*box.T, indexing="ij"), axis=-1).reshape(-1, 3)
    kji = (corners @ ras_to_ijk[:3, :3].T + ras_to_ijk[:3, 3])[:, ::-1]
    first = np.clip(np.floor(kji.min(axis=0)).astype(int), 0, shape)
    return first, np.clip(np.ceil(kji.max(axis=0)).astype(int) + 1, first, shape)
