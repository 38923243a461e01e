"""Where the default of each field of a plan comes from."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from .check import hints_of, joined, options_of, unknown_field
from .limits import LIMITS
from .plan import Plan

_CHOICE = "a choice of the person who plans; the default is the published cases' or the safest"


def source_of(path: str) -> str:
    """The source of a field's default, by its dotted name; indexes may be given or left out.

    "interface.depth_mm", "screws.0.type.core_mm", "screws.type.core_mm". Raises PlanError on an unknown field.
    """
    hint: Any = Plan
    owner, last = Plan, ""
    here = ""
    for name in path.split("."):
        hint = _record(hint)
        if name.isdecimal():
            continue
        if not is_dataclass(hint):
            raise unknown_field(joined(here, name), name, (here,))
        if name not in hints_of(hint):
            raise unknown_field(joined(here, name), name, tuple(hints_of(hint)))
        owner, last = hint, name  # type: ignore[assignment]
        hint = hints_of(hint)[name]
        here = joined(here, name)
    row = LIMITS.get(f"{owner.__name__}.{last}")
    return row.source if row is not None else _CHOICE


def _record(hint: Any) -> Any:
    """The type of the entries of a list, or the type itself."""
    hint, _ = options_of(hint)
    items = get_args(hint)
    if get_origin(hint) is tuple and items[-1] is Ellipsis:
        return _record(items[0])
    return hint
