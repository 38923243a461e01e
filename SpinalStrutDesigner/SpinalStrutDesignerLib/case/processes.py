"""What is a vertebra's own by where it stands: transverse processes, upper facets, pillars; and what are its ribs."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .model import Volume
from .stations import Station

_STEP_MM = 0.8
# Ribs 1 to 10 lie against the front of transverse processes, and C7's stand alike; seen from behind these hide them.
# Right of and left of the midplane, from the arch to short of the shortest tip (clinical facts: 25 mm and more).
# Heights over the body's middle in parts of its height. Measured on labels of test cases and a real scan: at least 0.95
# of what is marked is own.
_RIBBED = frozenset(["C7", *(f"T{n}" for n in range(1, 11))])
_ACROSS_MM, _ACROSS_HEIGHTS, _ACROSS_DEPTH_MM = (16.0, 24.0), (0.0, 0.4), 3.2
# Facets from T3 on stand in the frontal plane: through the hole between two pedicles the upper facet is met first, and
# behind it the lower facet of the vertebra above. Above T3 they slope as those of the neck; from T6 on they stand
# closer together, and to T10 they are met higher. Across and heights, measured likewise: 0.93.
_FACETS = {f"T{n}": ((10.0, 19.0), (0.4, 0.65)) for n in range(3, 6)}
_FACETS |= {f"T{n}": ((8.0, 13.0), (0.4, 0.8)) for n in range(6, 11)} | {"T11": ((8.0, 13.0), (0.4, 0.65))}
_FACET_DEPTH_MM = 2.4
# Articular pillars of the neck stand one on the other, and thick slices do not show the joints between them. At the
# height of the pedicles a pillar is the vertebra's own for all its width, as deep as the sloping facet above begins.
# Measured likewise: 0.95 and more.
_NECK = frozenset(f"C{n}" for n in range(3, 8))
_PILLAR_MM, _PILLAR_HEIGHTS, _PILLAR_DEPTH_MM = (9.0, 22.0), (0.1, 0.2), 10.0
# From T3 to T9 transverse processes slope backwards to their tips, beside which the ribs lie deeper: there the surface
# seen from behind falls forward by more than the first. Where it is seen again no deeper within the second, the shell
# had a hole. Short of the end by the third. Measured likewise: 0.9 and more, the rest at the edge of it.
_RIBS = frozenset(f"T{n}" for n in range(3, 10))
_TIP_MM, _TIP_HEIGHTS, _FALL_MM, _HOLE_MM, _SHORT_MM = (16.0, 40.0), (0.0, 0.5), 2.0, 4.8, 0.8
# A rib's neck lies before the transverse process: seen from the front it hides it, and both are deeper than either is.
# Measured likewise: hardly anything of what is marked is the vertebra's own.
_NECK_MM, _NECK_HEIGHTS, _NECK_DEPTH_MM, _BOTH_MM, _BEFORE_WALL_MM = (14.0, 34.0), (0.3, 0.9), 1.6, 14.0, 6.0
_BEHIND_WALL_MM, _REAR_MM, _FACET_REAR_MM = 2.0, 45.0, 22.0
_METAL_HU = 1500.0


def process_points(hu: Volume, solid: Volume, station: Station) -> np.ndarray:
    """(n, 3) RAS mm: bone of the station's transverse processes, upper facets or pillars; none above C3, below T11."""
    points = [np.empty((0, 3))]
    rear = np.arange(_REAR_MM, _BEHIND_WALL_MM, -_STEP_MM)
    if station.level in _RIBS:
        points.append(_to_tips(hu, solid, station, rear))
    elif station.level in _RIBBED:
        points.append(_first(hu, solid, station, _ACROSS_MM, _ACROSS_HEIGHTS, rear, _ACROSS_DEPTH_MM))
    if station.level in _FACETS:
        front = np.arange(_BEHIND_WALL_MM, _FACET_REAR_MM, _STEP_MM)
        points.append(_first(hu, solid, station, *_FACETS[station.level], front, _FACET_DEPTH_MM))
    if station.level in _NECK:
        points.append(_pillars(hu, solid, station))
    return np.concatenate(points)


def rib_points(hu: Volume, solid: Volume, station: Station) -> np.ndarray:
    """(n, 3) RAS mm: bone of the ribs' necks before the station's transverse processes; none but from T3 to T9."""
    if station.level not in _RIBS:
        return np.empty((0, 3))
    front = np.arange(-_BEFORE_WALL_MM, _REAR_MM, _STEP_MM)
    points, bone = _seen(hu, solid, station, _NECK_MM, _NECK_HEIGHTS, front)
    first = bone.argmax(axis=2)
    deep = (len(front) - 1 - bone[..., ::-1].argmax(axis=2) - first) * _STEP_MM > _BOTH_MM
    into = (np.arange(len(front)) - first[..., None]) * _STEP_MM
    return points[bone & (deep & (first > 0))[..., None] & (into >= 0.0) & (into < _NECK_DEPTH_MM)]


