"""How well an endplate is known: by what the voxels show, by where its rim is said to end, and by metal beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from ..errors import CaseError
from .bone import BLOOMING_MM
from .footprint import STANDARD, Convention, Footprint, refitted
from .model import Case, Face, Mask
from .vertebra import REMEDY, vertebra, vertebra_structure

RIMS = (
    Convention(rim=1.0),
    Convention(rim=2.0),
    Convention(proud=-0.5),
    Convention(proud=1.0),
    Convention(edge=0.0),
    Convention(edge=2.0),
    Convention(huber=100.0),
)
"""Other answers to where a plate ends and how a plane is laid through it, in mm: as far as readers differ (engineering
judgement; the test cases' truth varies the same ones). The last is plain least squares."""
BACK = 1.0
"""mm by which the canal's front, where a plate ends behind, may be taken otherwise. Engineering judgement."""
CENTRE_PER_VOXEL, EXTENT_PER_VOXEL, SLOPE_PER_VOXEL = 0.3, 0.45, 0.25
"""Standard deviation, in voxels along the direction concerned, of the centre, of width and depth, and of the rise over
the plate's depth. Measured on the test cases: with these, twice the whole covers 19 of 20 errors. Plates of
ideal solids are found better, at slices of 0.6 to 2 mm; at 3 mm small vertebrae can be worse."""
BESIDE_METAL = 0.5
"""mm by which the surface may be wrong within the margin of metal's blooming, about a pixel. Engineering judgement,
verify locally."""


@dataclass(frozen=True)
class PlateUncertainty:
    """Standard uncertainties: of the centre, the normal, and the width and depth. Twice as much covers nearly all."""

    centre_mm: float
    normal_deg: float
    extent_mm: float


def plate_uncertainty(case: Case, level: str, face: Face) -> PlateUncertainty:
    """How well the plate that `find_endplate` gives is known, as it stands in the CT.

    Three things are added in quadrature (JCGM 100:2008): the spread of repeated fits with the rim, the canal's front
    and the plane's fit taken otherwise; what the voxels' size leaves open; and, where metal is near, what changes when
    the surface within the margin of its blooming lies otherwise. Whether the label itself is right is not known to it.

    Raises CaseError where the level has no such plate.
    """
    shape = vertebra(case, level)
    if face not in shape.plates:
        raise CaseError(f"{level} {face} endplate not found: {shape.faults[face]}; {REMEDY}")
    plate = shape.plates[face]
    usual = refitted(plate, STANDARD)
    others = [refitted(plate, convention) for convention in RIMS]
    others += [refitted(other, STANDARD) for other in _with_other_backs(plate)]
    beside_metal = [refitted(other, STANDARD) for other in _with_other_surfaces(case, plate)]
    voxels = _left_open(plate, vertebra_structure(case, level).mask)
    total = np.sqrt(_spread(others, usual) ** 2 + _spread(beside_metal, usual) ** 2 + voxels**2)
    return PlateUncertainty(*(float(value) for value in total))


def _with_other_backs(plate: Footprint) -> Iterator[Footprint]:
    for shift in (-BACK, BACK):
        yield replace(plate, bounds=replace(plate.bounds, wall=plate.bounds.wall + shift * plate.frame.anterior))


def _with_other_surfaces(case: Case, plate: Footprint) -> Iterator[Footprint]:
    """The plate with its surface near metal moved out and in; nothing where no metal is near."""
    reach = float(np.hypot(plate.width, plate.depth)) / 2.0 + BLOOMING_MM
    metal = [_points_near(s.mask, plate.frame.origin, reach) for s in case.having("metal")]
    points = np.concatenate(metal) if metal else np.empty((0, 3))
    if not len(points):
        return
    columns = plate.map.columns()
    away, _ = cKDTree(points).query(plate.frame.to_ras(np.nan_to_num(columns, posinf=0.0).reshape(-1, 3)))
    near = (away <= BLOOMING_MM).reshape(plate.inside.shape)
    if (near & plate.inside).any():
        for shift in (-BESIDE_METAL, BESIDE_METAL):
            yield replace(plate, map=replace(plate.map, heights=plate.map.heights + shift * near))


def _spread(fits: Sequence[Footprint], usual: Footprint) -> np.ndarray:
    """Root mean square of the differences: mm, degrees, mm."""
    if not fits:
        return np.zeros(3)
    spread: np.ndarray = np.sqrt(np.mean([_difference(fit, usual) ** 2 for fit in fits], axis=0))
    return spread


def _difference(one: Footprint, other: Footprint) -> np.ndarray:
    """Of the centres in mm, of the normals in degrees, and of width or depth in mm, whichever differs more."""
    shift = np.linalg.norm(one.frame.origin - other.frame.origin)
    turn = np.degrees(np.arccos(np.clip(one.frame.out @ other.frame.out, -1.0, 1.0)))
    return np.array([shift, turn, max(abs(one.width - other.width), abs(one.depth - other.depth))])


def _left_open(plate: Footprint, mask: Mask) -> np.ndarray:
    """What voxels of this size leave open: mm, degrees, mm."""
    sides = mask.ijk_to_ras[:3, :3]
    right, anterior, out = (float(np.linalg.norm(axis @ sides)) for axis in plate.frame.rows)
    across = max(right, anterior)
    slope = np.degrees(np.arctan(SLOPE_PER_VOXEL * out / min(plate.depth, plate.width)))
    return np.array([CENTRE_PER_VOXEL * max(across, out), slope, EXTENT_PER_VOXEL * across])


def _points_near(mask: Mask, centre: np.ndarray, reach: float) -> np.ndarray:
    """(n, 3) RAS mm, the mask's voxel centres within a box that holds the ball of reach (mm) about centre."""
    inverse = np.linalg.inv(mask.ijk_to_ras)
    middle = inverse[:3, :3] @ centre + inverse[:3, 3]
    away = reach * np.linalg.norm(inverse[:3, :3], axis=1)
    low = np.clip(np.floor(middle - away), 0, None).astype(int)
    high = np.clip(np.ceil(middle + away) + 1, 0, None).astype(int)
    block = mask.voxels[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    ijk = np.argwhere(block)[:, ::-1] + low
    return ijk @ mask.ijk_to_ras[:3, :3].T + mask.ijk_to_ras[:3, 3]
