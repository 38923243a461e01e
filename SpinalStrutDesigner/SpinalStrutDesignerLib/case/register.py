"""A second image of the same patient, MRI or CT, registered rigidly to the CT about the spine, with the error told.

The search is `match`, where it says why it is not SimpleITK's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ..errors import CaseError
from ..threads import side_by_side
from .bone import BLOOMING_MM, find_bone
from .levels import LEVELS
from .match import LEAST_OVERLAP, Pair, binned, blurred, cropped, pair, posed, search
from .metal import METAL_HU
from .model import Case, Volume
from .transform import moved_points, rigid

# Tissue within this of a vertebra turns and shifts with it (ligaments, cord, discs, deep muscle) and gives the contrast
# that registration lives on. Wide for finding the place, near for the last tenths. Engineering judgement.
_WIDE_MM, _NEAR_MM = 25.0, 8.0
_CELL_MM = 2.0
# The search begins on blocks of this size at places so far from where the middles of the images meet (right, front,
# up); the best of these are followed. From within half a vertebra's height (15 mm and more) it finds its way.
# Engineering judgement; on test cases every third start or so did.
_COARSE_MM, _COARSE_POINTS, _FOLLOWED = 4.0, 5_000, 10
_STARTS_MM = (np.arange(-30.0, 31.0, 15.0), np.arange(-30.0, 31.0, 15.0), np.arange(-120.0, 121.0, 12.0))
# The stages after it: blur, first step, how far from the vertebrae, all mm, and points. Measured on a test case as MRI
# with slices of 3 mm: the last one is right to 0.05 mm, and single vertebrae to 0.25 mm.
_STAGES = ((1.5, 2.0, _WIDE_MM, 20_000), (0.5, 0.7, _NEAR_MM, 50_000))
_WINDOW_POINTS = 15_000
_SEED = 1
# Where no levels are known: the length of a stretch of the spine that is registered by itself.
_WINDOW_MM = 40.0
# CT in this range: air and metal would else take most of the grey levels, and bone the few that are left.
_CLIPPED_HU = (-300.0, 1200.0)
# Above what segmentation to print adds up to (median 0.825 mm, Schulze 2024) the second image is the larger part of the
# error: told. Above the clearance that dura must have (3 mm, clinical facts) what is placed so protects nothing:
# refused. Engineering judgement that rests on these figures.
TOLD_MM, REFUSED_MM = 0.8, 3.0
# Places more than this apart are different answers; where another one is nearly as good, the images do not say which.
# Measured on test cases: 0.45 of the best for the right patient. Engineering judgement.
_APART_MM, _AMBIGUOUS = 10.0, 0.8


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch of the spine registered by itself. name: its level or where it lies; centre: (3,) in the CT.

    residual_mm: how far its own registration puts its points elsewhere than the whole one does (95th percentile);
    shift: (3,) RAS mm, the mean of that.
    """

    name: str
    centre: np.ndarray
    residual_mm: float
    shift: np.ndarray


@dataclass(frozen=True, eq=False)
class Registration:
    """Where a second image lies. matrix: 4x4, RAS mm of the second image to RAS mm of the CT.

    metric: what was maximised and what it came to. windows: what single stretches of the spine say by themselves;
    backward_mm: how far registering the CT to the second image ends elsewhere; error_mm: the largest of all these, by
    which every distance to what the second image places is lessened, beside the plan's error budget; how: that in
    words. notes: what a person has to know.
    """

    matrix: np.ndarray
    metric: str
    error_mm: float
    how: str
    windows: tuple[Window, ...]
    backward_mm: float
    notes: tuple[str, ...] = ()


def register(case: Case, second: Volume, levels: Sequence[str] = ()) -> Registration:
    """The rigid transform of a second image of the same patient to the case's CT, from any first place.

    levels: the vertebrae to go by, such as those from one docking level to the other; none given means all there are. A
    spine that is bent otherwise in the second image is met best at these. Without any labelled vertebra all bone
    counts.

    Raises CaseError where the images do not meet, do not say where, or agree to no better than 3 mm.
    """
    return register_blocks(case, second, (levels,))[0]


