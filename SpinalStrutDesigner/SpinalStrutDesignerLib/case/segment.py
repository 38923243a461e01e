"""A bare CT as structures: vertebrae from a click in each, other bone, metal, and what to stay clear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from LatticeGeneratorLib.progress import Progress
from scipy.spatial import cKDTree

from ..errors import CaseError
from .bone import find_bone
from .distance import tightened
from .model import OTHER_VERTEBRAE, Mask, Structure, Volume
from .seed_check import check_seeds
from .separate import separate_vertebrae
from .slabs import held_by
from .soft import find_keepouts, spine_crop
from .spinal_canal import find_canal_course

# A body's middle lies halfway between its front and the canal's middle: what is no farther from the canal is the
# column's. Measured on test cases: 1.8 (C4) to 2.1 times (T11). Engineering judgement.
_TO_FRONT = 2.0
# Bone that is not docked on is known to half a voxel: an edge lies between voxels.
_EDGE_VOXELS = 0.5


@dataclass(frozen=True, eq=False)
class Segmented:
    """What was found in a CT; notes: what a person should know about it."""

    structures: tuple[Structure, ...]
    notes: tuple[str, ...]


def segment(ct: Volume, seeds: Mapping[str, np.ndarray], progress: Progress) -> Segmented:
    """The structures that HU and shape tell in a CT. seeds: level to (3,) RAS mm in that vertebra's body.

    Only the surroundings of the seeds are looked at. Bone of other vertebrae is one structure, other bone another.
    Raises CaseError where a seed lies in no vertebra that can be told apart, and for fewer than two seeds.
    """
    if len(seeds) < 2:
        given = ", ".join(seeds) or "none"
        raise CaseError(f"a strut docks on two vertebrae: give a seed in each, not only in {given}")
    progress("bone and metal", 0.0)
    around = spine_crop(ct, seeds)
    found = find_bone(around)
    progress("vertebrae", 0.3)
    check_seeds(around, found, seeds)
    course = find_canal_course(Mask(found.bone, around.ijk_to_ras), seeds)
    separation = separate_vertebrae(around, found, course, seeds)
    progress("what to stay clear of", 0.8)
    error = _EDGE_VOXELS * float(ct.spacing.max())
    structures: list[Structure] = []
    for structure in (*separation.structures, *find_keepouts(around, found, course, seeds)):
        if structure.name == "other_bone":
            structures += [replace(part, error_mm=error) for part in _parted(structure, course, seeds)]
        elif structure.name not in [earlier.name for earlier in structures]:
            structures.append(structure)
    return Segmented(tuple(structures), separation.notes)


def _parted(bone: Structure, course: np.ndarray, seeds: Mapping[str, np.ndarray]) -> list[Structure]:
    """Bone about the canal, which is other vertebrae's, and the rest."""
    points = np.array([np.asarray(seed, dtype=float) for seed in seeds.values()])
    canal = cKDTree(course)
    away, at = canal.query(points)
    order = np.argsort(at)
    reach = _TO_FRONT * np.interp(np.arange(len(course)), at[order], away[order])
    column = np.zeros_like(bone.mask.voxels)
    for kji, places in held_by(bone.mask.voxels, bone.mask.ijk_to_ras):
        distance, station = canal.query(places)
        column[tuple(kji[distance <= reach[station]].T)] = True
    parts = ((OTHER_VERTEBRAE, column), (bone.name, bone.mask.voxels & ~column))
    return [
        replace(bone, name=name, mask=tightened(Mask(voxels, bone.mask.ijk_to_ras)))
        for name, voxels in parts
        if voxels.any()
    ]
