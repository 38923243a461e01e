"""How much of a footprint rests on bone, and how much of it undercut removal took away."""

from __future__ import annotations

import numpy as np

from .bone import LocalField
from .end import DOME_MM, EndShape

_STEP_MM = 0.4
# A column of the footprint counts as lost when keeping the way in free leaves this much more room to the bone than
# the fit gap, mm: the segmentation-to-print error budget (Schulze 2024: 0.8), below which contact cannot be told.
LOST_MM = 0.8


def contact_lost_mm2(end: EndShape) -> float:
    """Footprint area, mm², where the foot stands off the endplate because its way in must be free of undercuts."""
    low, high = end.footprint.points.min(axis=0), end.footprint.points.max(axis=0)
    x, y = (np.arange(low[i], high[i], _STEP_MM) for i in (0, 1))
    plane = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    plane = plane[end.footprint.distance(plane) < 0.0]
    gap = end.foot.fit_gap_mm
    plain, free = (_face_height(f, plane, gap, end.base_mm) for f in (end.docking_plain, end.docking))
    return float((free - plain > LOST_MM).sum() * _STEP_MM**2)


def _face_height(field: LocalField, plane: np.ndarray, gap_mm: float, top_mm: float) -> np.ndarray:
    """(n,) height along out of the foot's face over plane points (n, 2): where the gap to bone is first kept."""
    out = np.arange(top_mm, -DOME_MM, -0.2)
    local = np.column_stack([np.repeat(plane, len(out), axis=0), np.tile(out, len(plane))])
    blocked = field.at_local(local).reshape(len(plane), len(out)) < gap_mm
    first = np.where(blocked.any(axis=1), blocked.argmax(axis=1), len(out) - 1)
    return out[first]
