"""Signals and slots as PythonQt knows them: checked when connected, and no exception in a slot gets lost."""

from __future__ import annotations

import inspect
import logging
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

from PySide6 import QtCore

# Exceptions that left a slot, a timer, a virtual method or a VTK observer: Qt and VTK print them and go on.
raised: list[BaseException] = []

# The signals whose single boolean a handler may not catch with a default: it is called with or without it.
_BOOLEAN = ("clicked(bool)", "toggled(bool)", "triggered(bool)")


class SlotError(AssertionError):
    """An exception left a slot; the application would have printed it and gone on."""


def check_no_slot_errors() -> None:
    """Raise SlotError from the first exception that left a slot since the last call, and forget them all."""
    if raised:
        first, count = raised[0], len(raised)
        raised.clear()
        raise SlotError(f"{count} exception(s) left slots; the first: {type(first).__name__}: {first}") from first


def record_uncaught() -> None:
    """Record what reaches sys.excepthook: exceptions of virtual methods and VTK observers. Safe to call twice."""
    before = sys.excepthook
    if getattr(before, "records_slots", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        raised.append(error)
        before(kind, error, trace)

    hook.records_slots = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def guarded(function: Callable, adopt: Callable = lambda value: value, count: int | None = None) -> Callable:
    """The function as a slot: called with its first `count` arguments, its exception recorded and logged."""

    def slot(*arguments: Any) -> Any:
        try:
            return function(*(adopt(argument) for argument in arguments[:count]))
        except Exception as error:
            raised.append(error)
            logging.getLogger("slicer_host").exception("Exception in a slot")
            return None

    return slot


@cache
def signals_of(kind: type) -> tuple[str, ...]:
    """The normalized signatures of a Qt class' signals, as its meta object has them."""
    meta = kind.staticMetaObject
    methods = [meta.method(index) for index in range(meta.methodCount())]
    signals = [m for m in methods if m.methodType() == QtCore.QMetaMethod.MethodType.Signal]
    return tuple(bytes(m.methodSignature().data()).decode() for m in signals)


class BoundSignal:
    """A signal of one object, as `obj.signal`: connect, disconnect, emit, or call to emit."""

    def __init__(self, sender: QtCore.QObject, name: str, native: QtCore.Signal, adopt: Callable) -> None:
        self._sender, self._name, self._native, self._adopt = sender, name, native, adopt

    def connect(self, slot: Callable) -> bool:
        """Connect the signal's first form."""
        return connect(self._sender, default_signature(type(self._sender), self._name), slot, self._adopt)

    def disconnect(self, slot: Callable | None = None) -> bool:
        """Disconnect one slot, or all that were connected through this host."""
        return disconnect(self._sender, default_signature(type(self._sender), self._name), slot)

    def emit(self, *arguments: Any) -> None:
        """Emit the signal."""
        self._native.__get__(self._sender, type(self._sender)).emit(*arguments)

    __call__ = emit


@cache
def native_signatures(kind: type) -> dict[str, str]:
    """The signals of a class: signature as C++ writes it to signature as the meta object has it.

    A class made here declares `cpp_signals`, since its own meta object knows a pointer to a node as PyObject only.
    """
    aliases = getattr(kind, "cpp_signals", ())
    names = {alias.split("(")[0] for alias in aliases}
    table = {s: s for s in signals_of(kind) if s.split("(")[0] not in names}
    for alias in aliases:
        name, arguments = alias.rstrip(")").split("(")
        native = ["PyObject" if argument.endswith("*") else argument for argument in arguments.split(",") if argument]
        table[alias] = f"{name}({','.join(native)})"
    return table


def default_signature(kind: type, name: str) -> str:
    """The first form of a signal of that name."""
    return next(signature for signature in native_signatures(kind) if signature.split("(")[0] == name)


def emit(sender: QtCore.QObject, signature: str, *arguments: Any) -> None:
    """Emit one form of a signal that has several, given by its C++ signature."""
    name, form = native_signatures(type(sender))[signature].rstrip(")").split("(")
    getattr(type(sender)._native, name).__get__(sender, type(sender))[form].emit(*arguments)


def normalized(signature: str) -> str:
    """The signature without spaces, const and references."""
    return bytes(QtCore.QMetaObject.normalizedSignature(signature).data()).decode()


def _checked_signature(sender: QtCore.QObject, signature: str) -> str:
    wanted = normalized(signature)
    table = native_signatures(type(sender))
    if wanted not in table:
        name = wanted.split("(")[0].lower()
        near = [s for s in table if s.split("(")[0].lower() == name] or sorted(table)
        raise ValueError(f"{type(sender).__name__} has no signal {signature!r}; it has {', '.join(near)}")
    return wanted


def _slot_arguments(slot: Callable, signature: str) -> int | None:
    """How many arguments PythonQt hands to a slot (None: all). Raises ValueError for a slot that cannot take them."""
    given = len([a for a in signature[signature.index("(") + 1 : -1].split(",") if a])
    function = slot.__func__ if isinstance(slot, types.MethodType) else slot
    if not isinstance(function, types.FunctionType):
        return None
    bound = isinstance(slot, types.MethodType)
    parameters = list(inspect.signature(slot).parameters.values())
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in plain if p.default is p.empty]
    name = getattr(function, "__qualname__", repr(function))
    if signature in _BOOLEAN and plain and plain[0].default is not plain[0].empty:
        raise ValueError(
            f"{name} is connected to {signature} and gives {plain[0].name!r} a default: PythonQt overwrites it with "
            f"the button's state. Take the argument without a default, or connect to {signature.split('(')[0]}()."
        )
    if len(needed) > given:
        raise ValueError(f"{name} needs {len(needed)} arguments; {signature} gives {given}")
    if function.__code__.co_flags & inspect.CO_VARARGS:
        return None
    return function.__code__.co_argcount - bound


def connect(sender: QtCore.QObject, signature: str, slot: Callable, adopt: Callable) -> bool:
    """Connect `slot` to a signal given by its C++ signature. Raises ValueError (unknown signal, unfit slot)."""
    wanted = _checked_signature(sender, signature)
    if not callable(slot):
        raise ValueError(f"{slot!r} cannot be connected to {signature}: it is not callable")
    wrapped = guarded(slot, adopt, _slot_arguments(slot, wanted))
    QtCore.QObject.connect(sender, QtCore.SIGNAL(native_signatures(type(sender))[wanted]), wrapped)
    _connections(sender).append((wanted, slot, wrapped))
    return True


def disconnect(sender: QtCore.QObject, signature: str, slot: Callable | None = None) -> bool:
    """Undo `connect`; False where that slot was not connected. Raises ValueError for an unknown signal."""
    wanted = _checked_signature(sender, signature)
    native = QtCore.SIGNAL(native_signatures(type(sender))[wanted])
    kept, gone = [], []
    for connection in _connections(sender):
        match = connection[0] == wanted and (slot is None or connection[1] == slot)
        (gone if match else kept).append(connection)
    for _signature, _slot, wrapped in gone:
        QtCore.QObject.disconnect(sender, native, wrapped)
    _connections(sender)[:] = kept
    return bool(gone)


def _connections(sender: QtCore.QObject) -> list[tuple[str, Callable, Callable]]:
    return sender.__dict__.setdefault("_host_connections", [])