def _to_tips(hu: Volume, solid: Volume, station: Station, rear: np.ndarray) -> np.ndarray:
    """(n, 3) RAS mm: bone of the back of both transverse processes out to their tips."""
    points, bone = _seen(hu, solid, station, _TIP_MM, _TIP_HEIGHTS, rear)
    first = bone.argmax(axis=2)
    depth = np.where(bone.any(axis=2) & (first > 1), rear[first], -np.inf)
    kept = np.concatenate([_before_fall(side) for side in np.split(depth, 2)])
    into = (np.arange(len(rear)) - first[..., None]) * _STEP_MM
    return points[bone & kept[..., None] & (into >= 0.0) & (into < _ACROSS_DEPTH_MM)]


def _before_fall(seen: np.ndarray) -> np.ndarray:
    """Which of the places (outwards, up) lie on the surface that begins at the first, mm backwards, up to its end."""
    even = ndimage.median_filter(seen, size=3, mode="nearest")
    on = np.zeros(seen.shape, bool)
    rearmost, hole, last = even[0], np.zeros(seen.shape[1]), np.zeros(seen.shape[1], int)
    for out, depth in enumerate(even):
        on[out] = np.isfinite(depth) & (hole <= _HOLE_MM) & (depth >= rearmost - np.where(hole > 0.0, 0.0, _FALL_MM))
        hole = np.where(on[out], 0.0, hole + _STEP_MM)
        hole[hole > _HOLE_MM] = np.inf
        rearmost, last = np.where(on[out], np.maximum(rearmost, depth), rearmost), np.where(on[out], out, last)
    short = (last - np.arange(len(seen))[:, None]) * _STEP_MM >= _SHORT_MM
    return np.asarray(on & short & (np.abs(np.where(on, seen, 0.0) - np.where(on, even, 0.0)) < _FALL_MM))


def _pillars(hu: Volume, solid: Volume, station: Station) -> np.ndarray:
    """(n, 3) RAS mm: bone of both articular pillars at the height of the pedicles."""
    depths = np.arange(0.0, _PILLAR_DEPTH_MM, _STEP_MM)
    points, bone = _seen(hu, solid, station, _PILLAR_MM, _PILLAR_HEIGHTS, depths)
    return points[bone]


def _wall(station: Station) -> float:
    """Where the body's back wall is along the frame's anterior axis, in mm."""
    return float(-station.size[1] / 2.0 if station.star is None else station.star.reach[1, 0])


def _is_bone(hu: Volume, solid: Volume, points: np.ndarray) -> np.ndarray:
    """(n,) bool, without metal. points: (n, 3) RAS mm."""
    return np.asarray((np.nan_to_num(solid.sample(points)) > 0.5) & (np.nan_to_num(hu.sample(points)) < _METAL_HU))


def _first(
    hu: Volume,
    solid: Volume,
    station: Station,
    across_mm: tuple[float, float],
    heights: tuple[float, float],
    behind_mm: np.ndarray,
    depth_mm: float,
) -> np.ndarray:
    """(n, 3) the first bone, so deep, that is met going along behind_mm, from the body's back wall, at both sides."""
    points, bone = _seen(hu, solid, station, across_mm, heights, behind_mm)
    first = bone.argmax(axis=2)
    into = (np.arange(len(behind_mm)) - first[..., None]) * _STEP_MM
    # Bone at the very start is part of something that reaches farther.
    kept = bone & (first > 1)[..., None] & (into >= 0.0) & (into < depth_mm)
    return points[kept]


def _seen(
    hu: Volume,
    solid: Volume,
    station: Station,
    across_mm: tuple[float, float],
    heights: tuple[float, float],
    behind_mm: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Points (across, up, behind, 3) RAS mm on both sides of the midplane, and which of them are bone."""
    across = np.arange(*across_mm, _STEP_MM)
    up = np.arange(heights[0] * station.size[2], heights[1] * station.size[2], _STEP_MM)
    u, w, v = np.meshgrid(np.concatenate([-across, across]), up, _wall(station) - behind_mm, indexing="ij")
    points = station.frame.to_ras(np.stack([u, v, w], axis=-1).reshape(-1, 3))
    return points.reshape(*u.shape, 3), _is_bone(hu, solid, points).reshape(u.shape)
