"""One setting as a person types it, `section.width_mm=12`, and the plan with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from ..errors import PlanError
from .check import hints_of, joined, options_of, unknown_field
from .json import parsed, plan_from_data, plan_to_data
from .plan import Plan

_NONE = ("none", "null")


def with_setting(plan: Plan, setting: str) -> Plan:
    """The plan with one dotted field set: "section.width_mm=12", "screws.0.length_mm=16", "upper_flange=none".

    Lists are written 1,2,3 or as JSON, records as JSON. Raises PlanError with the nearest names where a field does not
    exist, and with the allowed values where the value is wrong.
    """
    return with_settings(plan, (setting,))


def with_settings(plan: Plan, settings: Iterable[str]) -> Plan:
    """The plan with several settings, checked together after the last, so that their order does not matter."""
    data = plan_to_data(plan)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path.strip():
            raise PlanError(f"'{setting}' is no setting; write field=value, as in section.width_mm=12")
        _set(data, path.strip(), text.strip())
    return plan_from_data(data)


def _set(data: dict[str, Any], path: str, text: str) -> None:
    place: Any = data
    hint: Any = Plan
    names = path.split(".")
    for depth, name in enumerate(names):
        here = ".".join(names[:depth])
        if place is None:
            raise PlanError(f"{here}: is none; set it first, as in {here}={{}}")
        key, hint = _step(place, hint, here, name)
        if depth == len(names) - 1:
            place[key] = _value(hint, text, path)
        else:
            place = place[key]


def _step(place: Any, hint: Any, here: str, name: str) -> tuple[Any, Any]:
    """The key of a part called name in place, and its type."""
    hint, _ = options_of(hint)
    if is_dataclass(hint):
        hints = hints_of(hint)
        if name not in hints:
            elsewhere = tuple(path for path in _paths(Plan) if not here and path.rsplit(".", 1)[-1] == name)
            raise unknown_field(joined(here, name), name, elsewhere or tuple(hints))
        return name, hints[name]
    if get_origin(hint) is not tuple:
        raise PlanError(f"{joined(here, name)}: no such field; {here} is a single value")
    if not name.isdecimal() or int(name) >= len(place):
        raise PlanError(f"{joined(here, name)}: there is no such entry; {here} has {len(place)}, counted from 0")
    items = get_args(hint)
    return int(name), items[0] if items[-1] is Ellipsis else items[int(name)]


def _paths(hint: Any, here: str = "") -> tuple[str, ...]:
    """The dotted names of all fields that can be set without an index."""
    hint, _ = options_of(hint)
    if not is_dataclass(hint):
        return (here,)
    parts = [_paths(part, joined(here, name)) for name, part in hints_of(hint).items()]
    return tuple(path for part in parts for path in part)


def _value(hint: Any, text: str, path: str) -> Any:
    """A text as the plain data its field's type means; ranges are checked where the plan is made."""
    hint, optional = options_of(hint)
    if optional and text.lower() in _NONE:
        return None
    if is_dataclass(hint):
        return parsed(text, path)
    if get_origin(hint) is tuple:
        if text.startswith("["):
            return parsed(text, path)
        items = get_args(hint)
        each = text.split(",") if text else []
        return [_value(items[0], part.strip(), f"{path}.{i}") for i, part in enumerate(each)]
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise PlanError(f"{path}: '{text}' is not true or false")
        return text.lower() == "true"
    if hint in (float, int):
        try:
            return hint(text)
        except ValueError as error:
            raise PlanError(f"{path}: '{text}' is not a {'whole ' if hint is int else ''}number") from error
    return text
