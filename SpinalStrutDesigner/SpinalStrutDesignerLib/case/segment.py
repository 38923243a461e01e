"""A bare CT as structures: vertebrae from a click in each, other bone, metal, and what to stay clear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.progress import Progress

from ..errors import CaseError
from .bone import find_bone
from .model import Structure, Volume
from .separate import separate_vertebrae
from .soft import find_keepouts, spine_crop


@dataclass(frozen=True, eq=False)
class Segmented:
    """What was found in a CT; notes: what a person should know about it."""

    structures: tuple[Structure, ...]
    notes: tuple[str, ...]


def segment(ct: Volume, seeds: Mapping[str, np.ndarray], progress: Progress) -> Segmented:
    """The structures that HU and shape tell in a CT. seeds: level to (3,) RAS mm in that vertebra's body.

    Only the surroundings of the seeds are looked at. Raises CaseError where a seed lies in no vertebra that can be told
    apart, and for fewer than two seeds.
    """
    if len(seeds) < 2:
        raise CaseError(
            f"a strut docks on two vertebrae: give a seed in each, not only in {', '.join(seeds) or 'none'}"
        )
    progress("bone and metal", 0.0)
    part = spine_crop(ct, seeds)
    found = find_bone(part)
    progress("vertebrae", 0.3)
    separation = separate_vertebrae(part, found, seeds)
    progress("what to stay clear of", 0.8)
    bony = {structure.name for structure in separation.structures}
    soft = (structure for structure in find_keepouts(part, found, seeds) if structure.name not in bony)
    return Segmented((*separation.structures, *soft), separation.notes)
