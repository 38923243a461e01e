"""The choices of the panel that need more than a bound widget: words for them, lists of cells and printers, the
segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..printing.catalogue import load_printers
from .rows import show_rows
from .tables import fill_choices
from .words import cell_titles, choice_words, part_words, side_words


class Choices:
    """Shows the choices of a parameter node, and takes from selectors what no wrapper takes."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._parameters: Any = None
        # Boxes whose entries are no part of the parameter node: a new cell, or printer, needs no change there.
        self._lists: tuple[tuple[str, Any, Callable[[], list[tuple[str, str]]]], ...] = (
            ("cell", ui.cellComboBox, _cells),
            ("printer", ui.printerComboBox, _printers),
        )
        for field, box, _entries in self._lists:
            box.connect("currentIndexChanged(int)", self._taker(field, box))
        ui.segmentSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.on_segmentation)
        ui.segmentSelector.connect("currentSegmentChanged(QString)", self.on_segment)

    def open(self, parameters: Any) -> None:
        """Shows a parameter node whose fields are bound to the widgets already."""
        self._parameters = parameters
        for field, texts in choice_words().items():
            box = getattr(self._ui, f"{field}ComboBox")
            # The wrapper fills a box with the values themselves, and reads it by place.
            for place in range(box.count):
                box.setItemText(place, texts.get(box.itemText(place), box.itemText(place)))

    def close(self) -> None:
        """Shows nothing more."""
        self._parameters = None

    def show(self) -> None:
        """Shows the rows that go with the choices, and the segment."""
        parameters = self._parameters
        for field, box, entries in self._lists:
            fill_choices(box, entries(), getattr(parameters, field))
        show_rows(self._ui, parameters)
        self._ui.thicknessLabel.text = part_words(parameters.cell).thickness
        self._ui.sideLabel.text = side_words(parameters.finish)
        self._show_segment(parameters)

    def _show_segment(self, parameters: Any) -> None:
        selector = self._ui.segmentSelector
        was = selector.blockSignals(True)
        if selector.currentNode() is not parameters.segmentation:
            selector.setCurrentNode(parameters.segmentation)
        if parameters.segmentID and selector.currentSegmentID() != parameters.segmentID:
            selector.setCurrentSegmentID(parameters.segmentID)
        selector.blockSignals(was)

    def on_segmentation(self, node: Any) -> None:
        """A person chose another segmentation; its first segment comes with it."""
        if self._parameters is not None:
            self._parameters.segmentation = node
            self._parameters.segmentID = self._ui.segmentSelector.currentSegmentID()

    def on_segment(self, segment_id: str) -> None:
        """A person chose another segment."""
        if self._parameters is not None:
            self._parameters.segmentID = segment_id

    def _taker(self, field: str, box: Any) -> Callable[[int], None]:
        def take(place: int) -> None:
            if self._parameters is not None and place >= 0:
                setattr(self._parameters, field, box.itemData(place))

        return take


def _cells() -> list[tuple[str, str]]:
    return [(title, name) for name, title in cell_titles().items()]


def _printers() -> list[tuple[str, str]]:
    # The first stands for whichever the catalogue begins with, so that a scene follows the hospital's own.
    return [(name, name if place else "") for place, name in enumerate(load_printers())]
