"""The module Segment Editor as others open it: it takes a segmentation and a volume, and has no effects."""

from __future__ import annotations

from typing import Any

from PySide6 import QtGui, QtWidgets

from .strict import strict_class


class Editor:
    """The module's qMRMLSegmentEditorWidget: remembers which nodes it was given."""

    def __init__(self) -> None:
        self._segmentation: Any = None
        self._volume: Any = None

    def setSegmentationNode(self, node: Any) -> None:
        """The segmentation to edit."""
        self._segmentation = node

    def segmentationNode(self) -> Any:
        """The segmentation to edit, or None."""
        return self._segmentation

    def setSourceVolumeNode(self, node: Any) -> None:
        """The volume to paint on. Raises ValueError before there is a segmentation, which Slicer only logs."""
        if self._segmentation is None:
            raise ValueError("The Segment Editor takes a source volume only after a segmentation.")
        self._volume = node

    def sourceVolumeNode(self) -> Any:
        """The volume to paint on, or None."""
        return self._volume


class SegmentEditorPanel(strict_class(QtWidgets.QWidget)):  # type: ignore[misc]
    """Its panel, which is empty here; self() is the scripted module's own object, as PythonQt calls it."""

    def __init__(self) -> None:
        super().__init__()
        self.editor = Editor()

    def self(self) -> SegmentEditorPanel:
        """What holds the editor."""
        return self

    def enter(self) -> None:
        """The module is opened."""

    def exit(self) -> None:
        """Another module is opened."""


class SegmentEditorModule:
    """The module."""

    name = title = "SegmentEditor"
    path, hidden = "", False

    def __init__(self) -> None:
        self.icon = QtGui.QIcon()
        self._panel: SegmentEditorPanel | None = None

    def widgetRepresentation(self) -> SegmentEditorPanel:
        """Its panel, made at the first call."""
        if self._panel is None:
            self._panel = SegmentEditorPanel()
        return self._panel
