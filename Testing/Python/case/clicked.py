"""What a click in a vertebra cuts out of a bare CT, and what of it is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from SpinalStrutDesignerLib.case.bone import BoneAndMetal, find_bone
from SpinalStrutDesignerLib.case.model import Case, Mask, Volume
from SpinalStrutDesignerLib.case.seed_check import check_seeds
from SpinalStrutDesignerLib.case.separate import Separation, separate_vertebrae
from SpinalStrutDesignerLib.case.spinal_canal import find_canal_course

RAS = np.array([-1.0, -1.0, 1.0])  # the truth is in LPS


@dataclass(frozen=True, eq=False)
class Bare:
    """A CT without labels, with the bone found in it."""

    ct: Volume
    found: BoneAndMetal

    @classmethod
    def of(cls, ct: Volume) -> Bare:
        return cls(ct, find_bone(ct))

    def separated(self, seeds: Mapping[str, np.ndarray]) -> Separation:
        """seeds: level to (3,) RAS mm."""
        check_seeds(self.ct, self.found, seeds)
        course = find_canal_course(Mask(self.found.bone, self.ct.ijk_to_ras), seeds)
        return separate_vertebrae(self.ct, self.found, course, seeds)


def part_of(ct: Volume, block: tuple[slice, slice, slice]) -> Volume:
    """The voxels of a CT within bounds given as (k, j, i)."""
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ [float(b.start or 0) for b in block[::-1]]
    return Volume(ct.voxels[block], matrix)


def dice(separation: Separation, case: Case, level: str, ct: Volume) -> float:
    """Of what was found of a level against its label, as far as the CT shows it; their grids may lie in any way."""
    found, true = next(s.mask for s in separation.structures if s.level == level), case.structure(level).mask
    ijk = ct.to_ijk(true.points)
    shown = ((ijk > -0.5) & (ijk < np.array(ct.voxels.shape[::-1]) - 0.5)).all(axis=1).mean() * true.volume
    return 2.0 * found.volume * float(_held(true, found.points).mean()) / (found.volume + float(shown))


def _held(mask: Mask, points: np.ndarray) -> np.ndarray:
    """(n,) bool: whether points lie in a mask, whose edge runs midway between its voxels' middles.

    By the nearest voxel a grid that lies otherwise would cost up to half a voxel all round: measured, a Dice of 0.02.
    """
    inverse = np.linalg.inv(mask.ijk_to_ras)
    kji = (points @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(np.pad(mask.voxels, 1).astype(np.float32), kji + 1.0, order=1) > 0.5)
