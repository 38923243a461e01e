"""Planned screws as markups lines, from the top of the head to the tip, and back. World coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..plan.entries import ScrewType
from ..plan.plan import Screw
from .belongings import Belongings

ROLE = "screw"
_HANDLE_MM = 3.0  # of the balls to drag at a screw's ends: to be hit by a mouse, and not to hide the screw
_FREE, _HELD = (0.20, 0.55, 0.95), (0.55, 0.55, 0.55)  # colours of a screw that can be dragged, and of a locked one


def show_screws(owner: Any, screws: Sequence[Screw]) -> list[Any]:
    """The line nodes of a case's screws, in their order: those there are, used again, more or fewer as needed."""
    scene, belongings = owner.GetScene(), Belongings(owner)
    lines = belongings.all(ROLE)
    for extra in lines[len(screws) :]:
        scene.RemoveNode(extra)
    lines = lines[: len(screws)]
    while len(lines) < len(screws):
        lines.append(_new_line(scene))
    for number, (line, screw) in enumerate(zip(lines, screws)):
        _show(line, screw, number)
    belongings.put(ROLE, *lines)
    return lines


def screw_of(line: Any, screw: Screw) -> Screw:
    """The screw as its line now lies: its entry, its direction, and the made length nearest to the line's.

    A line that is still being placed, or shorter than 1 mm, gives the screw as it was.
    """
    if line.GetNumberOfDefinedControlPoints() < 2:
        return screw
    entry, tip = (np.array(line.GetNthControlPointPositionWorld(n)) for n in range(2))
    length = float(np.linalg.norm(tip - entry))
    if length < 1.0 or (np.allclose(entry, screw.entry, atol=1e-9) and np.allclose(tip, tip_of(screw), atol=1e-9)):
        return screw
    direction = (tip - entry) / length
    return screw.with_(
        entry=tuple(entry.tolist()), direction=tuple(direction.tolist()), length_mm=made_length(screw.type, length)
    )


def made_length(kind: ScrewType, length_mm: float) -> float:
    """The catalogue length nearest to a wanted one, the shorter of two that are as near."""
    return min(kind.lengths_mm, key=lambda made: (abs(made - length_mm), made))


def tip_of(screw: Screw) -> np.ndarray:
    """(3,) RAS: where a screw ends."""
    return np.asarray(screw.entry) + screw.length_mm * np.asarray(screw.direction)


def _new_line(scene: Any) -> Any:
    line = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode")
    line.CreateDefaultDisplayNodes()
    display = line.GetDisplayNode()
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(_HANDLE_MM)
    display.SetCurveLineSizeMode(display.UseLineDiameter)
    # Its tip lies inside bone, not on what is seen in front of it, and is taken hold of through that.
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetOccludedVisibility(True)
    return line


def _show(line: Any, screw: Screw, number: int) -> None:
    modified = line.StartModify()
    name = f"{screw.level} screw {number + 1}"
    if line.GetName() != name:
        line.SetName(name)
    ends = ("entry", np.asarray(screw.entry)), ("tip", tip_of(screw))
    for place, (label, point) in enumerate(ends):
        if line.GetNumberOfControlPoints() <= place:
            line.AddControlPointWorld(*point)
        elif not np.allclose(line.GetNthControlPointPositionWorld(place), point, atol=1e-9):
            line.SetNthControlPointPositionWorld(place, *point)
        line.SetNthControlPointLabel(place, label)
    line.SetLocked(screw.locked)
    display = line.GetDisplayNode()
    display.SetLineDiameter(screw.type.diameter_mm)
    color = _HELD if screw.locked else _FREE
    display.SetColor(*color)
    display.SetSelectedColor(*color)
    line.EndModify(modified)
