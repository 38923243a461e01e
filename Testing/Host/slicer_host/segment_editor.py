"""The module Segment Editor as others open it: it takes a segmentation and a volume, and has no effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6 import QtGui

if TYPE_CHECKING:
    from .segment_editor_panel import SegmentEditorPanel


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


class SegmentEditorModule:
    """The module."""

    name = title = "SegmentEditor"
    path, hidden = "", False

    def __init__(self) -> None:
        self._panel: SegmentEditorPanel | None = None

    @property
    def icon(self) -> QtGui.QIcon:
        """None is drawn."""
        return QtGui.QIcon()

    def widgetRepresentation(self) -> SegmentEditorPanel:
        """Its panel, made at the first call."""
        if self._panel is None:
            # A widget's class that is older than the application ends the process sooner or later.
            from .segment_editor_panel import SegmentEditorPanel

            self._panel = SegmentEditorPanel()
        return self._panel
