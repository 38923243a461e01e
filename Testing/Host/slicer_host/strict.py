"""Strict classes: every PySide6 class shown as PythonQt shows it, generated from its meta object.

A Q_PROPERTY is a Python property, a signal has connect(slot), `obj.connect("signal(args)", slot)` works, and an
attribute that does not exist can be neither read nor set. Objects that Qt makes itself become strict when a strict
object returns them. Python subclasses may carry attributes of their own, as PythonQt allows.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from slicer_host import slots
from slicer_host.slots import SlotError, check_no_slot_errors, guarded, raised, record_uncaught

__all__ = ["SlotError", "adopt", "check_no_slot_errors", "guarded", "process_events", "raised", "record_uncaught"]

ObjectType = type(QtCore.QObject)


class StrictType(ObjectType):
    """Metaclass: a native object counts as an instance of the strict class of its class."""

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> None:
        super().__init__(name, bases, body)
        for method in ("connect", "disconnect"):  # PySide looks for these two in an object's own class only
            inherited = _static(cls, method)
            if method not in body and type(inherited).__name__ == "function":
                setattr(cls, method, inherited)
        for signal in [key for key, value in body.items() if isinstance(value, QtCore.Signal)]:
            setattr(cls, signal, StrictSignal(signal, body[signal]))

    def __instancecheck__(cls, instance: Any) -> bool:
        native = cls.__dict__.get("_native")
        return isinstance(instance, native) if native else type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        native = cls.__dict__.get("_native")
        return issubclass(subclass, native) if native else type.__subclasscheck__(cls, subclass)


class StrictProperty:
    """A Q_PROPERTY as a Python property; read from the class it is the native method of that name, if there is one."""

    def __init__(self, native: type, name: str, writable: bool) -> None:
        self._native, self._name, self._writable = native, name, writable
        capital = name[0].upper() + name[1:]
        self._setter = _method(native, f"set{capital}")
        self._getter = _method(native, f"is{capital}") or _method(native, f"has{capital}") or _method(native, name)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return getattr(self._native, self._name, self)
        value = self._getter(instance) if self._getter else QtCore.QObject.property(instance, self._name)
        return adopt(value)

    def __set__(self, instance: Any, value: Any) -> None:
        owner = type(instance).__name__
        if not self._writable:
            raise AttributeError(f"{owner}.{self._name} is read-only")
        if self._setter:
            self._setter(instance, value)
            return
        meta = instance.metaObject()
        if not meta.property(meta.indexOfProperty(self._name)).write(instance, value):
            raise TypeError(f"{owner}.{self._name} does not take {value!r} of type {type(value).__name__}")


class StrictSignal:
    """A signal in a strict class."""

    def __init__(self, name: str, native: QtCore.Signal) -> None:
        self._name, self._native = name, native

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else slots.BoundSignal(instance, self._name, self._native, adopt)

    def __set__(self, instance: Any, value: Any) -> None:
        if not isinstance(value, QtCore.SignalInstance):  # PySide tries to keep its own here
            raise AttributeError(f"{type(instance).__name__}.{self._name} is a signal and cannot be set")


class StrictMethod:
    """A native method whose results become strict. No function: Qt must not take it for an override of a virtual."""

    def __init__(self, native: type, name: str) -> None:
        self._native, self._name = native, name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        method = getattr(self._native, self._name)
        return method if instance is None else BoundMethod(method, instance)


class BoundMethod:
    """A native method of one object."""

    def __init__(self, method: Callable, instance: Any) -> None:
        self._method, self._instance = method, instance

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        _refuse_keywords(keywords, self)
        return adopt(self._method(self._instance, *arguments))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundMethod) and (self._method, self._instance) == (other._method, other._instance)

    def __hash__(self) -> int:
        return hash((self._method, id(self._instance)))

    def __repr__(self) -> str:
        return f"<method {self._method.__name__} of {type(self._instance).__name__}>"


def _refuse_keywords(keywords: dict[str, Any], called: Any) -> None:
    if keywords:
        raise TypeError(f"PythonQt hands no keyword arguments to C++: {called} got {', '.join(keywords)}")


def adopt(value: Any) -> Any:
    """The value with every native Qt object in it made strict, in place; a list becomes a tuple, as in PythonQt."""
    if type(value) in (list, tuple):
        return tuple(adopt(item) for item in value)
    if isinstance(value, QtCore.QObject) and type(value).__module__.startswith("PySide6."):
        kind = _class_to_adopt(type(value))
        value.__class__ = kind
        # Shiboken counts a second reference of an object to its class, and gives back two when the object goes.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kind))
        _forget_native_signals(value)
    return value


def _forget_native_signals(instance: QtCore.QObject) -> None:
    """PySide keeps a new object's signals in its dictionary, where they would be found before ours."""
    for name in [n for n, v in instance.__dict__.items() if isinstance(v, QtCore.SignalInstance)]:
        del instance.__dict__[name]


