"""Fins too thin to print: what bone leaves of a foot where two surfaces come close."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

# Half the recommended printed wall of titanium (clinical facts: 0.4 mm minimum, 0.6 structural, 1.0 recommended).
HALF_WALL_MM = 0.5
# What a ball of that radius leaves of a sharp edge where two faces meet at a right angle is 0.41 of its radius; this
# share keeps such edges and takes everything that stands out farther.
_EDGE_SHARE = 0.5


def without_fins(values: np.ndarray, step_mm: float) -> np.ndarray:
    """The field of a solid, [k, j, i] mm negative inside, without what stands out from its thick parts as a fin.

    Thick is where a ball of 1.0 mm diameter fits (a morphological opening); what lies farther from there than an edge
    of a thick part can is cut away.
    """
    if not (values < 0.0).any():
        return values
    held = _bounding_box(values < 0.0)
    thick = values.copy()
    thick[held] = _opened(values[held], step_mm)
    return thick


def _opened(values: np.ndarray, step_mm: float) -> np.ndarray:
    inside = values < 0.0
    # Distances are to the nearest grid point of the other side: half a step beyond the surface on average.
    core = distance_transform_edt(inside, sampling=step_mm) - 0.5 * step_mm >= HALF_WALL_MM
    if not core.any():
        return np.maximum(values, step_mm)
    reach = HALF_WALL_MM * (1.0 + _EDGE_SHARE) + 0.5 * step_mm
    away = distance_transform_edt(~core, sampling=step_mm) - reach
    return np.where(inside, np.maximum(values, away), values)


def _bounding_box(inside: np.ndarray) -> tuple[slice, ...]:
    """The block of an array that holds all that is inside, with one layer around it: what the distances depend on."""
    box = []
    for axis, size in enumerate(inside.shape):
        others = tuple(set(range(inside.ndim)) - {axis})
        reached = np.flatnonzero(inside.any(axis=others))
        box.append(slice(max(int(reached[0]) - 1, 0), min(int(reached[-1]) + 2, size)))
    return tuple(box)
