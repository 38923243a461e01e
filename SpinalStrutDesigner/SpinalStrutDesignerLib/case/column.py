"""The spine's mechanical axis: the line through the vertebral bodies, also where bodies are gone."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from ..errors import CaseError
from ..threads import side_by_side
from .body import find_body
from .levels import LEVELS
from .model import Case, Endplate, Structure

_CORE_MM = 5.0  # radius of the ball about a body's centre that bone must fill for the body to count as standing
_STANDING = 0.6  # share of that ball
_SPACING_MM = 2.0
_CROWDED_MM = 1.0  # along the chord; of two centres nearer than this one tells nothing more
_SLAB_MM = 4.0  # along the chord, in which the canal's middle is taken
_NEIGHBOURS = 2  # standing levels beyond each docking level that steer the line's direction


def mechanical_axis(case: Case, first: Endplate, last: Endplate) -> np.ndarray:
    """(n, 3) RAS points at most 2 mm apart from the upper docking endplate's centre to the lower one's.

    The line passes the centres of the bodies that still stand. Over destroyed levels it follows the spinal canal at the
    offset that the standing levels have from it, so that scoliosis and kyphosis survive the loss of the bodies; without
    a cord or dural sac in the case it is the spline across the gap. Raises CaseError where first's level does not lie
    above last's.
    """
    axes = column_axes(first, last)
    length = float((last.centre - first.centre) @ axes[2])
    points = [first.centre, last.centre]
    levels = _candidates(case, first.level, last.level)
    found = side_by_side([partial(standing_centre, case, level) for level in levels])
    points.extend(centre for centre in found if centre is not None)
    # Curves that overshoot nowhere are found for each coordinate alone: in the column's own, not in the image's.
    local = (np.array(points) - first.centre) @ axes.T
    through = _increasing(local[np.argsort(local[:, 2])])
    along = np.linspace(0.0, length, max(int(np.ceil(length / _SPACING_MM - 1e-6)), 4) + 1)
    guide = _canal(case, first.centre, axes)
    line = CubicSpline(through[:, 2], through)(along) if guide is None else _guided(through, along, guide)
    line = line @ axes + first.centre
    line[0], line[-1] = first.centre, last.centre
    return line


def column_axes(upper: Endplate, lower: Endplate) -> np.ndarray:
    """(3, 3) unit rows right, anterior, down: down is the chord from one docking endplate's centre to the other's."""
    chord = lower.centre - upper.centre
    down = chord / np.linalg.norm(chord)
    anterior = upper.anterior + lower.anterior
    anterior = anterior - (anterior @ down) * down
    anterior /= np.linalg.norm(anterior)
    return np.stack([np.cross(anterior, -down), anterior, down])


def standing_centre(case: Case, level: str) -> np.ndarray | None:
    """The centre (3,) of a level's body, or None where bone no longer fills it."""
    try:
        centre = find_body(case, level).centre
    except CaseError:  # a vertebra too destroyed to measure has no body that could carry the line
        return None
    offsets = np.stack(np.meshgrid(*[np.arange(-_CORE_MM, _CORE_MM + 0.1, 1.25)] * 3), axis=-1).reshape(-1, 3)
    ball = offsets[np.linalg.norm(offsets, axis=1) <= _CORE_MM] + centre
    filled = float((case.structure(level).distance(ball) < 0.0).mean())
    return centre if filled >= _STANDING else None


def _candidates(case: Case, upper: str, lower: str) -> list[str]:
    top, bottom = LEVELS.index(upper), LEVELS.index(lower)
    if top >= bottom:
        raise CaseError(f"the upper docking level {upper} does not lie above the lower {lower}; swap them")
    wanted = LEVELS[max(top - _NEIGHBOURS + 1, 0) : bottom + _NEIGHBOURS]
    return [level for level in wanted if level in case.levels]


def _increasing(points: np.ndarray) -> np.ndarray:
    """Without points that crowd along the chord (a body's centre beside its own endplate is kept)."""
    keep = [0]
    for i in range(1, len(points)):
        if points[i, 2] - points[keep[-1], 2] > _CROWDED_MM:
            keep.append(i)
    return points[keep]


def _canal(case: Case, origin: np.ndarray, axes: np.ndarray) -> PchipInterpolator | None:
    """Centreline of cord or dural sac as a function of the distance along the chord, or None without one."""
    named: dict[str, Structure] = {s.name.lower(): s for s in case.structures}
    for word in ("dura", "cord", "canal"):
        for name in sorted(named):
            if word in name:
                return _centreline((named[name].points - origin) @ np.ascontiguousarray(axes.T))
    return None


def _centreline(points: np.ndarray) -> PchipInterpolator | None:
    """Of a structure whose voxels lie at points (n, 3), by their last coordinate."""
    bins = np.floor(points[:, 2] / _SLAB_MM + 1e-6).astype(int)
    kept, group, counts = np.unique(bins, return_inverse=True, return_counts=True)
    if len(kept) < 4:
        return None
    means = np.stack([np.bincount(group, weights=points[:, k]) for k in range(3)], axis=1) / counts[:, None]
    return PchipInterpolator(means[:, 2], means, extrapolate=True)


def _guided(points: np.ndarray, along: np.ndarray, guide: PchipInterpolator) -> np.ndarray:
    """The canal plus the offset of the bodies from it; the offset runs monotonously between known levels."""
    inside = np.clip(points[:, 2], guide.x[0], guide.x[-1])
    offset = PchipInterpolator(points[:, 2], points - guide(inside), extrapolate=True)
    return guide(np.clip(along, guide.x[0], guide.x[-1])) + offset(along)
