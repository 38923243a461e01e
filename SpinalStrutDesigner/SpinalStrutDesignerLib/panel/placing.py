"""Waiting for one click in a slice or 3D view, by Slicer's own way of placing markups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Placing:
    """Takes one placed point. name: of the node that waits for it; on_point((x, y, z) RAS mm): where; on_end(): placing
    is over, with a point or without."""

    def __init__(
        self, name: str, on_point: Callable[[tuple[float, float, float]], None], on_end: Callable[[], None]
    ) -> None:
        self._name = name
        self._on_point, self._on_end = on_point, on_end
        self._node: Any = None
        self._tags: list[tuple[Any, int]] = []

    def start(self, scene: Any) -> None:
        """Puts the mouse into place mode for one point of a hidden markups node."""
        import slicer

        self.stop()
        node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", self._name)
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        node.CreateDefaultDisplayNodes()
        self._node = node
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        markups = slicer.modules.markups.logic()
        markups.SetActiveList(node)
        markups.StartPlaceMode(False)
        self._tags = [
            (node, node.AddObserver(node.PointPositionDefinedEvent, self._placed)),
            (interaction, interaction.AddObserver(interaction.InteractionModeChangedEvent, self._mode_changed)),
        ]

    def stop(self) -> None:
        """Ends the waiting; does nothing where nobody waits."""
        node, self._node = self._node, None
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags = []
        if node is None:
            return
        import slicer

        interaction = slicer.app.applicationLogic().GetInteractionNode()
        interaction.SwitchToViewTransformMode()
        if node.GetScene() is not None:
            _take_away(node)
        self._on_end()

    def _placed(self, caller: Any, event: str) -> None:
        import qt

        x, y, z = caller.GetNthControlPointPositionWorld(0)

        # The displayable manager is still at work on the node: it may go only when that is done.
        def taken() -> None:
            self.stop()
            self._on_point((x, y, z))

        qt.QTimer.singleShot(0, taken)

    def _mode_changed(self, caller: Any, event: str) -> None:
        import qt

        waiting = self._node is not None and self._node.GetNumberOfDefinedControlPoints() == 0
        if waiting and caller.GetCurrentInteractionMode() != caller.Place:
            qt.QTimer.singleShot(0, self.stop)


def _take_away(node: Any) -> None:
    """Removes a node and what displays it: views keep what they drew of it, and the scene would save the latter."""
    scene, display = node.GetScene(), node.GetDisplayNode()
    if display is not None:
        display.SetVisibility(False)
        scene.RemoveNode(display)
    scene.RemoveNode(node)
