"""What a corrected posture, or a variant's distraction, does to the cord: its length, its course, bone beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..build.design import Situation
from ..case.model import Structure
from .finding import Finding
from .measured import Measured, finding_in
from .registry import check

# What stands for the cord, the narrowest first; a canal is bounded by bone, which tells nothing of the cord in it.
_CORDS = ("spinal_cord", "cord", "dural_sac", "thecal_sac", "dura")
_CANALS = ("spinal_canal", "vertebral_canal")
_SLICE_MM = 2.0  # along the span, of which the middles are the centreline
_BESIDE_MM = 20.0  # beyond the span's ends, where blocks and cord move alike
# How far a cord may be lengthened or bent at once is not known; what a person must look at is engineering judgement:
# verify locally, with monitoring of evoked potentials.
_LONGER_PERCENT, _FARTHER_OFF_MM, _NEARER_MM = 2.0, 1.0, 0.5
_CLOSE_MM = 3.0  # bone farther from the cord than a strut has to stay (clinical facts) is no matter
_BASIS = "how tissue between the blocks follows them is a model, not known; limits are judged, verify locally"


@dataclass(frozen=True, eq=False)
class _Course:
    """A cord's centreline (n, 3) RAS mm, before and after."""

    before: np.ndarray
    after: np.ndarray

    @property
    def lengths(self) -> tuple[float, float]:
        """mm."""
        before, after = (float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) for line in self._lines)
        return before, after

    @property
    def sags(self) -> tuple[float, float]:
        """mm: the greatest distances from the line between the ends."""
        before, after = (_sag(line) for line in self._lines)
        return before, after

    @property
    def _lines(self) -> tuple[np.ndarray, np.ndarray]:
        return self.before, self.after


@check(order=65)
def posture(measured: Measured) -> Iterator[Finding]:
    """Length, straightness and bony surroundings of the cord before and after; nothing where no block is moved."""
    yield from posture_in(measured.implant.situation)


def posture_in(situation: Situation) -> Iterator[Finding]:
    """As `posture`: no implant is needed to tell it."""
    moved = [s for s in situation.case.structures if s.motions]
    if not moved:
        return
    cord = next((s for name in (*_CORDS, *_CANALS) for s in moved if _key(s) == name), None)
    course = None if cord is None else _course(situation, cord)
    if cord is None or course is None:
        yield finding_in(
            situation, "posture.cord_length", "Length of the cord between the docking levels", None, "%",
            f"longer by ≤ {_LONGER_PERCENT:g} %", "not_evaluated", _BASIS, critical=True,
            detail="blocks of the spine are moved, and no cord, dural sac or canal is in the case: give one",
        )  # fmt: skip
        return
    yield _length(situation, cord, course)
    yield _straightness(situation, cord, course)
    yield _beside_bone(situation, cord) if _key(cord) in _CORDS else _only_canal(situation, cord)


