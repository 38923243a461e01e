"""What is written on each part of a design, where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from LatticeGeneratorLib.mesh.mesh import Part

from .design import DrillGuide, Foot, Implant, Situation
from .mark import Lettered, Mark
from .mark_ground import strong_enough, surgeon_of, worth_facing
from .mark_place import Skin
from .mark_words import end_wordings, guide_wordings, implant_wordings
from .marks import marked, with_marks

Marks = tuple[Mark, ...]


def marked_implant(implant: Implant) -> tuple[Implant, Marks]:
    """An implant, and the same as printed, with text where that takes nothing of their strength."""
    situation = implant.situation
    lettered = Lettered.on("metal", situation.plan.marks)

    def worth(skin: Skin) -> np.ndarray:
        facing = worth_facing(skin, situation, surgeon_of(implant.feet), _relief_mm(lettered))
        return np.where(strong_enough(skin.points, implant, _cut_mm(lettered)), facing, -np.inf)

    part, marks = marked(implant.part, (implant_wordings(situation),), lettered, worth, _up(situation))
    # Off its holes what is printed has the finished implant's shape.
    printed = None if implant.printed is None else with_marks(implant.printed, marks)
    return replace(implant, part=part, printed=printed), marks


def marked_trial(part: Part, situation: Situation, feet: Sequence[Foot]) -> tuple[Part, Marks]:
    """A trial of an implant with the implant's words."""
    lettered = Lettered.on("plastic", situation.plan.marks)

    def worth(skin: Skin) -> np.ndarray:
        return worth_facing(skin, situation, surgeon_of(feet), _relief_mm(lettered))

    return marked(part, (implant_wordings(situation),), lettered, worth, _up(situation))


def marked_docking(part: Part, situation: Situation, foot: Foot) -> tuple[Part, Marks]:
    """A docking guide with its end's words."""
    lettered = Lettered.on("plastic", situation.plan.marks)

    def worth(skin: Skin) -> np.ndarray:
        return worth_facing(skin, situation, -foot.insertion, _relief_mm(lettered))

    return marked(part, (end_wordings(situation.plan, foot.end),), lettered, worth, _up(situation))


def marked_drill_guide(guide: DrillGuide, situation: Situation) -> tuple[DrillGuide, Marks]:
    """A drill guide with drill and depth stop of its sleeves, and its end's words."""
    lettered = Lettered.on("plastic", situation.plan.marks)

    def worth(skin: Skin) -> np.ndarray:
        return worth_facing(skin, situation, -guide.insertion, _relief_mm(lettered))

    words = guide_wordings(situation, guide.end, guide.sleeves)
    part, marks = marked(guide.part, words, lettered, worth, _up(situation))
    return replace(guide, part=part), marks


def _relief_mm(lettered: Lettered) -> float:
    """How far text stands out."""
    return lettered.depth_mm if lettered.style == "embossed" else 0.0


def _cut_mm(lettered: Lettered) -> float:
    """How deep text is cut."""
    return lettered.depth_mm if lettered.style == "engraved" else 0.0


def _up(situation: Situation) -> np.ndarray:
    """(3,) unit RAS, towards the head."""
    up = situation.upper.centre - situation.lower.centre
    return np.asarray(up / np.linalg.norm(up))
