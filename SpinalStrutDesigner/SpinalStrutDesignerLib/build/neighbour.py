"""The standing neighbour of a docking endplate, and the disc space that it leaves."""

from __future__ import annotations

import numpy as np

from ..case.model import Case, Endplate, Structure
from .outline import polygon_distance

_COVERED = 0.75  # share of the plate that bone must face closely for its neighbour to count as standing
BEYOND_FOOT_MM = 2.0
"""A neighbour farther than this beyond a foot's height does not make a disc space of the span."""
_STEP_MM = 1.0
_RISE_MM, _BELOW_MM = 0.25, 2.0


def disc_space_mm(case: Case, plate: Endplate, reach_mm: float) -> float | None:
    """The median height between an endplate and its standing neighbour; None where the span beyond it is open: a few
    remnants nearer than reach_mm do not make a disc space of it."""
    gaps = column_gaps(case, plate, reach_mm)
    return float(np.median(gaps)) if (gaps < reach_mm).mean() > _COVERED else None


def column_gaps(case: Case, plate: Endplate, reach_mm: float) -> np.ndarray:
    """(n,) heights along the normal from the plate's bone to the next vertebra's, on a 1 mm raster over the outline;
    reach_mm where there is none so near."""
    outline = plate.to_local(plate.outline)[:, :2]
    sides = (np.arange(*limits, _STEP_MM) for limits in zip(outline.min(axis=0), outline.max(axis=0)))
    plane = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    plane = plane[polygon_distance(outline, plane) < -_STEP_MM]
    out = np.arange(-_BELOW_MM, reach_mm + _RISE_MM, _RISE_MM)
    points = plate.to_ras(np.column_stack([np.repeat(plane, len(out), axis=0), np.tile(out, len(plane))]))
    vertebrae = [s for s in case.having("bone") if s.of_column and _reaches(s, points)]
    own = case.distance([s for s in vertebrae if s.level == plate.level], points).reshape(len(plane), -1)
    above = case.distance([s for s in vertebrae if s.level != plate.level], points).reshape(len(plane), -1)
    # Seen from the span the plate's bone begins where the line last leaves it.
    floor = -_first_inside(own[:, ::-1], -out[::-1], _BELOW_MM)
    return np.clip(_first_inside(above, out, np.inf) - floor, 0.0, reach_mm)


def _first_inside(distance: np.ndarray, at: np.ndarray, otherwise: float) -> np.ndarray:
    """(n,) where signed distances (n, k), sampled at (k,) mm along lines, first become negative, linear in between;
    `otherwise` where they never do."""
    first = np.argmax(distance < 0.0, axis=1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(distance))
    outer, inner = distance[rows, before], distance[rows, first]
    share = np.where(outer > 0.0, outer / np.where(outer > inner, outer - inner, 1.0), 0.0)
    crossing = at[before] + np.clip(share, 0.0, 1.0) * (at[first] - at[before])
    return np.where((distance < 0.0).any(axis=1), crossing, otherwise)


def _reaches(structure: Structure, points: np.ndarray) -> bool:
    """Whether any of the points lies in the structure's box."""
    low, high = structure.box
    return bool(((points >= low) & (points <= high)).all(axis=1).any())
