"""Where a foot faces its endplate, as made: heights, gaps and areas, seen along the endplate's normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import grey_opening

from ..build.outline import polygon_distance
from ..plan.plan import Plan
from .measured import Measured
from .raster import cast_at

_STEP_MM = 0.15
# Feet are looked for from this far inside the body (concave endplates are 2-3 mm deep) to this far into the span.
_BELOW_MM, _ABOVE_MM = 6.0, 6.0
# Openings narrower than this are pores: the envelope bridges them (widest pore wanted 0.6 mm, oblique cuts show more).
_PORE_MM = 1.2
# A strut's face lies this near the envelope; deeper is the inside of a pore.
_FACE_MM = 0.08
# Surface this close to bone counts as in contact in the strict sense: the planned gap, and the printer's error.
STRICT_MM = 0.26
# A bore's wall lies within this of its radius: its chords and the rays' step.
_BORE_MM = 0.05
# What lies farther off than this or is steeper than 45° is the side of a foot, not its contact face.
_FACING_MM, _FACING_SLOPE = 3.0, 1.0


@dataclass(frozen=True, eq=False)
class Contact:
    """The contact face of one foot. points: (n, 3) RAS on the face, each standing for cell_mm2 of the plate's plane, in
    contact: bone within the fit gap and the segmentation-to-print budget, below which contact cannot be told, and no
    screw's bore; gaps_mm: (m,) distance to the docking bone over the whole facing surface; net: share of points on
    metal rather than on an open pore; strict_mm2: area within the fit gap and the printer's error; plate_mm2: area of
    the plate's outline."""

    points: np.ndarray
    gaps_mm: np.ndarray
    net: float
    cell_mm2: float
    strict_mm2: float
    plate_mm2: float
    worst: np.ndarray | None

    @property
    def envelope_mm2(self) -> float:
        """Contact area with pores counted as closed."""
        return len(self.points) * self.cell_mm2

    @property
    def net_mm2(self) -> float:
        """Contact area of metal alone."""
        return self.envelope_mm2 * self.net


def contact_of(measured: Measured, end: str) -> Contact:
    """The contact face of the foot at an end, measured once."""
    return measured.once(f"contact {end}", lambda: _measure(measured, end))


def _measure(measured: Measured, end: str) -> Contact:
    plan, foot = measured.plan, measured.foot(end)
    plate = foot.endplate
    level, gap = (
        (plan.upper, plan.upper_foot.fit_gap_mm) if end == "upper" else (plan.lower, plan.lower_foot.fit_gap_mm)
    )
    outline = plate.to_local(plate.outline)[:, :2]
    frame = np.stack([plate.right, plate.anterior, plate.normal])
    rays = cast_at(measured.patches, frame, plate.centre, _STEP_MM, outline.min(axis=0), outline.max(axis=0))
    ray, start, _ = rays.chords
    within = (start > -_BELOW_MM) & (start < _ABOVE_MM)
    ray, start = ray[within], start[within]
    first = np.flatnonzero(np.diff(ray, prepend=-1) != 0)
    height = np.full(int(np.prod(rays.shape)), _ABOVE_MM + 4.0)
    height[ray[first]] = start[first]
    grid = height.reshape(rays.shape)
    envelope = grey_opening(grid, footprint=_disk(_PORE_MM / 2.0 / _STEP_MM)).ravel()
    every = np.arange(len(height))
    over = polygon_distance(outline, plate.to_local(rays.points(every, np.zeros(len(every))))[:, :2]) < 0.0
    cell = _STEP_MM**2
    plate_area = float(over.sum()) * cell
    face = np.flatnonzero(over & (envelope < _ABOVE_MM))
    if not len(face):
        return Contact(np.zeros((0, 3)), np.zeros(0), 0.0, cell, 0.0, plate_area, None)
    points = rays.points(face, envelope[face])
    distance = measured.case.structure(level).distance(points)
    slope = np.hypot(*np.gradient(envelope.reshape(rays.shape), _STEP_MM)).ravel()[face]
    facing = (distance <= gap + _FACING_MM) & (slope <= _FACING_SLOPE)
    face_only = ~_in_bores(plan, level, points)
    touching = (distance <= gap + plan.budget.segmentation_to_print_mm) & face_only
    metal = height[face] <= envelope[face] + _FACE_MM
    worst = points[facing][np.argmax(distance[facing])] if facing.any() else None
    return Contact(
        points=points[touching],
        gaps_mm=distance[facing],
        net=float(metal[touching].mean()) if touching.any() else 0.0,
        cell_mm2=cell,
        strict_mm2=float(((distance <= gap + STRICT_MM) & face_only).sum()) * cell,
        plate_mm2=plate_area,
        worst=worst,
    )


def _in_bores(plan: Plan, level: str, points: np.ndarray) -> np.ndarray:
    """(n,) bool: which points (n, 3) lie in a screw's bore. The wall of a slanting bore lies near the bone for some way
    and carries nothing."""
    inside = np.zeros(len(points), dtype=bool)
    for screw in (s for s in plan.screws if s.level == level):
        away = points - np.asarray(screw.entry)
        along = away @ np.asarray(screw.direction)
        off = np.linalg.norm(away - along[:, None] * np.asarray(screw.direction), axis=1)
        inside |= (along > 0.0) & (off < 0.5 * screw.type.clearance_hole_mm + _BORE_MM)
    return inside


def _disk(radius: float) -> np.ndarray:
    reach = int(np.floor(radius))
    i, j = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return i * i + j * j <= radius * radius
