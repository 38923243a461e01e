"""A lattice as model nodes: the one that views draw and, for a large one, the whole mesh beside it."""

from __future__ import annotations

from typing import Any

from ..files import Made
from .hierarchy import put_beside
from .models import show_mesh
from .wishes import body_name, source_node

_TITANIUM = (0.72, 0.74, 0.78)
_SEEN_THROUGH = 0.2


def show_made(scene: Any, parameters: Any, made: Made) -> Any:
    """Shows a lattice in the model node that was chosen for it, or else in a new one, and returns the node.

    parameters: the module's wrapped parameter node; its fields lattice and wholeLattice are set. Of a node that was
    there, name, colour, opacity and visibility stay as a person set them. A lattice that is drawn thinned out is also
    kept whole, in a hidden node, where keepWhole says so.
    """
    before = parameters.lattice
    name = before.GetName() if before is not None else f"{body_name(parameters)} lattice"
    node = show_mesh(scene, made.shown, name, _TITANIUM, before)
    node.SetAndObserveTransformNodeID(None)  # what is shown stands in the world, whatever the node stood under
    if before is None:
        _dress(node)
        put_beside(node, source_node(parameters))
        set_aside(parameters)
        parameters.lattice = node
    _keep_whole(scene, parameters, made, name)
    return node


def set_aside(parameters: Any) -> None:
    """Lets the lattice be seen: the body that it fills is hidden, or drawn thin where the lattice is only in a part."""
    display = source_node(parameters).GetDisplayNode()
    if display is None:
        return
    whole = parameters.where == "whole"
    if parameters.source == "segment":
        display.SetSegmentVisibility3D(parameters.segmentID, not whole)
        display.SetSegmentOpacity3D(parameters.segmentID, _SEEN_THROUGH)
    elif whole:
        display.SetVisibility(False)
    else:
        display.SetOpacity(_SEEN_THROUGH)


def _dress(node: Any) -> None:
    display = node.GetDisplayNode()
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)


def _keep_whole(scene: Any, parameters: Any, made: Made, name: str) -> None:
    whole = parameters.wholeLattice
    if made.shown is made.mesh or not parameters.keepWhole:
        if whole is not None:
            scene.RemoveNode(whole)
        return
    node = show_mesh(scene, made.mesh, f"{name} (whole)", _TITANIUM, whole)
    if whole is None:
        node.GetDisplayNode().SetVisibility(False)
        put_beside(node, parameters.lattice)
        parameters.wholeLattice = node
