"""A lattice as model nodes: the one that views draw and, for a large one, the whole mesh beside it."""

from __future__ import annotations

from typing import Any

from ..files import Made
from ..infill.order import Order
from ..infill.region import Region, Within
from .hierarchy import put_beside
from .models import shade, show_mesh
from .wishes import Body

_TITANIUM = (0.72, 0.74, 0.78)
_SEEN_THROUGH = 0.2
_WHOLE = "LatticeGenerator.Whole"  # the role of the reference from a lattice to its whole mesh


def show_made(parameters: Any, made: Made, order: Order, body: Body) -> Any:
    """Shows a lattice in the model node that was chosen for it, or else in a new one, and returns the node.

    parameters: the module's wrapped parameter node; its field lattice is set. Of a node that was there, name, colour,
    opacity and visibility stay as a person set them. A lattice that is drawn thinned out is also kept whole, in a
    hidden node, where keepWhole says so.
    """
    scene, before = parameters.parameterNode.GetScene(), parameters.lattice
    name = before.GetName() if before is not None else f"{body.name} lattice"
    node = show_mesh(scene, made.shown, name, _TITANIUM, before)
    shade(node)
    node.SetAndObserveTransformNodeID(None)  # what is shown stands in the world, whatever the node stood under
    if before is None:
        _dress(node)
        if body.node.GetScene() is not None:  # it may have been deleted while the lattice was made
            put_beside(node, body.node)
            set_aside(body, order.region)
        parameters.lattice = node
    _keep_whole(node, made, parameters.keepWhole)
    return node


def whole_of(lattice: Any) -> Any:
    """The model node that holds the whole mesh of a lattice which is drawn thinned out; None where there is none."""
    return lattice.GetNodeReference(_WHOLE) if lattice is not None else None


def set_aside(body: Body, region: Region) -> None:
    """Lets the lattice be seen: the body whose surface it shares is hidden; drawn thin where only a box was filled."""
    display = body.node.GetDisplayNode()
    if display is None:
        return
    hidden = not isinstance(region, Within)
    if body.segment_id:
        display.SetSegmentVisibility3D(body.segment_id, not hidden)
        display.SetSegmentOpacity3D(body.segment_id, _SEEN_THROUGH)
    elif hidden:
        display.SetVisibility(False)
    else:
        display.SetOpacity(_SEEN_THROUGH)


def _dress(node: Any) -> None:
    display = node.GetDisplayNode()
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)


def _keep_whole(lattice: Any, made: Made, wanted: bool) -> None:
    scene, before = lattice.GetScene(), whole_of(lattice)
    if made.shown is made.mesh or not wanted:
        if before is not None:
            scene.RemoveNode(before)
        return
    node = show_mesh(scene, made.mesh, f"{lattice.GetName()} (whole)", _TITANIUM, before)
    if before is None:
        node.GetDisplayNode().SetVisibility(False)
        put_beside(node, lattice)
        lattice.SetNodeReferenceID(_WHOLE, node.GetID())
