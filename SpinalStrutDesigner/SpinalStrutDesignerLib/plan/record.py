"""What every record of a plan is: frozen, checked when made, copied with changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from .check import complete, joined, unknown_field

Vec = tuple[float, float, float]
_Record = TypeVar("_Record", bound="Record")


def given_twice(**keys: Sequence[Any]) -> tuple[str, str] | None:
    """The first field of which a key is given more than once, and what is wrong with it; None where none is."""
    for name, each in keys.items():
        twice = [key for i, key in enumerate(each) if key in each[:i]]
        if twice:
            return name, f"{twice[0]} is given more than once"
    return None


class Record:
    """Frozen records that check themselves and return changed copies. _place: where the record stands in a plan."""

    _place: ClassVar[str] = ""

    def __post_init__(self) -> None:
        complete(self, self._place)

    def with_(self: _Record, **changes: Any) -> _Record:
        """A copy with other values; validated like any other. Raises PlanError on a field that does not exist."""
        for name in changes:
            if name not in self.__dataclass_fields__:  # type: ignore[attr-defined]
                known = tuple(self.__dataclass_fields__)  # type: ignore[attr-defined]
                raise unknown_field(joined(self._place, name), name, known)
        return replace(self, **changes)  # type: ignore[type-var]

    def _fault(self) -> tuple[str, str] | None:
        """A field and what is wrong with it beside the others; None where all agree."""
        return None
