"""What a field of a parameter node wrapper may be annotated with."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any

import slicer


class Default:
    """A field's value before anybody sets it; a generator is called each time."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value, self._generator = value, generator

    @property
    def value(self) -> Any:
        """The value."""
        return self._generator() if self._generator else self._value


class Validator:
    """Base of the annotations that check a value when it is written."""

    def validate(self, value: Any) -> None:
        """Raise ValueError for a value that may not be written."""
        raise NotImplementedError


@dataclass
class NotNone(Validator):
    """Not None."""

    def validate(self, value: Any) -> None:
        """Raise ValueError for None."""
        if value is None:
            raise ValueError("Value must not be None")


@dataclass
class IsNone(Validator):
    """None."""

    def validate(self, value: Any) -> None:
        """Raise ValueError for all but None."""
        if value is not None:
            raise ValueError("Value must be None")


@dataclass
class IsInstance(Validator):
    """None or an instance of a type."""

    classtype: Any

    def validate(self, value: Any) -> None:
        """Raise TypeError for a value of another type."""
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type {self.classtype}, is {value!r} of type {type(value).__name__}")


@dataclass
class WithinRange(Validator):
    """A number from minimum to maximum, both included."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a number outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclass
class Minimum(Validator):
    """A number not below the minimum."""

    minimum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a lower number."""
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


@dataclass
class Maximum(Validator):
    """A number not above the maximum."""

    maximum: float

    def validate(self, value: Any) -> None:
        """Raise ValueError for a higher number."""
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


@dataclass
class Choice(Validator):
    """One of some values."""

    choices: Collection[Any]

    def validate(self, value: Any) -> None:
        """Raise ValueError for any other value."""
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


@dataclass
class Exclude(Validator):
    """None of some values."""

    excludedValues: Collection[Any]

    def validate(self, value: Any) -> None:
        """Raise ValueError for one of the values."""
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be one of {self.excludedValues}")


@dataclass
class Decimals:
    """The decimals that a spin box shows."""

    value: int


@dataclass
class SingleStep:
    """The step of a spin box or slider."""

    value: float


def split(annotated: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type and its annotations; `A | B` becomes Union[A, B]."""
    if typing.get_origin(annotated) is Annotated:
        plain, *notes = typing.get_args(annotated)
    else:
        plain, notes = annotated, []
    if isinstance(plain, types.UnionType):
        plain = typing.Union[typing.get_args(plain)]  # noqa: UP007  made from a tuple
    return plain, tuple(notes)


def first_of(notes: typing.Iterable[Any], kind: type) -> Any:
    """The first annotation of a kind, or None."""
    return next((note for note in notes if isinstance(note, kind)), None)


def is_union(plain: Any) -> bool:
    """Whether a type is a union."""
    return typing.get_origin(plain) is typing.Union


def node_types(annotated: Any) -> tuple[str, ...]:
    """The class names of a node type or a union of node types and None; empty for anything else."""
    plain, _notes = split(annotated)
    parts = [split(part)[0] for part in typing.get_args(plain)] if is_union(plain) else [plain]
    parts = [part for part in parts if part is not type(None)]
    if not all(isinstance(part, type) and issubclass(part, slicer.vtkMRMLNode) for part in parts):
        return ()
    return tuple(part.__name__ for part in parts)
