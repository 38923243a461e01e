"""Two images brought upon each other by mutual information: the search alone, the same every time.

Mutual information (Mattes et al., IEEE Trans Med Imaging 2003;22:120) asks only that equal tissue look alike within
each image, so that it serves MRI and CT. It is sampled at points about the spine, so that what moves otherwise (jaw,
chest wall, arms) has no say. SimpleITK's own search (Mattes, masked to 8 mm about the vertebrae, several resolutions,
steps scaled by physical shift) was measured on test cases as MRI with slices of 3 mm. From 7 mm and 4 degrees away
those of its optimisers that follow a gradient stop 0.7 to 5 mm off; its Powell's comes to 0.13 to 0.24 mm, as this one
does, in 20 to 130 s where all that `register` does, a dozen such searches, takes 20 to 35 s. What it sums over threads
also depends on their number in the last bits, and a search carries that to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from .model import Volume
from .transform import moved_points

_BINS = 32
# When a search may end: finer than this it takes twice as long and comes no nearer (measured on a test case).
_ENDS = {"xtol": 0.03, "ftol": 1e-4, "maxiter": 12}
# A pose counts only where so much of the focus lies in the other image. Engineering judgement.
LEAST_OVERLAP = 0.4


@dataclass(frozen=True, eq=False)
class Pair:
    """One image as it is at points, and the other to be sampled. points: (n, 3) RAS mm of the first; bins: (n,) which
    of the first image's grey levels each has; other, range: the second image and its grey levels' lowest and highest;
    centre: (3,) about which poses turn; reach: mm from there to most points."""

    points: np.ndarray
    bins: np.ndarray
    other: Volume
    range: tuple[float, float]
    centre: np.ndarray
    reach: float

    def information(self, matrix: np.ndarray) -> float:
        """Mutual information in nats where a 4x4 takes the points into the other image, times the part of the points
        that lie in it; 0 where they hardly meet it."""
        kji = self.other.to_ijk(moved_points(matrix, self.points))[:, ::-1]
        inside = ((kji >= 0.0) & (kji <= np.array(self.other.voxels.shape) - 1.0)).all(axis=1)
        overlap = float(inside.mean())
        if overlap < LEAST_OVERLAP:
            return 0.0
        values = ndimage.map_coordinates(self.other.voxels, kji[inside].T, order=1, output=np.float32)
        low, high = self.range
        level = np.clip((values - low) * ((_BINS - 1) / (high - low)), 0.0, _BINS - 1.001)
        lower = level.astype(np.int64)
        share = level - lower
        at = self.bins[inside] * _BINS + lower
        # A grey level between two bins counts for both: the information then changes smoothly with the pose.
        joint = np.bincount(at, 1.0 - share, _BINS * _BINS) + np.bincount(at + 1, share, _BINS * _BINS)
        joint = (joint / joint.sum()).reshape(_BINS, _BINS)
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        full = joint > 0.0
        # Few points that meet the image by its edge seem to agree well: what does not meet it tells nothing.
        return overlap * float((joint[full] * np.log(joint[full] / apart[full])).sum())


def pair(first: Volume, points: np.ndarray, second: Volume) -> Pair:
    """The images made ready: grey levels run from the 1st to the 99th percentile at the points, and in the second."""
    values = first.sample(points)
    points, values = points[np.isfinite(values)], values[np.isfinite(values)]
    low, high = np.percentile(values, [1.0, 99.0])
    bins = np.clip(np.rint((values - low) * ((_BINS - 1) / max(high - low, 1e-6))), 0, _BINS - 1).astype(np.int64)
    around = np.percentile(second.voxels[:: max(second.voxels.shape[0] // 40, 1)], [1.0, 99.0])
    centre = points.mean(axis=0)
    reach = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    # Neighbours one after the other: their voxels are then in the processor's cache.
    order = np.lexsort(np.floor(points / 4.0).astype(int).T)
    span = (float(around[0]), float(max(around[1], around[0] + 1e-6)))
    return Pair(points[order], bins[order], second, span, centre, reach)


def search(images: Pair, start: np.ndarray, step: float) -> tuple[np.ndarray, float]:
    """The 4x4 of most mutual information reached from a start, and that; step: mm of the first steps (Powell 1964)."""

    def lost(parameters: np.ndarray) -> float:
        return -images.information(posed(images, start, parameters))

    found = minimize(
        lost,
        np.zeros(6),
        method="Powell",
        options={"direc": step * np.eye(6), **_ENDS},
    )
    return posed(images, start, found.x), -float(found.fun)


def posed(images: Pair, start: np.ndarray, parameters: Sequence[float] | np.ndarray) -> np.ndarray:
    """A start followed by a shift and a turn about the points' centre; all six parameters in mm at the points."""
    shift, turn = np.asarray(parameters[:3]), np.asarray(parameters[3:]) / images.reach
    centre = moved_points(start, images.centre[None])[0]
    rotation = Rotation.from_rotvec(turn).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = centre - rotation @ centre + shift
    return matrix @ start


def blurred(volume: Volume, deviation_mm: float) -> Volume:
    """The volume, as float32, under a Gaussian."""
    voxels = np.asarray(volume.voxels, dtype=np.float32)
    return Volume(ndimage.gaussian_filter(voxels, deviation_mm / volume.spacing[::-1], truncate=3.0), volume.ijk_to_ras)


def binned(volume: Volume, size_mm: float) -> Volume:
    """The volume on voxels of about size_mm, each the mean of a block of the finer ones."""
    step = np.maximum(np.round(size_mm / volume.spacing), 1).astype(int)[::-1]
    step = np.minimum(step, volume.voxels.shape)
    count = np.array(volume.voxels.shape) // step
    k, j, i = count * step
    blocks = volume.voxels[:k, :j, :i].reshape(count[0], step[0], count[1], step[1], count[2], step[2])
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ ((step[::-1] - 1) / 2.0)
    matrix[:3, :3] = matrix[:3, :3] * step[::-1]
    return Volume(blocks.mean(axis=(1, 3, 5), dtype=np.float32), matrix)


def cropped(volume: Volume, low: np.ndarray, high: np.ndarray) -> Volume:
    """The part of a volume that holds a box of RAS mm; the whole of it where they do not meet."""
    corners = np.array(np.meshgrid(*zip(low, high), indexing="ij")).reshape(3, -1).T
    ijk = volume.to_ijk(corners)
    last = np.array(volume.voxels.shape[::-1])
    first = np.clip(np.floor(ijk.min(axis=0)).astype(int), 0, last)
    end = np.clip(np.ceil(ijk.max(axis=0)).astype(int) + 1, 0, last)
    if (end - first < 2).any():
        return volume
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ first.astype(float)
    block = tuple(slice(a, b) for a, b in zip(first[::-1], end[::-1]))
    return Volume(volume.voxels[block], matrix)
