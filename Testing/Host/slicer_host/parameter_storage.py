"""How fields are kept in a vtkMRMLScriptedModuleNode: the same parameters and references as in Slicer."""

from __future__ import annotations

import enum
import pathlib
import typing
from collections.abc import Iterable, MutableSequence
from typing import Any

import slicer

from slicer_host.parameter_types import IsInstance, IsNone, NotNone, Validator, is_union, split

_PATHS = (
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
)


class Storage:
    """One parameter as text. Raises ValueError on reading a text that is no such value."""

    cached = True

    def __init__(self, kind: Any, default: Any, validators: Iterable[Validator] = ()) -> None:
        self.kind, self._default, self.validators = kind, default, list(validators)

    def default(self) -> Any:
        """The value of a field that has no other."""
        return self._default

    def validate(self, value: Any) -> None:
        """Raise what the validators raise."""
        for validator in self.validators:
            validator.validate(value)

    def accepts(self, value: Any) -> bool:
        """Whether the value may be written."""
        try:
            self.validate(value)
        except (ValueError, TypeError):
            return False
        return True

    def is_in(self, node: Any, name: str) -> bool:
        """Whether the node holds the parameter."""
        return node.HasParameter(name)

    def write(self, node: Any, name: str, value: Any) -> None:
        """Check and keep a value."""
        self.validate(value)
        node.SetParameter(name, self.text(value))

    def text(self, value: Any) -> str:
        """The value as it is kept."""
        return str(value)

    def read(self, node: Any, name: str) -> Any:
        """The value kept; it is not checked against range or choice, as in Slicer."""
        return self.kind(node.GetParameter(name))

    def remove(self, node: Any, name: str) -> None:
        """Forget the parameter."""
        node.UnsetParameter(name)


class _Bool(Storage):
    def read(self, node: Any, name: str) -> bool:
        return node.GetParameter(name) == "True"


class _Enum(Storage):
    def text(self, value: Any) -> str:
        return value.name

    def read(self, node: Any, name: str) -> Any:
        key = node.GetParameter(name)
        if key not in self.kind.__members__:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.kind!r}")
        return self.kind[key]


class _Node(Storage):
    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        node.SetParameter(name, "")  # tells that None was written
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class _None(Storage):
    def text(self, value: Any) -> str:
        return "True"

    def read(self, node: Any, name: str) -> None:
        return None


class _List(Storage):
    def __init__(self, element: Storage) -> None:
        super().__init__(list, None)
        self._element = element

    def default(self) -> list:
        return []

    def is_in(self, node: Any, name: str) -> bool:
        return node.HasParameter(f"{name}.len")

    def _length(self, node: Any, name: str) -> int:
        return int(node.GetParameter(f"{name}.len")) if self.is_in(node, name) else 0

    def write(self, node: Any, name: str, value: Any) -> None:
        values = list(value)
        self.validate(values)
        for item in values:
            self._element.validate(item)
        with slicer.util.NodeModify(node):
            before = self._length(node, name)
            for index, item in enumerate(values):
                self._element.write(node, f"{name}.{index}", item)
            node.SetParameter(f"{name}.len", str(len(values)))
            for index in range(len(values), before):
                self._element.remove(node, f"{name}.{index}")

    def read(self, node: Any, name: str) -> StoredList:
        length = self._length(node, name)
        return StoredList(self, node, name, [self._element.read(node, f"{name}.{i}") for i in range(length)])

    def remove(self, node: Any, name: str) -> None:
        with slicer.util.NodeModify(node):
            for index in range(self._length(node, name)):
                self._element.remove(node, f"{name}.{index}")
            node.UnsetParameter(f"{name}.len")


class StoredList(MutableSequence):
    """A list whose changes are kept in the node at once."""

    def __init__(self, storage: Storage, node: Any, name: str, values: list) -> None:
        self._storage, self._node, self._name, self._list = storage, node, name, values

    def __eq__(self, other: object) -> bool:
        return self._list == (other._list if isinstance(other, StoredList) else other)

    def __repr__(self) -> str:
        return f"StoredList({self._list})"

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, index: Any) -> Any:
        return self._list[index]

    def _change(self, values: list) -> None:
        self._storage.write(self._node, self._name, values)
        self._list = values

    def __setitem__(self, index: Any, value: Any) -> None:
        values = list(self._list)
        values[index] = value
        self._change(values)

    def __delitem__(self, index: Any) -> None:
        values = list(self._list)
        del values[index]
        self._change(values)

    def insert(self, index: int, value: Any) -> None:
        """Insert a value."""
        values = list(self._list)
        values.insert(index, value)
        self._change(values)


class _Union(Storage):
    def __init__(self, parts: list[Storage]) -> None:
        super().__init__(None, None)
        self._parts = parts

    def default(self) -> Any:
        optional = len(self._parts) == 2 and isinstance(self._parts[1], _None)
        return None if optional else self._parts[0].default()

    def is_in(self, node: Any, name: str) -> bool:
        return any(part.is_in(node, f"{name}.{index}") for index, part in enumerate(self._parts))

    def _best(self, value: Any) -> tuple[int, Storage]:
        for index, part in enumerate(self._parts):
            if (value is None) == isinstance(part, _None) and part.accepts(value):
                return index, part
        raise TypeError(f"Unable to write {value!r} of type {type(value).__name__}")

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        index, part = self._best(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            part.write(node, f"{name}.{index}", value)

    def read(self, node: Any, name: str) -> Any:
        for index, part in enumerate(self._parts):
            if part.is_in(node, f"{name}.{index}"):
                return part.read(node, f"{name}.{index}")
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, node: Any, name: str) -> None:
        with slicer.util.NodeModify(node):
            for index, part in enumerate(self._parts):
                part.remove(node, f"{name}.{index}")


def storage_for(annotated: Any) -> tuple[Storage, tuple[Any, ...]]:
    """How a type is kept, and the annotations that do not concern that. Raises TypeError for an unsupported type."""
    plain, notes = split(annotated)
    validators = [note() if isinstance(note, type) else note for note in notes if _is_validator(note)]
    storage = _plain_storage(plain)
    storage.validators += validators
    return storage, tuple(note for note in notes if not _is_validator(note))


def _is_validator(note: Any) -> bool:
    return isinstance(note, Validator) or (isinstance(note, type) and issubclass(note, Validator))


def _plain_storage(plain: Any) -> Storage:
    if is_union(plain):
        return _Union([storage_for(part)[0] for part in typing.get_args(plain)])
    if plain is list or typing.get_origin(plain) is list:
        arguments = typing.get_args(plain)
        if len(arguments) != 1:
            raise TypeError("A list needs the type of its elements here: list[str]")
        return _List(storage_for(arguments[0])[0])
    if plain is type(None):
        return _None(plain, None, [IsNone()])
    for kinds, storage in ((bool, _Bool), (float, Storage), (int, Storage), (str, Storage)):
        if plain is kinds:
            allowed = (int, float) if plain is float else plain
            return storage(plain, {bool: False, str: ""}.get(plain, 0), [NotNone(), IsInstance(allowed)])
    if plain in _PATHS:
        return Storage(plain, plain(), [NotNone(), IsInstance(plain)])
    if isinstance(plain, type) and issubclass(plain, slicer.vtkMRMLNode):
        return _Node(plain, None, [IsInstance(plain)])
    if isinstance(plain, type) and issubclass(plain, enum.Enum) and len(plain):
        return _Enum(plain, next(iter(plain)), [IsInstance(plain)])
    raise TypeError(f"Unable to create serializer for type: {plain}")
