"""Seeds: one point in each of some vertebrae, by level, from which the CT is segmented. World coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from ..case.levels import LEVELS, level_of
from ..errors import CaseError

# What is known of the spine on both sides of the span: a strut stands on two vertebrae.
FEWEST = 2
_GLYPH_MM = 4.0  # of the balls to drag: to be hit by a mouse inside a body about 15 mm high
_COLOR = (0.95, 0.35, 0.75)  # of no tissue


@dataclass(frozen=True)
class Seed:
    """A placed point: its label, the level that means (None if it is none), and where it is, RAS mm."""

    label: str
    level: str | None
    place: tuple[float, float, float]


def seeds_in(node: Any) -> tuple[Seed, ...]:
    """The placed points of a markups node, in its order; none where there is no node."""
    if node is None:
        return ()
    found = []
    for number in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(number) == node.PositionDefined:
            label = node.GetNthControlPointLabel(number)
            x, y, z = node.GetNthControlPointPositionWorld(number)
            found.append(Seed(label, level_of(label), (x, y, z)))
    return tuple(found)


def put_seed(node: Any, level: str, place: tuple[float, float, float]) -> None:
    """The seed of a level is at a place from now on: the one it has is moved, or else a new one added."""
    for number in range(node.GetNumberOfControlPoints()):
        if level_of(node.GetNthControlPointLabel(number)) == level:
            node.SetNthControlPointPositionWorld(number, *place)
            return
    node.AddControlPointWorld(place, level)


def take_seed(node: Any, number: int) -> None:
    """Takes one of `seeds_in` away."""
    placed = [n for n in range(node.GetNumberOfControlPoints())
              if node.GetNthControlPointPositionStatus(n) == node.PositionDefined]  # fmt: skip
    node.RemoveNthControlPoint(placed[number])


def new_seeds(scene: Any, folder: int) -> Any:
    """An empty markups node for seeds, in a case's folder."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Vertebra seeds")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(_GLYPH_MM)
    display.SetSelectedColor(*_COLOR)
    display.SetColor(*_COLOR)
    # They lie inside bone, not on what is seen in front of it.
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetOccludedVisibility(True)
    put_in_folder(node, folder)
    return node


def needed_seeds(node: Any) -> dict[str, tuple[float, float, float]]:
    """Where the seed of each level is, from top to bottom. Raises CaseError with the remedy where that is not clear."""
    seeds = seeds_in(node)
    if not seeds:
        raise CaseError("no vertebra has a seed: choose a level, press 'Place seed' and click into its body")
    places: dict[str, tuple[float, float, float]] = {}
    for seed in seeds:
        if seed.level is None:
            raise CaseError(f"the seed '{seed.label}' names no vertebra: call it by its level, as C4, or remove it")
        if seed.level in places:
            raise CaseError(f"{seed.level} has two seeds: remove one of them")
        places[seed.level] = seed.place
    if len(places) < FEWEST:
        only = next(iter(places))
        raise CaseError(f"only {only} has a seed: place one in each vertebra that the strut shall stand on")
    return {level: places[level] for level in LEVELS if level in places}
