"""Notices that a node is taken out of a scene that itself stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def watch_removal(scene: Any, on_removal: Callable[[Any], None]) -> tuple[Any, int]:
    """Has on_removal(node) called for each node about to be removed, but not while the scene closes or loads.

    Returns what is watched and the observer's tag.
    """
    import vtk

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def removed(caller: Any, event: str, node: Any) -> None:
        if not (scene.IsBatchProcessing() or scene.IsClosing()):
            on_removal(node)

    return scene, int(scene.AddObserver(scene.NodeAboutToBeRemovedEvent, removed))
