"""How far a scan can be trusted: its noise, motion, field of view, and metal beside docking faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import erfc, pi, sqrt
from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage

from ..threads import kept
from .metal import METAL_HU
from .model import ScanMeasure, Volume

# Muscle has 40 to 80 HU, blood 45 to 65, discs 70 to 100 (clinical facts); noise reaches beyond.
_SOFT_HU = (-20.0, 140.0)
_FEWEST_VOXELS = 100
_WINDOW = 9  # pixels
# Bone begins 100 HU above soft tissue (see bone.py): of noise with a third of that, one voxel in 700 is taken for bone.
_BONE_ABOVE_SOFT_HU, _MOST_NOISE_HU = 100.0, 33.0
# An edge from soft tissue to a thin cortex of 500 HU (clinical facts) that a scanner blurs by 0.5 mm rises by
# 450 / (sqrt(2 pi) 0.5) HU a mm at its middle: so far noise moves it.
_EDGE_HU_PER_MM = 450.0 / (sqrt(2.0 * pi) * 0.5)
_MOTION_STEP_MM = 1.5
_MOTION_HU = (-300.0, 500.0)
_NEIGHBOURS = 5  # slices to each side that say how anatomy shifts
# Breathing and anatomy shift slices smoothly; a step of more than half a strut's segmentation error of 0.8 mm twice
# over is a patient who moved. Engineering judgement, and so many times what the other slices differ by.
_MOST_STEP_MM, _TIMES_USUAL = 1.2, 8.0
# A vertebra's body, pedicles and the disc beside it reach so far from the body's middle. Engineering judgement.
_LEAST_MARGIN_MM = 30.0
# Streaks near a screw were measured at -848 HU (BMC Med Imaging 2021); beyond a centimetre they are faint on the test
# cases. Engineering judgement.
_METAL_NEAR_MM, _METAL_SOUGHT_MM = 10.0, 25.0


_known: WeakKeyDictionary[Volume, dict[str, tuple[ScanMeasure, ...]]] = WeakKeyDictionary()


def scan_measures(ct: Volume) -> tuple[ScanMeasure, ...]:
    """Noise and motion, each where the scan lets it be measured; measured once for each image."""
    return kept(ct, _known.setdefault(ct, {}), "measures", lambda: tuple(m for m in (noise(ct), motion(ct)) if m))


def noise(ct: Volume) -> ScanMeasure | None:
    """Standard deviation of noise in soft tissue; None where there is too little of it.

    The commonest spread within small windows of a slice that lie in soft tissue (after Christianson et al., AJR
    2015;205:W93, verify locally): edges are fewer, and how a kernel correlates noise hardly counts.
    """
    axis = _across(ct)
    found = []
    hu = np.moveaxis(ct.voxels, axis, 0)
    for k in range(0, len(hu), max(len(hu) // 60, 1)):
        plane = hu[k].astype(np.float32)
        if min(plane.shape) < _WINDOW:
            return None
        mean = ndimage.uniform_filter(plane, _WINDOW)
        spread = np.sqrt(np.maximum(ndimage.uniform_filter(plane**2, _WINDOW) - mean**2, 0.0))
        found.append(spread[(mean > _SOFT_HU[0]) & (mean < _SOFT_HU[1])][::_WINDOW])
    values = np.concatenate(found)
    if values.size < _FEWEST_VOXELS:
        return None
    count, edges = np.histogram(values, bins=200, range=(0.0, float(np.percentile(values, 95.0)) + 1e-6))
    commonest = int(ndimage.gaussian_filter1d(count.astype(float), 4.0).argmax())
    sigma = float(edges[commonest : commonest + 2].mean()) * _WINDOW / float(np.sqrt(_WINDOW**2 - 1.0))
    return ScanMeasure(
        "noise",
        round(sigma, 1),
        "HU",
        f"edges of bone are moved by {sigma / _EDGE_HU_PER_MM:.2g} mm at random, and of soft tissue "
        f"{_beyond(_BONE_ABOVE_SOFT_HU, sigma):.1%} looks like bone before smoothing",
        "commonest spread in windows of 9 pixels (after Christianson 2015); engineering judgement: at "
        "most a third of the 100 HU between soft tissue and bone",
        sigma > _MOST_NOISE_HU,
    )


def _beyond(limit: float, sigma: float) -> float:
    return 0.5 * erfc(limit / (sqrt(2.0) * sigma)) if sigma > 0.0 else 0.0


def motion(ct: Volume) -> ScanMeasure | None:
    """The largest jump of the patient between two slices beside how neighbouring slices shift; None for few slices.

    Each slice's shift against the one before is that of least squares (Lucas and Kanade 1981).
    """
    shifts = slice_shifts(ct)
    if len(shifts) < 4 * _NEIGHBOURS:
        return None
    usual = ndimage.median_filter(shifts, (2 * _NEIGHBOURS + 1, 1), mode="nearest")
    jumps = np.hypot(*(shifts - usual).T)
    spread = 1.4826 * float(np.median(jumps))
    at = int(jumps.argmax())
    largest = float(jumps[at])
    return ScanMeasure(
        "motion",
        round(largest, 2),
        "mm",
        f"between slices {at + 1} and {at + 2} the patient jumps by {largest:.1f} mm: what crosses them is out of "
        "shape, an endplate or a screw's way there is not to be trusted",
        "engineering judgement: 1.2 mm, and 8 times what the other slices differ by",
        largest > _MOST_STEP_MM and largest > _TIMES_USUAL * spread,
    )


def slice_shifts(ct: Volume) -> np.ndarray:
    """(slices - 1, 2) mm along rows and columns: how what is in a slice lies beside what is in the slice before."""
    axis = _across(ct)
    planes = np.moveaxis(ct.voxels, axis, 0)
    step = np.delete(ct.spacing[::-1], axis)
    stride = np.maximum(np.rint(_MOTION_STEP_MM / step).astype(int), 1)
    size = step * stride
    shifts = []
    before: np.ndarray | None = None
    for plane in planes:
        rows, columns = (n // s * s for n, s in zip(plane.shape, stride, strict=True))
        hu = np.clip(plane[:rows, :columns], *_MOTION_HU).astype(np.float32)
        # Strided sums are quicker than a mean over the axes of blocks, and as exact for whole numbers.
        cells = sum(hu[i :: stride[0], j :: stride[1]] for i, j in np.ndindex(*stride)) / np.float32(stride.prod())
        if min(cells.shape) < 8:
            return np.zeros((0, 2))
        cells = ndimage.gaussian_filter(cells, 2.0 / size)
        if before is not None:
            shifts.append(_shift(before, cells) * size)
        before = cells
    return np.array(shifts).reshape(-1, 2)


def _shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(2,) cells."""
    slopes = np.stack([s.ravel() for s in np.gradient(0.5 * (before + after))])
    normal = slopes @ slopes.T
    if np.linalg.det(normal) <= 1e-6 * np.trace(normal) ** 2 or not normal.any():
        return np.zeros(2)
    return np.linalg.solve(normal, slopes @ (before - after).ravel())


