"""How the widgets that Qt does not have are written: as modules write code against `qt`, with Qt Properties."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from slicer_host import strict

# What a property of a type takes, and how it keeps it.
_TAKEN: dict[Any, tuple[tuple[type, ...], Callable]] = {
    str: ((str,), str),
    bool: ((bool, int), bool),
    int: ((int,), int),
    float: ((int, float), float),
    "QStringList": ((list, tuple), tuple),
}


def stored(kind: Any, name: str, default: Any, changed: Callable | None = None) -> QtCore.Property:
    """A property that keeps its value; `changed(widget)` is called when it has got another one.

    Setting a value of another type raises TypeError.
    """
    key = f"_host_{name}"
    taken, keep = _TAKEN.get(kind, ((object,), lambda value: value))
    is_enum = isinstance(kind, type) and issubclass(kind, enum.Enum)
    if is_enum:
        taken, keep = (kind, int), kind

    def read(self: Any) -> Any:
        return self.__dict__.get(key, keep(default))

    def write(self: Any, value: Any) -> None:
        if not isinstance(value, taken):
            raise TypeError(f"{type(self).__name__}.{name} takes {kind}, not {value!r}")
        before = read(self)
        self.__dict__[key] = keep(value)
        if changed and read(self) != before:
            changed(self)

    return QtCore.Property(object if is_enum else kind, read, write)


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
