"""Gives every visible data node its subject hierarchy item, as the plug-ins of the application do."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

# Node class -> the plug-in that owns its item in the application. The first match counts.
# Source: Slicer Modules/Loadable/*/SubjectHierarchyPlugins, canAddNodeToSubjectHierarchy of each.
_OWNERS = {
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLLabelMapVolumeNode": "LabelMaps",
    "vtkMRMLVolumeNode": "Volumes",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLMarkupsNode": "Markups",
    "vtkMRMLTransformNode": "Transforms",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLPlotChartNode": "Charts",
    "vtkMRMLPlotSeriesNode": "Charts",
}


def owner_of(node: Any) -> str:
    """The plug-in that would own the node's item; empty where none takes it."""
    return next((owner for kind, owner in _OWNERS.items() if node.IsA(kind)), "")


class SubjectItems:
    """Observes a scene and keeps its subject hierarchy complete."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        for event, slot in (
            (slicer.vtkMRMLScene.NodeAddedEvent, self._on_added),
            (slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._on_removed),
        ):
            slot.__func__.CallDataType = vtk.VTK_OBJECT  # type: ignore[attr-defined]
            scene.AddObserver(event, slot)
        # Before any other observer: lists that show the hierarchy read it on the same event.
        for event in (slicer.vtkMRMLScene.EndImportEvent, slicer.vtkMRMLScene.EndBatchProcessEvent):
            scene.AddObserver(event, self._on_many_changed, 10.0)
        for event in (slicer.vtkMRMLScene.EndCloseEvent, slicer.vtkMRMLScene.EndRestoreEvent):
            scene.AddObserver(event, self._resolve)
        self._resolve()

    @property
    def hierarchy(self) -> Any:
        """The scene's one subject hierarchy node."""
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)

    def _resolve(self, caller: Any = None, event: str = "") -> None:
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)

    def _on_added(self, caller: Any, event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            self._resolve()
        elif not self._scene.IsImporting():
            self._add(node)

    def _on_removed(self, caller: Any, event: str, node: Any) -> None:
        if self._scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        item = self.hierarchy.GetItemByDataNode(node)
        if item:
            self.hierarchy.RemoveItem(item, False, False)

    def _on_many_changed(self, caller: Any, event: str) -> None:
        if self._scene.IsClosing():
            return
        self._resolve()
        for index in range(self._scene.GetNumberOfNodes()):
            self._add(self._scene.GetNthNode(index))

    def _add(self, node: Any) -> None:
        owner = "" if node.GetHideFromEditors() else owner_of(node)
        hierarchy = self.hierarchy
        if owner and not hierarchy.GetItemByDataNode(node):
            item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
            hierarchy.SetItemOwnerPluginName(item, owner)
