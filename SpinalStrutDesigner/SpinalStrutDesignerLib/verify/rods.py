"""Posterior rods that the CT shows, as beams that share the load with the strut."""

from __future__ import annotations

import numpy as np

from ..case.model import Structure
from .beam import Beam
from .measured import Measured
from .sections import round_section

_SLAB_MM = 4.0
# A rod is metal in nearly every slab of the span; screws thicken some slabs, so a low percentile is its section.
_PRESENT = 0.8
_PERCENTILE = 30.0
# Rods lie at least this far behind the line between the docking endplates, and are made from 3 to 6.35 mm thick.
_BEHIND_MM = 10.0
_LEAST_MM, _MOST_MM = 2.5, 6.5


def posterior_rods(measured: Measured) -> tuple[Beam, ...]:
    """The rods left and right of the mid-line that run behind the whole span, measured once; empty where none does.

    Each slab of metal across the load line gives the rod's place; the 30th percentile of the slabs' areas its diameter,
    which metal artefacts make too large: 6.5 mm at most is believed.
    """
    return measured.once("posterior rods", lambda: _rods(measured))


def rod_diameter_mm(rod: Beam) -> float:
    """Diameter of a round rod."""
    return float(np.sqrt(4.0 * rod.sections[0].area / np.pi))


def _rods(measured: Measured) -> tuple[Beam, ...]:
    situation = measured.implant.situation
    metal = measured.case.having("metal")
    top, bottom = situation.upper.centre, situation.lower.centre
    length = float(np.linalg.norm(bottom - top))
    down = (bottom - top) / length
    right = situation.upper.right - (situation.upper.right @ down) * down
    right = right / np.linalg.norm(right)
    back = np.cross(right, down)
    back = back if back @ situation.upper.anterior < 0.0 else -back
    rods = []
    for side in (1.0, -1.0):
        rod = _side(metal, top, (down, side * right, back), length)
        if rod is not None:
            rods.append(rod)
    return tuple(rods)


def _side(
    metal: tuple[Structure, ...], top: np.ndarray, axes: tuple[np.ndarray, np.ndarray, np.ndarray], length: float
) -> Beam | None:
    down, outward, back = axes
    count = max(round(length / _SLAB_MM), 4)
    slab = length / count
    volume, moment = np.zeros(count), np.zeros((count, 3))
    for structure in metal:
        points = structure.points
        away = points - top
        at = np.floor(away @ down / slab).astype(int)
        held = (at >= 0) & (at < count) & (away @ outward > 0.0) & (away @ back > _BEHIND_MM)
        voxel = abs(float(np.linalg.det(structure.mask.ijk_to_ras[:3, :3])))
        volume += voxel * np.bincount(at[held], minlength=count)
        for k in range(3):
            moment[:, k] += voxel * np.bincount(at[held], weights=points[held, k], minlength=count)
    present = volume > 0.0
    if present.mean() < _PRESENT:
        return None
    area = float(np.percentile(volume[present] / slab, _PERCENTILE))
    diameter = float(np.sqrt(4.0 * area / np.pi))
    if diameter < _LEAST_MM:
        return None
    arc = (np.arange(count) + 0.5) * slab
    known = moment[present] / volume[present, None]
    centres = np.stack([np.interp(arc, arc[present], known[:, k]) for k in range(3)], axis=1)
    return Beam(arc, np.full(count, slab), tuple(round_section(c, down, min(diameter, _MOST_MM)) for c in centres))
