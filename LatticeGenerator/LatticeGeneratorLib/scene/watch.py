"""Notices that nodes are edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Watch:
    """Watches some nodes at a time. on_edit(): one of them was edited, moved, or given other content."""

    def __init__(self, on_edit: Callable[[], None]) -> None:
        self._on_edit = on_edit
        self._nodes: tuple[Any, ...] = ()
        self._tags: list[tuple[Any, int]] = []

    def watch(self, nodes: Sequence[Any]) -> None:
        """Watches these nodes (None is left out) in place of those before; an array of numbers may be among them."""
        wanted = tuple(node for node in nodes if node is not None)
        if wanted == self._nodes:
            return
        self.release()
        self._nodes = wanted
        self._tags = [(node, node.AddObserver(event, self._edited)) for node in wanted for event in _events_of(node)]

    def release(self) -> None:
        """Stops watching."""
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._nodes, self._tags = (), []

    def _edited(self, caller: Any, event: str) -> None:
        self._on_edit()


def _events_of(node: Any) -> tuple[Any, ...]:
    import slicer
    import vtk

    if node.IsA("vtkMRMLSegmentationNode"):
        segmentation = slicer.vtkSegmentation
        return (
            segmentation.SourceRepresentationModified, segmentation.SegmentAdded, segmentation.SegmentRemoved,
            segmentation.SegmentModified, node.TransformModifiedEvent,
        )  # fmt: skip
    if node.IsA("vtkMRMLVolumeNode"):
        return node.ImageDataModifiedEvent, node.TransformModifiedEvent
    if node.IsA("vtkMRMLMarkupsNode"):
        return vtk.vtkCommand.ModifiedEvent, node.PointModifiedEvent, node.TransformModifiedEvent
    if node.IsA("vtkDataArray"):
        return (vtk.vtkCommand.ModifiedEvent,)
    if node.IsA("vtkMRMLTransformNode"):
        return (node.TransformModifiedEvent,)
    return node.MeshModifiedEvent, node.TransformModifiedEvent
