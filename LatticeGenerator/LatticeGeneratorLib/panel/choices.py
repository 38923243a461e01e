"""The choices of the panel that need more than a bound widget: words for them, rows that come and go, the segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from ..printing.catalogue import load_printers
from .tables import fill_choices
from .words import cell_titles, part_words

# Which rows of the panel, each a label and a widget, belong to which value of which field.
_ROWS: dict[str, dict[str, tuple[str, ...]]] = {
    "source": {"model": ("domain",), "segment": ("segment",)},
    "wish": {"pores": ("porosity", "poreSize"), "cell": ("cellSize", "thickness")},
    "where": {"whole": (), "shell": ("shellDepth",), "roi": ("roi", "fit")},
}
_WIDGETS = {
    "domain": "domainSelector", "segment": "segmentSelector", "porosity": "porositySlider",
    "poreSize": "poreSizeSlider", "cellSize": "cellSizeSlider", "thickness": "thicknessSlider",
    "shellDepth": "shellDepthSlider", "roi": "roiSelector", "fit": "fitButton",
}  # fmt: skip


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
        words = {
            self._ui.sourceComboBox: {"model": _("A model"), "segment": _("A segment")},
            self._ui.wishComboBox: {"pores": _("Porosity and pore size"), "cell": _("Cell size and thickness")},
            self._ui.whereComboBox: {
                "whole": _("In all of it"), "shell": _("In a shell under the surface"),
                "roi": _("Within a region of interest"),
            },
        }  # fmt: skip
        for box, texts in words.items():
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
        for field, values in _ROWS.items():
            for value, rows in values.items():
                for row in rows:
                    shown = getattr(parameters, field) == value
                    getattr(self._ui, f"{row}Label").visible = shown
                    getattr(self._ui, _WIDGETS[row]).visible = shown
        self._ui.thicknessLabel.text = part_words(parameters.cell).thickness
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