def process_events() -> None:
    """Let Qt work through its events, then raise SlotError if an exception left a slot."""
    QtWidgets.QApplication.processEvents()
    # What was to be deleted later goes when the event loop turns; processEvents by itself leaves it.
    QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete.value)
    check_no_slot_errors()


# What the host adds to a native class and all that derive from it: (native class, names to attributes).
extras: list[tuple[type, dict[str, Any]]] = []


@cache
def strict_class(native: type) -> type:
    """The strict class of a PySide6 class, or of a Python class derived from one whose Properties it shall show."""
    return _new_strict_class(native)


@cache
def _class_to_adopt(native: type) -> type:
    """The strict class for objects that Qt made, itself made once there is such an object.

    Where the bases of a C++ class lie (QPaintDevice within QWidget) Shiboken learns from the first object of it, and
    a class derived before that never knows: a wrapper turned into one would leave its second address behind when it
    goes, and whatever comes to lie there next would be taken for it.
    """
    return _new_strict_class(native)


def _new_strict_class(native: type) -> type:
    body: dict[str, Any] = {"_native": native, "__slots__": (), "__doc__": native.__doc__, "__module__": "qt"}
    if issubclass(native, QtCore.QObject):
        body.update({**_methods(native), **_object_methods(), **_properties(native), **_signals(native)})
        body["name"] = StrictProperty(native, "objectName", True)
        body["__init__"] = _initializer(native)
    for base, added in extras:
        if issubclass(native, base):
            body.update(added)
    body["__setattr__"] = _setattr
    body["__getattr__"] = _getattr
    return StrictType(native.__name__, (native,), body)


def _initializer(native: type) -> Callable:
    def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
        _refuse_keywords(keywords, native.__name__)
        native.__init__(self, *arguments)
        _forget_native_signals(self)

    return __init__


def _method(native: type, name: str) -> Callable | None:
    found = getattr(native, name, None)
    return found if callable(found) and not isinstance(found, (QtCore.Property, type)) else None


def _methods(native: type) -> dict[str, StrictMethod]:
    names = {name for base in native.__mro__ for name in vars(base) if not name.startswith("_")}
    found = {}
    for name in names:
        attribute = next(vars(base)[name] for base in native.__mro__ if name in vars(base))
        if type(attribute).__name__ == "method_descriptor":  # a Python class' own functions stay: they may be virtual
            found[name] = StrictMethod(native, name)
    return found


def _properties(native: type) -> dict[str, StrictProperty]:
    meta = native.staticMetaObject
    properties = [meta.property(index) for index in range(meta.propertyCount())]
    # A Property written in Python is one already, and Qt looks for it under its name.
    native_ones = [p for p in properties if not isinstance(_static(native, p.name()), QtCore.Property)]
    return {p.name(): StrictProperty(native, p.name(), p.isWritable()) for p in native_ones}


