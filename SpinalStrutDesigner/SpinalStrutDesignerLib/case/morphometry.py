"""Whether a vertebra has an adult's size: a reason to look again at the label or at the level's name, no verdict."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from .levels import LEVELS
from .model import Case, Endplate
from .vertebra import vertebra

FARTHEST_FROM_MEAN = 0.35
"""The part of the adult mean by which a size may differ from it. Engineering judgement: three standard deviations of
about 12 % each, with men, women and the readers' own ways of measuring; verify locally."""
BETWEEN_UNCINATES = LEVELS[LEVELS.index("C3") : LEVELS.index("C7") + 1]
"""Levels whose superior width is not compared: how much of the uncinate processes counts differs between tables."""
NOT_MEASURED = {("C2", "posterior_height"), ("C2", "upper_width"), ("C2", "upper_depth")}
"""What the table has for the phantom only."""
_WORDS = {
    "upper_width": "width of the superior endplate",
    "upper_depth": "depth of the superior endplate",
    "lower_width": "width of the inferior endplate",
    "lower_depth": "depth of the inferior endplate",
    "posterior_height": "height of the body's back",
    "canal_width": "width of the canal",
    "canal_depth": "depth of the canal",
}


@cache
def adult_means() -> dict[str, dict[str, float]]:
    """By level the adult means in mm; see the head of morphometry.csv for their source."""
    text = (files(__package__) / "morphometry.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["level"]: {k: float(v) for k, v in row.items() if k != "level"} for row in rows}


def morphometry_notes(case: Case, plates: Sequence[Endplate]) -> tuple[str, ...]:
    """A note for each size that differs from the adult mean of its level by more than 35 %.

    plates: the endplates that were found. Levels the table has not (C1, T13, L6) are passed over.
    """
    means = adult_means()
    notes = []
    for level in case.levels:
        for name, size in _sizes(case, level, plates) if level in means else ():
            mean = means[level][name]
            if (level, name) not in NOT_MEASURED and abs(size - mean) > FARTHEST_FROM_MEAN * mean:
                notes.append(
                    f"{level}: {_WORDS[name]} is {size:.1f} mm, {abs(size / mean - 1):.0%} "
                    f"{'above' if size > mean else 'below'} the adult mean of {mean:.1f} mm (noted from "
                    f"{FARTHEST_FROM_MEAN:.0%} on): look at the label and at the level's name"
                )
    return tuple(notes)


def _sizes(case: Case, level: str, plates: Sequence[Endplate]) -> Iterator[tuple[str, float]]:
    found = {plate.face: plate for plate in plates if plate.level == level}
    if "superior" in found:
        if level not in BETWEEN_UNCINATES:
            yield "upper_width", found["superior"].width_mm
        yield "upper_depth", found["superior"].depth_mm
    if "inferior" in found:
        yield "lower_width", found["inferior"].width_mm
        yield "lower_depth", found["inferior"].depth_mm
    if len(found) == 2:
        yield "posterior_height", float(np.linalg.norm(_back(found["superior"]) - _back(found["inferior"])))
    if "inferior" not in found:  # where the body is gone the canal is open in front
        return
    canal = vertebra(case, level).canal
    if canal.width is not None and canal.depth is not None:
        yield "canal_width", canal.width
        yield "canal_depth", canal.depth


def _back(plate: Endplate) -> np.ndarray:
    """(3,) RAS: where the outline crosses the midline behind."""
    local = plate.to_local(plate.outline)
    behind = np.where(local[:, 1] < 0, np.abs(local[:, 0]), np.inf)
    point: np.ndarray = plate.outline[behind.argmin()]
    return point