def register_blocks(case: Case, second: Volume, blocks: Sequence[Sequence[str]]) -> tuple[Registration, ...]:
    """A registration for each block of vertebrae, which are stiff within and may have moved against each other.

    The place is sought by all of them together, then each block finds its own way. Raises as `register`.
    """
    parts = [_shapes(case, levels) for levels in blocks]
    points = np.concatenate([p for part in parts for p in part.values()])
    ct, other = _grey(_around(case.ct, points)), _grey(second)
    metal = _metal(case.ct, points)
    coarse = pair(binned(ct, _COARSE_MM), _sampled(points, metal, _WIDE_MM, _COARSE_POINTS), binned(other, _COARSE_MM))
    first, rival = _found(coarse, _middle(other))
    other = cropped(other, *_box(moved_points(first, points)))
    there = [first] * len(parts)
    value = [0.0] * len(parts)
    for blur, step, reach, count in _STAGES:
        smooth, other_smooth = blurred(ct, blur), blurred(other, blur)
        for number, part in enumerate(parts):
            places = _sampled(np.concatenate(list(part.values())), metal, reach, count)
            there[number], value[number] = search(pair(smooth, places, other_smooth), there[number], step)
    if min(value) <= 0.0:
        raise CaseError(_NOT_MET)
    return tuple(_judged(part, metal, smooth, other_smooth, there[n], value[n], rival) for n, part in enumerate(parts))


def registration_given(case: Case, second: Volume, matrix: np.ndarray, levels: Sequence[str] = ()) -> Registration:
    """A transform made elsewhere (4x4, RAS of the second image to RAS of the CT), judged as one found here is.

    Raises CaseError where it is not rigid, or the images under it agree to no better than 3 mm.
    """
    shapes = _shapes(case, levels)
    points = np.concatenate(list(shapes.values()))
    there = np.linalg.inv(rigid(matrix, "given"))
    low, high = _box(moved_points(there, points))
    blur, _, reach, count = _STAGES[-1]
    ct = blurred(_grey(_around(case.ct, points)), blur)
    other = blurred(cropped(_grey(second), low, high), blur)
    metal = _metal(case.ct, points)
    value = pair(ct, _sampled(points, metal, reach, count), other).information(there)
    if value <= 0.0:
        raise CaseError(_NOT_MET)
    return _judged(shapes, metal, ct, other, there, value, None)


_NOT_MET = (
    f"less than {LEAST_OVERLAP:.0%} of the spine in the CT is met by the second image: give one that shows the same "
    "levels, name the levels both show, or give a transform made in Slicer"
)