def _signals(native: type) -> dict[str, StrictSignal]:
    names = {s.split("(")[0] for s in slots.signals_of(native)}
    return {name: StrictSignal(name, getattr(native, name)) for name in names}


def _class_of(instance: Any) -> str:
    return instance.metaObject().className() if isinstance(instance, QtCore.QObject) else type(instance).__name__


def _setattr(self: Any, name: str, value: Any) -> None:
    own = "_native" not in vars(type(self)) or name.startswith("_host_")
    descriptor = _static(type(self), name)
    if own or hasattr(type(descriptor), "__set__") or isinstance(descriptor, QtCore.Property):
        object_setattr(self, name, value)
    elif isinstance(self, QtCore.QObject) and name.encode() in self.dynamicPropertyNames():
        self.setProperty(name, value)
    elif descriptor is not None:
        raise AttributeError(f"{_class_of(self)}.{name} is a method or signal and cannot be set")
    else:
        raise AttributeError(f"{_class_of(self)} has no attribute {name!r} to set")


def _static(kind: type, name: str) -> Any:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def object_setattr(instance: Any, name: str, value: Any) -> None:
    """Set an attribute past the strict check, through Qt's own."""
    next(base for base in type(instance).__mro__ if not isinstance(base, StrictType)).__setattr__(instance, name, value)


def _getattr(self: Any, name: str) -> Any:
    if isinstance(self, QtCore.QObject) and name.encode() in self.dynamicPropertyNames():
        return self.property(name)
    raise AttributeError(f"{_class_of(self)} has no attribute {name!r}")


def _object_methods() -> dict[str, Any]:
    """What PythonQt adds to each QObject."""

    def connect(self: Any, signature: str, slot: Callable) -> bool:
        """Connect a slot to a signal given by its C++ signature."""
        return slots.connect(self, signature, slot, adopt)

    def disconnect(self: Any, signature: str, slot: Callable | None = None) -> bool:
        """Disconnect a slot, or all, from a signal given by its C++ signature."""
        return slots.disconnect(self, signature, slot)

    def meta_object(self: Any) -> QtCore.QMetaObject:
        """The class' meta object. Asked of the object, PySide would take it away from the class when that goes."""
        return type(self).staticMetaObject

    def class_name(self: Any) -> str:
        """The C++ class' name."""
        return meta_object(self).className()

    def find_children(self: Any, kind: Any = QtCore.QObject, name: str = "") -> tuple:
        """All descendants of a class (or class name) and, if given, of a name."""
        found = [c for c in QtCore.QObject.findChildren(self, QtCore.QObject) if not name or _name(c) == name]
        return tuple(adopt(child) for child in found if _is_of(child, kind))

    def find_child(self: Any, kind: Any = QtCore.QObject, name: str = "") -> Any:
        """The first of find_children, or None."""
        return next(iter(find_children(self, kind, name)), None)

    added = {"connect": connect, "disconnect": disconnect, "className": class_name, "metaObject": meta_object}
    return {**added, "findChildren": find_children, "findChild": find_child}


def _name(child: QtCore.QObject) -> str:
    return QtCore.QObject.objectName(child)


def _is_of(child: QtCore.QObject, kind: Any) -> bool:
    return child.inherits(kind) if isinstance(kind, str) else isinstance(child, kind)


def strict_value_class(native: type) -> type:
    """Items of lists, tables and trees are strict too; other values and enums are taken as they are."""
    items = ("QTableWidgetItem", "QTreeWidgetItem", "QListWidgetItem", "QStandardItem")
    if issubclass(native, QtCore.QObject) or native.__name__ in items:
        return strict_class(native)
    return native


def lookup(name: str) -> type:
    """The strict class of a Qt class by its name. Raises AttributeError where Qt has none of that name."""
    for module in (QtCore, QtGui, QtWidgets):
        if hasattr(module, name):
            found = getattr(module, name)
            return strict_value_class(found) if isinstance(found, ObjectType) else found
    raise AttributeError(f"qt has no {name!r}")