def docking_measures(ct: Volume, points: Mapping[str, np.ndarray]) -> tuple[ScanMeasure, ...]:
    """How far the docking levels lie from the scan's border, and from metal where it is within 25 mm.

    points: (3,) RAS mm by name, on the docking faces or in their bodies.
    """
    return (*_field_of_view(ct, points), *_metal_near(ct, points))


def _field_of_view(ct: Volume, points: Mapping[str, np.ndarray]) -> Iterator[ScanMeasure]:
    """The border may run obliquely to the patient: distances are along the scan's axes."""
    last = np.array(ct.voxels.shape[::-1]) - 1.0
    for name, point in points.items():
        ijk = ct.to_ijk(np.asarray(point, float)[None])[0]
        margin = float((np.minimum(ijk, last - ijk) * ct.spacing).min())
        place = "outside the scan" if margin < 0.0 else f"{margin:.0f} mm from its border"
        yield ScanMeasure(
            f"field of view at {name}",
            round(margin, 1),
            "mm",
            f"{name} lies {place}: its vertebra, the "
            "disc beside it or the way of its screws may be cut off; nothing there is checked",
            "engineering judgement: a vertebra and its disc reach 30 mm from the body's middle",
            margin < _LEAST_MARGIN_MM,
        )


def _metal_near(ct: Volume, points: Mapping[str, np.ndarray]) -> Iterator[ScanMeasure]:
    reach = np.ceil(_METAL_SOUGHT_MM / ct.spacing).astype(int)
    for name, point in points.items():
        middle = np.rint(ct.to_ijk(np.asarray(point, float)[None])[0]).astype(int)
        low, high = np.maximum(middle - reach, 0)[::-1], np.maximum(middle + reach + 1, 0)[::-1]
        block = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        kji = np.argwhere(ct.voxels[block] > METAL_HU) + low
        places = kji[:, ::-1] @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
        away = float(np.linalg.norm(places - point, axis=1).min(initial=np.inf))
        if away > _METAL_SOUGHT_MM:
            continue
        yield ScanMeasure(
            f"metal near {name}",
            round(away, 1),
            "mm",
            f"metal lies {away:.0f} mm from {name}: streaks and blooming hide its surface, which may be off by a "
            "millimetre and more; look at it, and allow for it in the fit gap",
            "a streak of -848 HU was measured beside a titanium screw (BMC Med Imaging 2021); 10 mm: engineering "
            "judgement",
            away < _METAL_NEAR_MM,
        )


def _across(ct: Volume) -> int:
    """The array axis across slices: the coarsest, k of several alike."""
    return int(np.argmax(np.round(ct.spacing, 4)[::-1]))
