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
_NEIGHBOURS = 2  # standing levels beyond each docking level that steer the line's direction


def mechanical_axis(case: Case, first: Endplate, last: Endplate) -> np.ndarray:
    """(n, 3) RAS points at most 2 mm apart from the upper docking endplate's centre to the lower one's.

    The line passes the centres of the bodies that still stand. Over destroyed levels it follows the spinal canal at the
    offset that the standing levels have from it, so that scoliosis and kyphosis survive the loss of the bodies; without
    a cord or dural sac in the case it is the spline across the gap. Raises CaseError where first's level does not lie
    above last's.
    """
    chord = last.centre - first.centre
    length = float(np.linalg.norm(chord))
    down = chord / length
    known = [(first.centre - first.centre) @ down, length]
    points = [first.centre, last.centre]
    levels = _candidates(case, first.level, last.level)
    for centre in side_by_side([partial(standing_centre, case, level) for level in levels]):
        if centre is not None:
            known.append(float((centre - first.centre) @ down))
            points.append(centre)
    order = np.argsort(known)
    at, through = _increasing(np.asarray(known)[order], np.asarray(points)[order])
    along = np.linspace(0.0, length, max(int(np.ceil(length / _SPACING_MM)), 4) + 1)
    guide = _canal(case, first.centre, down)
    line = CubicSpline(at, through)(along) if guide is None else _guided(at, through, along, guide)
    line[0], line[-1] = first.centre, last.centre
    return line


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


def _increasing(at: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without points that fall back or crowd along the chord (a body's centre beside its own endplate is kept)."""
    keep = [0]
    for i in range(1, len(at)):
        if at[i] - at[keep[-1]] > 1.0:
            keep.append(i)
    return at[keep], points[keep]


def _canal(case: Case, origin: np.ndarray, down: np.ndarray) -> CubicSpline | PchipInterpolator | None:
    """Centreline of cord or dural sac as a function of the distance along the chord, or None without one."""
    named: dict[str, Structure] = {s.name.lower(): s for s in case.structures}
    for word in ("dura", "cord", "canal"):
        for name in sorted(named):
            if word in name:
                return _centreline(named[name], origin, down)
    return None


def _centreline(structure: Structure, origin: np.ndarray, down: np.ndarray) -> PchipInterpolator | None:
    points = structure.points
    along = (points - origin) @ down
    bins = np.floor(along / 4.0).astype(int)
    kept, group, counts = np.unique(bins, return_inverse=True, return_counts=True)
    if len(kept) < 4:
        return None
    sums = np.stack([np.bincount(group, weights=points[:, k]) for k in range(3)], axis=1)
    at = np.bincount(group, weights=along) / counts
    return PchipInterpolator(at, sums / counts[:, None], extrapolate=True)


def _guided(at: np.ndarray, points: np.ndarray, along: np.ndarray, guide: PchipInterpolator) -> np.ndarray:
    """The canal plus the offset of the bodies from it; the offset runs monotonously between known levels."""
    inside = np.clip(at, guide.x[0], guide.x[-1])
    offset = PchipInterpolator(at, points - guide(inside), extrapolate=True)
    return guide(np.clip(along, guide.x[0], guide.x[-1])) + offset(along)
