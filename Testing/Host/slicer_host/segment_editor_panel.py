"""The panel of the stand-in for the Segment Editor."""

from __future__ import annotations

from PySide6 import QtWidgets

from .segment_editor import Editor
from .strict import strict_class


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
