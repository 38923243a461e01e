"""A copy of a node in a scene of its own, for writing it without touching the node's storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import slicer
import vtk


@contextmanager
def export_node(scene: Any, node: Any, world: bool) -> Iterator[tuple[Any, Any]]:
    """A temporary scene and the copy in it. world: the copy is hardened by the node's parent transform."""
    temporary = slicer.vtkMRMLScene()
    scene.CopyDefaultNodesToScene(temporary)
    scene.CopyRegisteredNodesToScene(temporary)
    scene.CopySingletonNodesToScene(temporary)
    temporary.SetDataIOManager(scene.GetDataIOManager())
    copy = temporary.AddNewNodeByClass(node.GetClassName())
    copy.CopyContent(node, world)
    if world and node.IsA("vtkMRMLTransformableNode") and node.GetParentTransformNode():
        _harden(temporary, node, copy)
    copy.AddDefaultStorageNode()
    display = node.GetDisplayNode() if node.IsA("vtkMRMLDisplayableNode") else None
    if display:
        display_copy = temporary.AddNewNodeByClass(display.GetClassName())
        display_copy.CopyContent(display, False)
        copy.SetAndObserveDisplayNodeID(display_copy.GetID())
    yield temporary, copy
    temporary.Clear(True)


def _harden(temporary: Any, node: Any, copy: Any) -> None:
    from_world = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformFromWorld(from_world)
    transform = temporary.AddNewNodeByClass("vtkMRMLTransformNode")
    transform.SetAndObserveTransformFromParent(from_world)
    copy.SetAndObserveTransformNodeID(transform.GetID())
    copy.HardenTransform()