def _found(images: Pair, middle: np.ndarray) -> tuple[np.ndarray, float]:
    """The best coarse place (4x4, CT to second image), and how good the best other place is as a part of it.

    Two first guesses: the middles of both meet; both share the scanner's frame.
    """
    meet = np.eye(4)
    meet[:3, 3] = middle - images.centre
    grid = np.stack(np.meshgrid(*_STARTS_MM, indexing="ij"), axis=-1).reshape(-1, 3)
    starts = [posed(images, meet, (*shift, 0.0, 0.0, 0.0)) for shift in grid]
    worth = np.array([images.information(start) for start in starts])
    best = [starts[n] for n in np.argsort(-worth, kind="stable")[:_FOLLOWED]]
    tasks = [partial(search, images, start, _COARSE_MM) for start in (np.eye(4), *best)]
    ends = sorted(side_by_side(tasks), key=lambda end: -end[1])
    (there, value), others = ends[0], ends[1:]
    if value <= 0.0:
        raise CaseError(_NOT_MET)
    corners = images.points[:: max(len(images.points) // 200, 1)]
    away = [v for m, v in others if _apart(m, there, corners).mean() > _APART_MM]
    return there, max(away, default=0.0) / value


def _judged(
    shapes: dict[str, np.ndarray],
    metal: np.ndarray,
    ct: Volume,
    other: Volume,
    there: np.ndarray,
    value: float,
    rival: float | None,
) -> Registration:
    """The registration with its error: from stretches of the spine by themselves, and from the way back."""
    back = np.linalg.inv(there)
    names = list(shapes)
    found = side_by_side([partial(_window, name, shapes[name], metal, ct, other, there) for name in names])
    windows = tuple(window for window in found if window is not None)
    points = np.concatenate(list(shapes.values()))
    reverse = pair(other, moved_points(there, _sampled(points, metal, _NEAR_MM, _STAGES[-1][3])), ct)
    returned, _ = search(reverse, back, _STAGES[-1][1])
    backward = float(_apart(returned, back, moved_points(there, points[:: max(len(points) // 500, 1)])).max())
    error = max([backward, *(w.residual_mm for w in windows)])
    notes = _notes(windows, backward, error, names)
    if error > REFUSED_MM or (rival is not None and rival > _AMBIGUOUS):
        raise CaseError(_refusal(windows, backward, rival))
    return Registration(
        matrix=back + 0.0,
        metric=f"mutual information {value:.3f} nats",
        error_mm=error,
        how=(
            f"the largest of: {len(windows)} stretches of the spine, each registered by itself, differ from the whole "
            f"by {max((w.residual_mm for w in windows), default=0.0):.2f} mm; the way back by {backward:.2f} mm"
        ),
        windows=windows,
        backward_mm=backward,
        notes=notes,
    )


def _window(
    name: str, points: np.ndarray, metal: np.ndarray, ct: Volume, other: Volume, there: np.ndarray
) -> Window | None:
    """One stretch by itself; None where too little of it is in the second image."""
    images = pair(ct, _sampled(points, metal, _NEAR_MM, _WINDOW_POINTS), other)
    if images.information(there) <= 0.0:
        return None
    mine, _ = search(images, there, _STAGES[-1][1])
    some = points[:: max(len(points) // 500, 1)]
    # In the CT: where the stretch's own registration has what the whole one has at these points.
    shift = moved_points(np.linalg.inv(mine), moved_points(there, some)) - some
    return Window(
        name, points.mean(axis=0), float(np.percentile(np.linalg.norm(shift, axis=1), 95)), shift.mean(axis=0)
    )


def _notes(windows: Sequence[Window], backward: float, error: float, names: Sequence[str]) -> tuple[str, ...]:
    notes = []
    seen = [w.name for w in windows]
    if len(seen) < len(names):
        lost = ", ".join(name for name in names if name not in seen)
        notes.append(f"not shown by the second image, so nothing is known of its error there: {lost}")
    far = [w for w in windows if w.residual_mm > TOLD_MM]
    if far:
        told = ", ".join(f"{w.name} {w.residual_mm:.1f} mm" for w in far)
        good = ", ".join(w.name for w in windows if w.residual_mm <= TOLD_MM) or "no level"
        notes.append(
            f"one rigid transform does not hold along the whole spine, which is bent otherwise in the second image or "
            f"shows too little to tell: {told} from where it belongs; within {TOLD_MM:g} mm at {good}. Register by the "
            "levels of the span alone, or draw cord and dura on the CT"
        )
    elif error > TOLD_MM:
        notes.append(f"registering the other way round ends {backward:.1f} mm away: look at both images together")
    if error > TOLD_MM:
        notes.append(
            f"the second image's {error:.1f} mm are more than the {TOLD_MM:g} mm of segmentation to print; every "
            "distance to what it places is lessened by them"
        )
    return tuple(notes)


def _refusal(windows: Sequence[Window], backward: float, rival: float | None) -> str:
    told = ", ".join(f"{w.name} {w.residual_mm:.1f}" for w in windows)
    reason = (
        f"stretches of the spine registered by themselves lie elsewhere by (mm) {told}, the way back {backward:.1f}"
    )
    if rival is not None and rival > _AMBIGUOUS:
        reason += f"; another place more than {_APART_MM:g} mm away is {rival:.0%} as good"
    return (
        f"the second image cannot be registered to the CT to within {REFUSED_MM:g} mm: {reason}. It may be another "
        "patient's, another part of the spine, or the spine may be bent otherwise: look at both images, name the "
        "levels of the span to register by, or give a transform made in Slicer"
    )


def _shapes(case: Case, levels: Sequence[str]) -> dict[str, np.ndarray]:
    """(n, 3) RAS points of each vertebra to go by, or of stretches of all bone where none is labelled."""
    for level in levels:
        if level not in case.levels:
            there = ", ".join(case.levels) or "none"
            raise CaseError(f"the case has no vertebra '{level}' to register by; it has: {there}")
    wanted = levels or case.levels
    if wanted:
        order = sorted(wanted, key=LEVELS.index)
        return {level: case.structure(level).mask.points for level in order}
    kji = np.argwhere(find_bone(case.ct).bone)
    points = kji[:, ::-1] @ case.ct.ijk_to_ras[:3, :3].T + case.ct.ijk_to_ras[:3, 3]
    low, high = points[:, 2].min(), points[:, 2].max()
    edges = np.linspace(low, high + 1e-6, max(int((high - low) / _WINDOW_MM), 1) + 1)
    parts = {f"{a:.0f} to {b:.0f} mm": points[(points[:, 2] >= a) & (points[:, 2] < b)] for a, b in pairwise(edges)}
    return {name: part for name, part in parts.items() if len(part)}


def _sampled(points: np.ndarray, metal: np.ndarray, reach: float, count: int) -> np.ndarray:
    """(count, 3) places drawn within reach of points and out of the metal's blooming, always the same ones."""
    low = points.min(axis=0) - reach - _CELL_MM
    shape = np.ceil((points.max(axis=0) + reach - low) / _CELL_MM).astype(int) + 2
    cells = np.argwhere(_within(points, low, shape, reach) & ~_within(metal, low, shape, BLOOMING_MM))
    drawn = np.random.default_rng(_SEED)
    cells = cells[drawn.permutation(len(cells))[:count]]
    return low + _CELL_MM * (cells + drawn.random(cells.shape) - 0.5)


def _within(points: np.ndarray, low: np.ndarray, shape: np.ndarray, reach: float) -> np.ndarray:
    """Which cells of a grid lie within reach of any point."""
    index = np.rint((points - low) / _CELL_MM).astype(int)
    index = index[((index >= 0) & (index < shape)).all(axis=1)]
    if not len(index):
        return np.zeros(shape, dtype=bool)
    empty = np.ones(shape, dtype=bool)
    empty[tuple(index.T)] = False
    return ndimage.distance_transform_edt(empty, sampling=_CELL_MM) <= reach


def _metal(ct: Volume, points: np.ndarray) -> np.ndarray:
    """(n, 3) RAS, metal's voxels about the spine: MRI and CT each show it and what is about it wrongly."""
    part = _around(ct, points)
    kji = np.argwhere(part.voxels > METAL_HU)
    return kji[:, ::-1] @ part.ijk_to_ras[:3, :3].T + part.ijk_to_ras[:3, 3]


def _grey(volume: Volume) -> Volume:
    """The image as float32; one in HU (MRI has no values so low) without air and metal."""
    voxels = np.asarray(volume.voxels, dtype=np.float32)
    if voxels.ndim != 3 or min(voxels.shape) < 2:
        raise CaseError(f"the second image has the shape {voxels.shape}; give one volume with several slices")
    if not np.isfinite(voxels).all():
        raise CaseError("the second image holds voxels that are no numbers; export it again")
    return Volume(np.clip(voxels, *_CLIPPED_HU) if voxels.min() < _CLIPPED_HU[0] else voxels, volume.ijk_to_ras)


def _around(ct: Volume, points: np.ndarray) -> Volume:
    return cropped(ct, *_box(points))


def _box(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spare = _WIDE_MM + 5.0
    return points.min(axis=0) - spare, points.max(axis=0) + spare


def _middle(volume: Volume) -> np.ndarray:
    return moved_points(volume.ijk_to_ras, (np.array(volume.voxels.shape[::-1])[None] - 1.0) / 2.0)[0]


def _apart(one: np.ndarray, other: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(moved_points(one, points) - moved_points(other, points), axis=1)
