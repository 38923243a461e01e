"""Which widget can show which field: the pairs that Slicer knows, and none besides."""

from __future__ import annotations

import enum
import pathlib
from collections.abc import Callable
from typing import Any

import ctk
import qt
import slicer

from slicer_host.parameter_types import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    first_of,
    node_types,
    split,
)

# The whole range of a QSpinBox for a number without bounds.
_INT_MINIMUM, _INT_MAXIMUM = -(2**31), 2**31 - 1


class Connector:
    """A widget that shows a field: `read` and `write` the field's value, `on_changed` tells of a person's change."""

    def __init__(self, widget: Any, signal: str, read: Callable[[], Any], write: Callable[[Any], None]) -> None:
        self.widget, self._signal, self.read, self.write = widget, signal, read, write
        self._slot: Callable[[], None] | None = None

    def on_changed(self, function: Callable[[], None] | None) -> None:
        """Call the function when the widget has changed; None ends that."""
        if self._slot and self._signal:
            self.widget.disconnect(self._signal, self._slot)
        self._slot = function
        if function and self._signal:
            self.widget.connect(self._signal, function)


def connector_for(widget: Any, annotated: Any) -> Connector:
    """The connector of a widget and a field's type. Raises RuntimeError for a pair that Slicer cannot connect."""
    plain, notes = split(annotated)
    make = _MAKERS.get(type(widget))
    connector = make(widget, plain, notes) if make else None
    if connector is None:
        name = widget.metaObject().className()
        raise RuntimeError(
            f"Unable to create GUI connector from datatype '{annotated}' to widget type {name} ({widget.objectName!r})"
        )
    return connector


def _property(widget: Any, name: str, signal: str, convert: Callable[[Any], Any] = lambda value: value) -> Connector:
    return Connector(
        widget, signal, lambda: convert(getattr(widget, name)), lambda value: setattr(widget, name, convert(value))
    )


def _check_box(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if plain is not bool:
        return None
    if not widget.checkable:
        widget.checkable = True
    return _property(widget, "checked", "toggled(bool)")


def _bounds(notes: tuple, lowest: float, highest: float) -> tuple[float, float, bool]:
    within = first_of(notes, WithinRange)
    if within:
        return within.minimum, within.maximum, True
    minimum, maximum = first_of(notes, Minimum), first_of(notes, Maximum)
    bounded = minimum is not None and maximum is not None
    return minimum.minimum if minimum else lowest, maximum.maximum if maximum else highest, bounded


def _whole_number(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if plain is not int:
        return None
    low, high, bounded = _bounds(notes, _INT_MINIMUM, _INT_MAXIMUM)
    if isinstance(widget, qt.QSlider) and not bounded:
        raise RuntimeError("Cannot have a connection to QSlider where the int type is unbounded.")
    step = first_of(notes, SingleStep)
    if step:
        widget.singleStep = step.value
    widget.setRange(low, high)
    return _property(widget, "value", "valueChanged(int)")


def _number(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if plain not in (float, int):
        return None
    low, high, bounded = _bounds(notes, float("-inf"), float("inf"))
    if isinstance(widget, ctk.ctkSliderWidget) and not bounded:
        raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
    decimals, step = first_of(notes, Decimals), first_of(notes, SingleStep)
    if plain is int:
        widget.decimals = 0
    elif decimals:
        widget.decimals = decimals.value
    if step:
        widget.singleStep = step.value
    widget.minimum, widget.maximum = low, high
    return _property(widget, "value", "valueChanged(double)", int if plain is int else float)


def _combo_box(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        label = getattr(plain, "label", lambda member: member.name)
        values = list(plain)
        labels = [label(member) for member in values]
    elif plain in (int, float, str, bool):
        choice = first_of(notes, Choice)
        if choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        values = list(choice.choices)
        labels = [str(value) for value in values]
    else:
        return None
    widget.clear()
    for text in labels:
        widget.addItem(text)

    def write(value: Any) -> None:
        if value not in values:
            raise ValueError(f"Unable to find value {value} in choices {values}")
        widget.currentIndex = values.index(value)

    return Connector(widget, "currentIndexChanged(int)", lambda: values[widget.currentIndex], write)


def _line_edit(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if plain is not str:
        return None

    def write(value: str) -> None:
        if value != widget.text:
            widget.text = value

    return Connector(widget, "textChanged(QString)", lambda: widget.text, write)


def _label(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    return _property(widget, "text", "") if plain is str else None


def _text_edit(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    if plain is not str:
        return None
    return Connector(widget, "textChanged()", widget.toPlainText, widget.setPlainText)


def _path(prop: str, signal: str) -> Callable:
    def make(widget: Any, plain: Any, notes: tuple) -> Connector | None:
        if not (isinstance(plain, type) and issubclass(plain, pathlib.PurePath)):
            return None
        return Connector(
            widget, signal, lambda: plain(getattr(widget, prop)), lambda value: setattr(widget, prop, str(value))
        )

    return make


def _node(widget: Any, plain: Any, notes: tuple) -> Connector | None:
    types = node_types(plain)
    if not types:
        return None
    widget.nodeTypes = list(types)
    return Connector(widget, "currentNodeChanged(vtkMRMLNode*)", widget.currentNode, widget.setCurrentNode)


# A widget's exact class: a derived class is another widget, in Slicer too.
_MAKERS: dict[type, Callable[[Any, Any, tuple], Connector | None]] = {
    qt.QCheckBox: _check_box,
    ctk.ctkCheckBox: _check_box,
    qt.QPushButton: _check_box,
    qt.QSlider: _whole_number,
    qt.QSpinBox: _whole_number,
    qt.QDoubleSpinBox: _number,
    ctk.ctkSliderWidget: _number,
    ctk.ctkDoubleSpinBox: _number,
    slicer.qMRMLSliderWidget: _number,
    slicer.qMRMLSpinBox: _number,
    qt.QComboBox: _combo_box,
    ctk.ctkComboBox: _combo_box,
    qt.QLineEdit: _line_edit,
    qt.QLabel: _label,
    qt.QTextEdit: _text_edit,
    ctk.ctkPathLineEdit: _path("currentPath", "currentPathChanged(QString)"),
    ctk.ctkDirectoryButton: _path("directory", "directoryChanged(QString)"),
    slicer.qMRMLNodeComboBox: _node,
}
