"""Where a vertebral body lies about a point inside it: between which two planes, how tilted, and its surface."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import ndimage

from .frame import Frame
from .metal import BLOOMING_MM
from .model import Volume
from .star import Star, fit_star, recentred

# Tilts that are tried against the frame so far, in degrees, sagittal and coronal: at first a body's against its canal,
# measured on test cases to 20 and 8 degrees where it stands, then what is left of it.
_TILTS = ((np.arange(-24.0, 25.0, 6.0), np.arange(-16.0, 17.0, 8.0)), (np.arange(-6.0, 7.0, 3.0),) * 2)
# Heights of bodies over the mean of adults. Engineering judgement: adolescents, wedged and tall bodies.
_LEAST_HEIGHT, _MOST_HEIGHT = 0.7, 1.35
_STEP_MM = 0.5
_BRIGHTEST_HU = 500.0  # a plate is no less a plate where it is thin
# Screws look like plates where slices are thick: what is denser than cortex is left out, and what is about it.
_METAL_HU = 1500.0
# In score: HU by which a plate outshines the marrow beneath it, counted up to the first; the marrow's unevenness counts
# by the second. Engineering judgement: a thin plate in 2.5 mm slices outshines it by 80 HU.
_PLATE_HU, _UNEVEN = 120.0, 1.0
_SIZE_HU = 80.0  # per square of how far the height's logarithm is off, over 0.2
# Plates may lie so many degrees off square to the canal for nothing; so many beyond that cost the last in score, more
# as the square: osteophytes that bridge two bodies in front look like plates 30 degrees off (a real scan, T6 to T8).
# Chosen on that scan and the test cases.
_FREE_DEGREES, _TILT_DEGREES, _TILT_COST = 5.0, 8.0, 1.2


def fit_body(ct: Volume, seed: np.ndarray, start: Frame, size: np.ndarray, soft_hu: float, rounds: int = 2) -> Star:
    """The body about seed: (3,) RAS mm. start: a frame along the canal; size: (3,) mm of its kind."""
    frame, fitted = start.at(seed), size
    for number in range(rounds):
        frame, height = _between_plates(ct, frame, size, _TILTS[min(number, 1)], start.out)
        fitted = np.array([size[0], size[1], height])
        star = fit_star(ct, frame, fitted, soft_hu)
        frame = recentred(star)
    return fit_star(ct, frame, fitted, soft_hu)


def _between_plates(
    ct: Volume, frame: Frame, size: np.ndarray, tilts: tuple[np.ndarray, np.ndarray], canal: np.ndarray
) -> tuple[Frame, float]:
    """The frame moved and tilted to midway between the plates about its origin, and how far apart they are, in mm.

    canal: (3,) the direction that the plates are usually square to.
    """
    reach = np.arange(-1.6 * size[2], 1.6 * size[2] + 0.1, _STEP_MM)
    ring = np.linspace(-1.0, 1.0, 9)
    u, v = (axis.ravel() for axis in np.meshgrid(ring, ring))
    disc = np.stack([u, v], axis=1)[np.hypot(u, v) <= 1.0] * 0.33 * size[:2]
    bloom = np.ones((2 * round(BLOOMING_MM / _STEP_MM) + 1, 1), bool)
    best = (-np.inf, frame, float(size[2]))
    for sagittal, coronal in product(*tilts):
        lean = np.tan(np.radians([coronal, sagittal]))
        tilted = Frame.along(frame.origin, frame.out + lean[0] * frame.right + lean[1] * frame.anterior, frame.anterior)
        local = np.concatenate([np.column_stack([disc, np.full(len(disc), height)]) for height in reach])
        hu = ct.sample(tilted.to_ras(local)).reshape(len(reach), -1)
        screws = ndimage.binary_dilation(np.nan_to_num(hu) > _METAL_HU, bloom)
        hu = np.where(screws, np.nan, np.clip(hu, 0.0, _BRIGHTEST_HU))
        known = np.isfinite(hu).any(axis=1)
        profile = np.where(known, np.nanmean(np.where(known[:, None], hu, 0.0), axis=1), 0.0)
        score, low, high = _best_pair(profile, reach, size[2])
        off = np.degrees(np.arccos(np.clip(tilted.out @ canal, -1.0, 1.0)))
        score -= _TILT_COST * (max(off - _FREE_DEGREES, 0.0) / _TILT_DEGREES) ** 2
        if score > best[0]:
            best = (score, tilted.at(tilted.origin + tilted.out * (low + high) / 2.0), high - low)
    return best[1], best[2]


def _best_pair(profile: np.ndarray, reach: np.ndarray, usual: float) -> tuple[float, float, float]:
    """The two heights about 0 where the profile rises outwards to a plate, even in between, and their score."""
    total = np.concatenate([[0.0], np.cumsum(profile)])
    squares = np.concatenate([[0.0], np.cumsum(profile**2)])
    n = len(profile)

    def mean(start: np.ndarray, stop: np.ndarray, sums: np.ndarray = total) -> np.ndarray:
        start, stop = np.clip(start, 0, n), np.clip(stop, 0, n)
        return (sums[stop] - sums[start]) / np.maximum(stop - start, 1)

    at = np.arange(n)
    thin, near, far = (round(mm / _STEP_MM) for mm in (1.5, 3.0, 6.0))
    upper = np.clip((mean(at - thin, at + 1) - mean(at - far, at - near)) / _PLATE_HU, -1.0, 1.0)
    lower = np.clip((mean(at, at + thin + 1) - mean(at + near, at + far)) / _PLATE_HU, -1.0, 1.0)
    low, high = np.meshgrid(at, at, indexing="ij")
    height = (high - low) * _STEP_MM
    allowed = (height > _LEAST_HEIGHT * usual) & (height < _MOST_HEIGHT * usual)
    allowed &= (reach[low] < -1.0) & (reach[high] > 1.0)
    inner = mean(low + near, high - near + 1)
    uneven = np.sqrt(np.maximum(mean(low + near, high - near + 1, squares) - inner**2, 0.0)) / _PLATE_HU
    size_off = (np.log(np.maximum(height, 1.0) / usual) / 0.2) ** 2 * (_SIZE_HU / _PLATE_HU) * 0.25
    # Of equal ones the innermost: beyond it lies the disc.
    score = np.where(allowed, upper[high] + lower[low] - _UNEVEN * uneven - size_off - 0.01 * height, -np.inf)
    chosen = np.unravel_index(int(score.argmax()), score.shape)
    return float(score[chosen]), float(reach[chosen[0]]), float(reach[chosen[1]])
