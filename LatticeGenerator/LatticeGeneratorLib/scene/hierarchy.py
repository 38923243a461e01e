"""Where nodes stand in the subject hierarchy."""

from __future__ import annotations

from typing import Any


def hierarchy_of(scene: Any) -> Any:
    """The scene's subject hierarchy node."""
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def put_in_folder(node: Any, folder: int) -> None:
    """In the application a node has an item as soon as it is in the scene; without it the item is made here."""
    hierarchy = hierarchy_of(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, folder)
    else:
        hierarchy.CreateItem(folder, node)


def put_beside(node: Any, other: Any) -> None:
    """Puts a node where another one stands: in its folder, study or patient."""
    hierarchy = hierarchy_of(node.GetScene())
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(other))
    put_in_folder(node, parent or hierarchy.GetSceneItemID())
