"""Whether a person's clicks lie in bone at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import CaseError
from .bone import BoneAndMetal
from .model import Volume

# Old marrow has 89 HU and more (clinical facts), and may be no bone by the scan's threshold: then bone is this near.
_LEAST_SEED_HU, _IN_BONE_MM = 80.0, 1.5
_FIND_MM = 40.0  # the nearest bone is sought within this, so that it can be told


def check_seeds(ct: Volume, found: BoneAndMetal, seeds: Mapping[str, np.ndarray]) -> None:
    """Raises CaseError for a seed, level to (3,) RAS mm, that lies outside the image or beside all bone."""
    last = np.array(ct.voxels.shape[::-1]) - 1
    for level, seed in seeds.items():
        ijk = ct.to_ijk(seed[None])[0]
        place = ", ".join(f"{x:.1f}" for x in seed)
        if not ((ijk >= -0.5) & (ijk <= last + 0.5)).all():
            raise CaseError(f"the seed of {level} at ({place}) RAS lies outside the image; click into {level}'s body")
        at = np.clip(np.rint(ijk).astype(int), 0, last)[::-1]
        box = tuple(
            slice(max(0, c - r), c + r + 1) for c, r in zip(at, np.ceil(_FIND_MM / ct.spacing[::-1]).astype(int))
        )
        bone = np.argwhere((found.bone | found.metal)[box])
        steps = (bone + [b.start for b in box] - at)[:, ::-1] @ ct.ijk_to_ras[:3, :3].T
        near = float(np.median(ct.voxels[tuple(slice(max(0, c - 1), c + 2) for c in at)]))
        away = np.linalg.norm(steps, axis=1) if len(steps) else np.array([np.inf])
        if near < _LEAST_SEED_HU and away.min() > _IN_BONE_MM:
            where = (
                f"the nearest bone lies {away.min():.0f} mm away" if len(steps) else f"no bone within {_FIND_MM:g} mm"
            )
            if len(steps):
                spot = ct.ijk_to_ras[:3, :3] @ at[::-1] + ct.ijk_to_ras[:3, 3] + steps[away.argmin()]
                where += " at (" + ", ".join(f"{x:.1f}" for x in spot) + ") RAS"
            raise CaseError(
                f"the seed of {level} at ({place}) RAS is not in bone: {near:.0f} HU there; {where}; click into "
                f"{level}'s body, or choose another docking level if it is destroyed"
            )
