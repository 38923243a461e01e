"""Makes a record what its type hints and `LIMITS` say, or refuses with the field, the value and what is allowed."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ..errors import PlanError
from .limits import LIMITS, Direction, Row

T = TypeVar("T")


def complete(record: Any, path: str) -> None:
    """Check every field of a frozen record in place; path: its place in the plan ("section", "screws.0", "" itself).

    Numbers become float or int, sequences tuples, mappings records, directions unit vectors. Raises PlanError.
    """
    hints = hints_of(type(record))
    for name, hint in hints.items():
        given = getattr(record, name)
        row = LIMITS.get(f"{type(record).__name__}.{name}")
        value = _made(hint, given, joined(path, name), row)
        if value is not given:
            object.__setattr__(record, name, value)
    fault = record._fault()
    if fault:
        name, sentence = fault
        raise PlanError(f"{joined(path, name)}: {sentence}")


def record_from(cls: type[T], data: Any, path: str) -> T:
    """A record from a mapping of its fields. Raises PlanError on unknown, missing, wrong or out-of-range fields."""
    if not isinstance(data, Mapping):
        raise PlanError(f"{path or 'plan'}: {_shown(data)} is not an object with the fields {', '.join(hints_of(cls))}")
    for key in data:
        if key not in hints_of(cls):
            raise unknown_field(joined(path, str(key)), str(key), tuple(hints_of(cls)))
    record = cls.__new__(cls)
    for field in fields(cls):  # type: ignore[arg-type]
        if field.name in data:
            value = data[field.name]
        elif field.default is not MISSING:
            value = field.default
        elif field.default_factory is not MISSING:
            value = field.default_factory()
        else:
            raise PlanError(f"{joined(path, field.name)}: missing; it has no default")
        object.__setattr__(record, field.name, value)
    complete(record, path)
    return record


def unknown_field(path: str, name: str, known: tuple[str, ...]) -> PlanError:
    """The error for a field that does not exist, with the nearest names, or all where none is near."""
    near = get_close_matches(name, known, n=3, cutoff=0.5) or list(known)
    return PlanError(f"{path}: no such field; did you mean {' or '.join(near)}?")


def hints_of(cls: Any) -> dict[str, Any]:
    """Field names and types of a record, in order."""
    return _hints(cls)


@cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def options_of(hint: Any) -> tuple[Any, bool]:
    """The type besides None, and whether None is allowed."""
    if get_origin(hint) in (Union, types.UnionType):
        others = [h for h in get_args(hint) if h is not type(None)]
        return others[0], len(others) < len(get_args(hint))
    return hint, False


def joined(path: str, name: str) -> str:
    """A field's full name."""
    return f"{path}.{name}" if path else name


def _made(hint: Any, value: Any, path: str, row: Row | None) -> Any:
    hint, optional = options_of(hint)
    if value is None:
        if optional:
            return None
        raise PlanError(f"{path}: none is not allowed here; it needs {_described(hint)}")
    if get_origin(hint) is tuple:
        return _made_tuple(hint, value, path, row)
    if is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        return record_from(hint, value, path)  # type: ignore[arg-type]
    value = _made_leaf(hint, value, path)
    return value if row is None else row.checked(value, path)


def _made_leaf(hint: Any, value: Any, path: str) -> Any:
    if get_origin(hint) is Literal:
        if isinstance(value, str) and value in get_args(hint):
            return value
    elif hint is bool:
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
    elif hint is str:
        if isinstance(value, str):
            return str(value)
    elif not isinstance(value, (bool, np.bool_)) and isinstance(value, Integral if hint is int else Real):
        try:
            return hint(value)
        except OverflowError as error:
            raise PlanError(f"{path}: {_shown(value)} is too large for a number here") from error
    raise PlanError(f"{path}: {_shown(value)} is not {_described(hint)}")


def _made_tuple(hint: Any, value: Any, path: str, row: Row | None) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise PlanError(f"{path}: {_shown(value)} is not {_described(hint)}")
    items = get_args(hint)
    if len(items) == 2 and items[1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise PlanError(f"{path}: {len(value)} values; it needs {_described(hint)}")
    each = None if isinstance(row, Direction) else row
    made = tuple(_made(item, part, f"{path}.{i}", each) for i, (item, part) in enumerate(zip(items, value)))
    if isinstance(row, Direction):
        made = row.checked(made, path)
    return value if isinstance(value, tuple) and all(a is b for a, b in zip(made, value)) else made


def _described(hint: Any) -> str:
    hint, _ = options_of(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(get_args(hint))}"
    if get_origin(hint) is tuple:
        items = get_args(hint)
        return "a list" if items[-1] is Ellipsis else f"a list of {len(items)} values"
    if is_dataclass(hint):
        return f"an object with the fields {', '.join(hints_of(hint))}"
    return {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}[hint]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
