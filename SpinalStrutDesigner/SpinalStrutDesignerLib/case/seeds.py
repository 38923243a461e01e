"""Seeds as text: LEVEL=x,y,z, one place in the body of each vertebra, RAS mm."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import CaseError
from .levels import LEVELS, level_of

Seed = tuple[str, tuple[float, float, float]]
HEADER = "FoundFromSeeds"
"""The field of a .seg.nrrd that tells what its segments were found from; Slicer does not write it again."""


def seeds_of(texts: Iterable[str]) -> tuple[Seed, ...]:
    """The seeds in texts such as "C4=1.5,-20,30". Raises CaseError for what is none, and for a level given twice."""
    seeds: dict[str, tuple[float, float, float]] = {}
    for text in texts:
        name, _, numbers = text.partition("=")
        level = level_of(name)
        try:
            place = np.array([float(number) for number in numbers.split(",")])
        except ValueError:
            place = np.empty(0)
        if level is None or place.shape != (3,) or not np.isfinite(place).all():
            raise CaseError(
                f"the seed '{text}' says no place in a vertebra: give LEVEL=x,y,z with a level of {LEVELS[0]} to "
                f"{LEVELS[-1]} and RAS millimetres, such as C4=1.5,-20,30"
            )
        if level in seeds:
            raise CaseError(f"the seed '{text}': {level} has a seed already; give one for each vertebra")
        x, y, z = place.tolist()
        seeds[level] = (x, y, z)
    return tuple(seeds.items())


def seeds_text(seeds: Iterable[Seed]) -> str:
    """Seeds in one line, each as `seeds_of` reads it."""
    return " ".join(f"{level}={','.join(f'{x:.3f}' for x in place)}" for level, place in seeds)
