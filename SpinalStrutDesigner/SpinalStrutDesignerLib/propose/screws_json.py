"""Planned screws and their runners-up as JSON, as the command writes it and the panel reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import PlanError
from ..plan.check import record_from
from ..plan.json import parsed, record_to_data
from ..plan.plan import Plan, Screw

_PLACE = "planned screws"


class _Set(Protocol):
    @property
    def screws(self) -> tuple[Screw, ...]: ...

    @property
    def pullout_N(self) -> float: ...

    @property
    def bindings(self) -> tuple[str, ...]: ...


class _End(Protocol):
    @property
    def level(self) -> str: ...

    @property
    def best(self) -> _Set: ...

    @property
    def runners_up(self) -> Sequence[_Set]: ...


@dataclass(frozen=True)
class SetFound:
    """Screws of one end. pullout_N: what holds them together; bindings: for each, what keeps it from holding better."""

    screws: tuple[Screw, ...]
    pullout_N: float
    bindings: tuple[str, ...]


@dataclass(frozen=True)
class EndFound:
    """The best screws of an end, and others that are clearly different."""

    level: str
    best: SetFound
    runners_up: tuple[SetFound, ...] = ()

    @property
    def sets(self) -> tuple[SetFound, ...]:
        """The best one first."""
        return (self.best, *self.runners_up)


def ends_to_json(ends: Iterable[_End]) -> str:
    """Planned ends as JSON text."""
    data = [
        {"level": end.level, "best": _set_data(end.best), "runners_up": [_set_data(one) for one in end.runners_up]}
        for end in ends
    ]
    return json.dumps({"ends": data}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def ends_from_json(text: str) -> tuple[EndFound, ...]:
    """The ends in a JSON text. Raises PlanError naming what is wrong with it."""
    data = parsed(text, _PLACE)
    try:
        return tuple(
            EndFound(end["level"], _set_from(end["best"]), tuple(_set_from(one) for one in end["runners_up"]))
            for end in data["ends"]
        )
    except (KeyError, TypeError) as error:
        raise PlanError(f"{_PLACE}: {error} is missing or of a wrong kind; plan the screws again") from error


def with_ends(plan: Plan, ends: Iterable[EndFound]) -> Plan:
    """The plan with the best screws of these ends in the place of its own there."""
    for end in ends:
        plan = with_set(plan, end.level, end.best)
    return plan


def with_set(plan: Plan, level: str, chosen: SetFound) -> Plan:
    """The plan with these screws in the place of a level's own; the upper end's come first."""
    kept = [screw for screw in plan.screws if screw.level != level]
    screws = (*chosen.screws, *kept) if level == plan.upper else (*kept, *chosen.screws)
    return plan.with_(screws=screws)


def _set_data(one: _Set) -> dict[str, Any]:
    screws = [record_to_data(screw) for screw in one.screws]
    return {"pullout_N": one.pullout_N, "bindings": list(one.bindings), "screws": screws}


def _set_from(data: dict[str, Any]) -> SetFound:
    screws = tuple(record_from(Screw, one, f"screws.{number}") for number, one in enumerate(data["screws"]))
    return SetFound(screws, float(data["pullout_N"]), tuple(str(words) for words in data["bindings"]))
