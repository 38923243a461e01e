"""An implant on its way in: a copy of its model, which a transform moves. The implant itself stays in its place.

Neither is saved with the scene. They are therefore no belongings either: a reference to a node that was not saved would
be one to whatever gets its id later. They are found by an attribute of their own, and hidden from lists and from the
subject hierarchy, which would save their items.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# The attribute that holds the id of the parameter node whose implant is on its way.
_OF = "SpinalStrutDesigner.OnWayOf"
_MODEL, _TRANSFORM = "vtkMRMLModelNode", "vtkMRMLLinearTransformNode"
_COLOR, _OPACITY = (0.58, 0.24, 0.82), 0.9  # of no tissue, and told apart from the implant in its place


def show_on_way(owner: Any, model: Any, pose: np.ndarray) -> Any:
    """Shows the copy of an implant's model node where a pose (4x4, RAS) brings it from its place; returns the copy.

    What is copied is the shape as it was made, wherever a person has put the model since.
    """
    copy, move = copy_on_way(owner), _found(owner, _TRANSFORM)
    if copy is None or move is None:
        put_in_place(owner)
        move = _added(owner, _TRANSFORM, "Way in")
        copy = _copied(owner, model)
        copy.SetAndObserveTransformNodeID(move.GetID())
    move.SetMatrixTransformToParent(_matrix(pose))
    return copy


def copy_on_way(owner: Any) -> Any:
    """The copy that is on its way, None where there is none."""
    return _found(owner, _MODEL)


def put_in_place(owner: Any) -> None:
    """Takes the copy, how it is displayed, and its transform out of the scene."""
    copy = copy_on_way(owner)
    display = copy.GetDisplayNode() if copy is not None else None
    for node in (copy, display, _found(owner, _TRANSFORM)):
        if node is not None:
            owner.GetScene().RemoveNode(node)


def _found(owner: Any, kind: str) -> Any:
    scene = owner.GetScene()
    nodes = (scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind)))
    return next((node for node in nodes if node.GetAttribute(_OF) == owner.GetID()), None)


def _added(owner: Any, kind: str, name: str) -> Any:
    node = owner.GetScene().CreateNodeByClass(kind)
    node.UnRegister(None)  # what made it holds it once more than Python does
    node.SetName(name)
    node.SetAttribute(_OF, owner.GetID())
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    return owner.GetScene().AddNode(node)


def _copied(owner: Any, model: Any) -> Any:
    import vtk

    shape = vtk.vtkPolyData()
    shape.ShallowCopy(model.GetPolyData())
    copy = _added(owner, _MODEL, f"{model.GetName()} on its way in")
    copy.SetAndObservePolyData(shape)
    copy.CreateDefaultDisplayNodes()
    display = copy.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.SetScalarVisibility(False)
    display.SetColor(*_COLOR)
    display.SetOpacity(_OPACITY)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    return copy


def _matrix(pose: np.ndarray) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(pose, dtype=float).ravel())
    return matrix
