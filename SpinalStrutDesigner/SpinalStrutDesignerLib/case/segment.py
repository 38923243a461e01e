"""A bare CT as structures: vertebrae from a click in each, other bone, metal, and what to stay clear of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from LatticeGeneratorLib.progress import Progress

from .bone import find_bone
from .model import Structure, Volume


def segment(ct: Volume, seeds: Mapping[str, np.ndarray], progress: Progress) -> tuple[Structure, ...]:
    """The structures that HU and shape tell in a CT. seeds: level to (3,) RAS mm in that vertebra's body.

    Raises CaseError where a seed is in no vertebra that could be told apart.
    """
    progress("bone and metal", 0.0)
    found = find_bone(ct)
    progress("vertebrae", 0.4)
    raise NotImplementedError(found)