def _length(situation: Situation, cord: Structure, course: _Course) -> Finding:
    before, after = course.lengths
    percent = 100.0 * (after - before) / before
    return finding_in(
        situation, "posture.cord_length", f"Length of the {_spoken(cord)} between the docking levels", percent, "%",
        f"longer by ≤ {_LONGER_PERCENT:g} %", "pass" if percent <= _LONGER_PERCENT else "warn", _BASIS,
        course.after[len(course.after) // 2], detail=f"{before:.1f} mm before, {after:.1f} mm after",
    )  # fmt: skip


def _straightness(situation: Situation, cord: Structure, course: _Course) -> Finding:
    before, after = course.sags
    good = after <= before + _FARTHER_OFF_MM
    return finding_in(
        situation, "posture.canal", f"The {_spoken(cord)} off the straight line between the docking levels", after,
        "mm", f"≤ {_FARTHER_OFF_MM:g} mm more than before", "pass" if good else "warn", _BASIS,
        course.after[int(_off(course.after).argmax())], detail=f"{before:.1f} mm before, {after:.1f} mm after",
    )  # fmt: skip


def _beside_bone(situation: Situation, cord: Structure) -> Finding:
    """The least distance from the cord's surface to bone, and how much nearer bone came to any part of it."""
    surface = cord.mask.voxels & ~ndimage.binary_erosion(cord.mask.voxels)
    matrix = cord.mask.ijk_to_ras
    in_ct = np.argwhere(surface)[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
    in_ct = in_ct[_within_span(situation, cord, in_ct, _BESIDE_MM)]
    now, bones = cord.carried(in_ct), situation.case.having("bone")
    unmoved = [replace(bone, pose=np.eye(4), motions=(), cuts=()) for bone in bones]
    before = np.min([bone.distance(in_ct) for bone in unmoved], axis=0)
    after = np.min([bone.distance(now) for bone in bones], axis=0)
    nearer = np.minimum(before, _CLOSE_MM) - np.minimum(after, _CLOSE_MM)
    worst, least = float(nearer.max()), float(after.min())
    entered = bool(((after <= 0.0) & (nearer > _NEARER_MM)).any())
    good = worst <= _NEARER_MM and least > 0.0
    remedy = "; turn or shift the block less (pose), or plan a resection of that bone" if entered else ""
    return finding_in(
        situation, "posture.bone", f"Bone to the {_spoken(cord)} as moved", least, "mm",
        f"nowhere ≤ {_CLOSE_MM:g} mm and by > {_NEARER_MM:g} mm nearer than before; never into it",
        "fail" if entered else "pass" if good else "warn", _BASIS, now[int(nearer.argmax())],
        detail=f"{float(before.min()):.1f} mm before; nearer by {max(worst, 0.0):.1f} mm where it came nearest{remedy}",
    )  # fmt: skip


def _only_canal(situation: Situation, canal: Structure) -> Finding:
    return finding_in(
        situation, "posture.bone", "Bone to the cord as moved", None, "mm", "needs the cord or the dural sac",
        "not_evaluated", _BASIS,
        detail=f"only the {_spoken(canal)} is known, which bone bounds: draw the cord on an MRI",
    )  # fmt: skip


def _course(situation: Situation, cord: Structure) -> _Course | None:
    """The cord's centreline between the docking endplates; None where it does not reach from one to the other."""
    points = cord.mask.points[_within_span(situation, cord, cord.mask.points, _BESIDE_MM)]
    upper, lower = _ends(situation, cord)
    length = float(np.linalg.norm(lower - upper))
    along = (points - upper) @ (lower - upper) / length
    if not len(points) or along.min() > _SLICE_MM or along.max() < length - _SLICE_MM:
        return None
    _, group, counts = np.unique(np.floor(along / _SLICE_MM), return_inverse=True, return_counts=True)
    at = np.bincount(group, weights=along) / counts
    middles = np.stack([np.bincount(group, weights=points[:, k]) for k in range(3)], axis=1) / counts[:, None]
    # Voxels' middles stray by a part of a voxel from slice to slice, which is no length.
    smooth = ndimage.gaussian_filter1d(middles, 2.0, axis=0, mode="nearest")
    even = np.linspace(0.0, length, int(length / _SLICE_MM) + 2)
    line = np.stack([np.interp(even, at, axis) for axis in smooth.T], axis=1)
    return _Course(line, cord.carried(line))


def _ends(situation: Situation, cord: Structure) -> tuple[np.ndarray, np.ndarray]:
    """(3,) RAS mm each: the docking endplates' centres where the CT shows them."""
    upper, lower = cord.brought_back(np.stack([situation.upper.centre, situation.lower.centre]))
    return upper, lower


def _within_span(situation: Situation, cord: Structure, points: np.ndarray, beyond_mm: float) -> np.ndarray:
    """Which of the points (n, 3), where the CT shows them, lie along the span."""
    upper, lower = _ends(situation, cord)
    length = float(np.linalg.norm(lower - upper))
    along = (points - upper) @ (lower - upper) / length
    return np.asarray((along >= -beyond_mm) & (along <= length + beyond_mm))


def _off(line: np.ndarray) -> np.ndarray:
    way = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    away = line - line[0]
    return np.asarray(np.linalg.norm(away - (away @ way)[:, None] * way, axis=1))


def _sag(line: np.ndarray) -> float:
    return float(_off(line).max())


def _key(structure: Structure) -> str:
    return structure.name.lower().replace(" ", "_")


def _spoken(cord: Structure) -> str:
    return cord.name.replace("_", " ")
