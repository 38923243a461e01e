"""The levels' names beside the spine: a locked list of points at the bodies' centres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from LatticeGeneratorLib.scene.hierarchy import put_in_folder

from .belongings import Belongings

ROLE = "levels"
_COLOR = (1.0, 1.0, 0.6)
_TEXT_PERCENT = 3.5  # of a view's height
_GLYPH_PERCENT = 0.8


def show_levels(owner: Any, folder: int, centres: Mapping[str, np.ndarray]) -> Any:
    """The points at (3,) RAS mm by level, in place of those before; returns their node."""
    belongings = Belongings(owner)
    node = belongings.get(ROLE)
    if node is None:
        node = owner.GetScene().AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Levels")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetTextScale(_TEXT_PERCENT)
        display.SetGlyphScale(_GLYPH_PERCENT)
        display.SetSelectedColor(*_COLOR)
        display.SetColor(*_COLOR)
        display.SetOccludedVisibility(True)  # they lie inside the bodies
        belongings.put(ROLE, node)
    modified = node.StartModify()
    node.SetLocked(False)
    node.RemoveAllControlPoints()
    for level, place in centres.items():
        node.AddControlPointWorld(place, level)
    node.SetLocked(True)
    node.EndModify(modified)
    put_in_folder(node, folder)
    return node


def set_levels_visible(owner: Any, visible: bool) -> None:
    """Shows or hides the names."""
    for node in Belongings(owner).all(ROLE):
        node.GetDisplayNode().SetVisibility(visible)
