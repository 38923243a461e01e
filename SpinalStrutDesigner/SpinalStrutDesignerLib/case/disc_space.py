"""The space between two bodies: a disc, though in thick slices it may look like bone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .levels import LEVELS
from .model import Volume
from .star import Star

# What stands about a disc so near to the bodies' outlines is their rims and osteophytes; the disc proper ends so far
# within them. In front only: ribs end beside discs behind. Engineering judgement.
_WITHIN_MM, _BEYOND_MM = 2.0, 4.0


@dataclass(frozen=True, eq=False)
class DiscSpace:
    """Between the bodies of upper and lower: block, slices k, j, i of the CT's voxels, and in it, bool, the disc proper
    and the rim about it in front. Both reach into the bodies."""

    upper: str
    lower: str
    block: tuple[slice, slice, slice]
    disc: np.ndarray
    rim: np.ndarray


def disc_spaces(ct: Volume, bodies: Mapping[str, Star]) -> Iterator[DiscSpace]:
    """The space between each body (by level) and the next below it, where both are given."""
    for upper, lower in pairwise(sorted(bodies, key=LEVELS.index)):
        if LEVELS.index(lower) - LEVELS.index(upper) != 1:
            continue
        ends = (bodies[upper], bodies[lower])
        ijk = ct.to_ijk(np.concatenate([star.points for star in ends]))[:, ::-1]
        margin = np.ceil(_BEYOND_MM / ct.spacing[::-1])
        low = np.clip(np.floor(ijk.min(axis=0) - margin).astype(int), 0, None)
        high = np.minimum(np.ceil(ijk.max(axis=0) + margin).astype(int) + 1, ct.voxels.shape)
        block = slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])
        k, j, i = np.meshgrid(*(np.arange(part.start, part.stop) for part in block), indexing="ij")
        points = np.stack([i, j, k], axis=-1) @ ct.ijk_to_ras[:3, :3].T + ct.ijk_to_ras[:3, 3]
        disc, rim = (
            _beyond(ends[0], points, -1.0, grown) & _beyond(ends[1], points, 1.0, grown)
            for grown in (-_WITHIN_MM, _BEYOND_MM)
        )
        ahead = ends[0].frame.to_local(points.reshape(-1, 3))[:, 1].reshape(disc.shape)
        yield DiscSpace(upper, lower, block, disc, rim & ~disc & (ahead > ends[0].reach[1].mean()))


def _beyond(star: Star, points: np.ndarray, side: float, grown_mm: float) -> np.ndarray:
    """Within a body's grown outline and above its middle, below where side is negative. points: (k, j, i, 3) RAS mm."""
    local = star.frame.to_local(points.reshape(-1, 3)).reshape(points.shape)
    middle, half = star.reach.mean(axis=1), star.extent / 2.0 + grown_mm
    across = np.hypot((local[..., 0] - middle[0]) / half[0], (local[..., 1] - middle[1]) / half[1])
    return np.asarray((across < 1.0) & (side * local[..., 2] > 0.0))
