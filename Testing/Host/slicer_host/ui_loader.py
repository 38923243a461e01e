"""Loads .ui files into strict widgets, and refuses what Slicer would only warn about or silently leave out."""

from __future__ import annotations

import functools
import operator
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from slicer_host import ctk_module, mrml_widgets, slots, strict

# What a layout may be given in a .ui file.
_LAYOUT_PROPERTIES = {
    "leftMargin", "topMargin", "rightMargin", "bottomMargin", "margin", "spacing", "horizontalSpacing",
    "verticalSpacing", "sizeConstraint", "fieldGrowthPolicy", "rowWrapPolicy", "labelAlignment", "formAlignment",
}  # fmt: skip


# PySide's loader hangs each named child on the root as an attribute, which a strict root refuses: a plain widget
# holds the root meanwhile.
_HOLDER = "_host_holder"


class UiError(ValueError):
    """A .ui file names a widget class, property, signal or slot that does not exist."""


def widget_class_named(name: str) -> type:
    """The strict class of a widget in a .ui file. Raises UiError where there is none."""
    if name in _made_here():
        return _made_here()[name]
    native = getattr(QtWidgets, name, None)
    if not isinstance(native, type) or not issubclass(native, QtWidgets.QWidget):
        raise UiError(f"There is no widget class {name!r}")
    return strict.lookup(name)


def _made_here() -> dict[str, type]:
    return {**ctk_module.widgets(), **mrml_widgets.widgets()}


class _Loader(QtUiTools.QUiLoader):
    """Makes strict widgets. An exception must not reach Qt from here: PySide may crash on it, so it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[Exception] = []

    def createWidget(self, name: str, parent: Any = None, object_name: str = "") -> Any:
        try:
            if name == "Line" or object_name == _HOLDER:
                return super().createWidget(name, parent, object_name)
            widget = widget_class_named(name)(parent)
            widget.setObjectName(object_name)
            return widget
        except Exception as error:
            self.errors.append(error)
            return QtWidgets.QWidget(parent)


class QUiLoader:
    """Loads a .ui file as Slicer does, strictly."""

    def load(self, device: QtCore.QIODevice, parent: Any = None) -> Any:
        """The root widget. Raises UiError for unknown classes, properties, signals and slots, and for double names."""
        root = ElementTree.fromstring(bytes(device.readAll().data()).decode("utf-8"))
        _check_names(root)
        late = _check_properties(root)
        connections = _take_connections(root)
        widget = _load_natively(root, parent)
        for name, prop, value in late:
            setattr(_named(widget, name), prop, value)
        for connection in connections:
            _connect(widget, *connection)
        return widget


def _check_names(root: ElementTree.Element) -> None:
    names = [element.get("name", "") for tag in ("widget", "action") for element in root.iter(tag)]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UiError(f"Names are used twice: {', '.join(twice)}")


def _check_properties(root: ElementTree.Element) -> list[tuple[str, str, Any]]:
    """Check each widget's properties; those that are written in Python are taken out, to be set after loading.

    Qt's loader knows no enums of theirs and keeps silent when one does not take its value.
    """
    late = []
    for element in root.iter("widget"):
        kind, name = element.get("class", ""), element.get("name", "")
        if kind == "Line":
            continue
        native = widget_class_named(kind)._native
        meta = native.staticMetaObject
        for prop in element.findall("property"):
            key = prop.get("name", "")
            if prop.get("stdset") == "0":
                continue
            if meta.indexOfProperty(key) < 0:
                raise UiError(f"{kind} {name!r} has no property {key!r}")
            value = prop[0]
            if value.tag in _READERS and isinstance(getattr(native, key, None), QtCore.Property):
                late.append((name, key, _READERS[value.tag](value)))
                element.remove(prop)
    for element in root.iter("layout"):
        for prop in element.findall("property"):
            if prop.get("name") not in _LAYOUT_PROPERTIES:
                raise UiError(f"Layout {element.get('name')!r} has no property {prop.get('name')!r}")
    return late


def _enum_value(text: str) -> Any:
    """The value of "QFrame::StyledPanel" or "ctkPathLineEdit::Dirs|ctkPathLineEdit::Files"."""
    values = []
    for part in text.split("|"):
        kind, *_scopes, name = part.strip().split("::")
        holder = _made_here().get(kind) or strict.lookup(kind)
        if not hasattr(holder, name):
            raise UiError(f"{kind} has no enum value {name!r}")
        values.append(getattr(holder, name))
    return functools.reduce(operator.or_, values)


_READERS: dict[str, Callable[[ElementTree.Element], Any]] = {
    "bool": lambda value: value.text == "true",
    "number": lambda value: int(value.text or ""),
    "double": lambda value: float(value.text or ""),
    "string": lambda value: value.text or "",
    "stringlist": lambda value: [item.text or "" for item in value],
    "enum": lambda value: _enum_value(value.text or ""),
    "set": lambda value: _enum_value(value.text or ""),
}


def _take_connections(root: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    found = []
    for element in root.findall("connections"):
        for connection in element.findall("connection"):
            parts = [connection.findtext(tag, "").strip() for tag in ("sender", "signal", "receiver", "slot")]
            found.append((parts[0], parts[1], parts[2], parts[3]))
        root.remove(element)
    return found


def _load_natively(root: ElementTree.Element, parent: Any) -> Any:
    held = root.find("widget")
    if held is None:
        raise UiError("The .ui file holds no widget")
    holder = ElementTree.Element("widget", {"class": "QWidget", "name": _HOLDER})
    root[list(root).index(held)] = holder
    holder.append(held)
    buffer = QtCore.QBuffer()
    buffer.setData(ElementTree.tostring(root, encoding="utf-8"))
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    loader, complaints = _Loader(), list[str]()
    before = QtCore.qInstallMessageHandler(lambda kind, context, text: complaints.append(text))
    try:
        outer = loader.load(buffer, None)
    finally:
        QtCore.qInstallMessageHandler(before)
    if loader.errors:
        raise loader.errors[0]
    if complaints or outer is None:
        raise UiError("The .ui file could not be read as it is: " + "; ".join(complaints or ["no widget"]))
    widget = outer.findChild(QtWidgets.QWidget, held.get("name", ""))
    QtWidgets.QWidget.setParent(widget, parent)
    return widget


def _named(root: Any, name: str) -> Any:
    found = root if root.objectName == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise UiError(f"A connection names {name!r}, which the .ui file does not hold")
    return found


def _connect(root: Any, sender: str, signal: str, receiver: str, slot: str) -> None:
    target = _named(root, receiver)
    wanted = slots.normalized(slot)
    declared = {slots.normalized(s) for s in getattr(type(target), "cpp_slots", ())}
    if wanted not in declared and target.metaObject().indexOfMethod(wanted) < 0:
        raise UiError(f"{type(target).__name__} {receiver!r} has no slot {slot!r}")
    function, count = getattr(target, slot.split("(")[0]), len([a for a in wanted[:-1].split("(")[1].split(",") if a])
    try:
        slots.connect(_named(root, sender), signal, lambda *arguments: function(*arguments[:count]), strict.adopt)
    except ValueError as error:
        raise UiError(str(error)) from error
