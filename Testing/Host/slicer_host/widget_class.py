"""How the widgets that Qt does not have are written: as modules write code against `qt`, with Qt Properties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from slicer_host import strict


def stored(kind: Any, name: str, default: Any, changed: Callable | None = None) -> QtCore.Property:
    """A property that keeps its value; `changed(widget)` is called when it has got another one."""
    key = f"_host_{name}"

    def read(self: Any) -> Any:
        return self.__dict__.get(key, list(default) if isinstance(default, list) else default)

    def write(self: Any, value: Any) -> None:
        before = read(self)
        self.__dict__[key] = value
        if changed and value != before:
            changed(self)

    return QtCore.Property(kind, read, write)


def forwarded(kind: Any, child: str, name: str) -> QtCore.Property:
    """A property of a child widget shown as one's own; `child` is the attribute that holds the child."""

    def read(self: Any) -> Any:
        return getattr(getattr(self, child), name)

    def write(self: Any, value: Any) -> None:
        setattr(getattr(self, child), name, value)

    return QtCore.Property(kind, read, write)


def widget_class(native: type) -> type:
    """The strict class of a widget written here: each of its writable properties also gets its setX."""
    for name, attribute in list(vars(native).items()):
        setter = f"set{name[0].upper()}{name[1:]}"
        if isinstance(attribute, QtCore.Property) and attribute.fset and not hasattr(native, setter):
            setattr(native, setter, attribute.fset)
    made = strict.strict_class(native)
    made.__module__ = native.__module__
    return made
