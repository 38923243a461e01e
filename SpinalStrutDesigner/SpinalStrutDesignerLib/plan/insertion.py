"""How an implant is brought to its place: what may give way meanwhile, and the ways of the nominal one and variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .entries import RetractionRule
from .record import Record, Vec, given_twice


def _default_retractions() -> tuple[RetractionRule, ...]:
    from .rules import default_retractions

    return default_retractions()


@dataclass(frozen=True)
class Waypoint(Record):
    """Where an implant is on its way in: turned about its middle by a rotation vector, then shifted from its place."""

    _place: ClassVar[str] = "insertion.ways.points"

    shift_mm: Vec = (0.0, 0.0, 0.0)
    turn_deg: Vec = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Way(Record):
    """How the implant that is amount_mm longer than the nominal one comes to its place: from outside to the place."""

    _place: ClassVar[str] = "insertion.ways"

    amount_mm: float = 0.0
    points: tuple[Waypoint, ...] = ()

    def _fault(self) -> tuple[str, str] | None:
        if len(self.points) < 2:
            return "points", f"{len(self.points)} given; a way has at least 2, from outside to the place"
        if self.points[-1] != Waypoint():
            return "points", "the last one is not the implant's place; it must have no shift and no turn"
        return None


@dataclass(frozen=True)
class Insertion(Record):
    """How the implant is brought in. give_mm: bone that may be taken off along the way; relief_mm: what more may be
    taken off the implant itself, where bone would be met deeper on its way; retractions: how far structures may be held
    aside, those not named not at all."""

    _place: ClassVar[str] = "insertion"

    give_mm: float = 0.5
    relief_mm: float = 0.8
    retractions: tuple[RetractionRule, ...] = field(default_factory=_default_retractions)
    ways: tuple[Way, ...] = ()

    def _fault(self) -> tuple[str, str] | None:
        return given_twice(
            retractions=[rule.structure for rule in self.retractions], ways=[way.amount_mm for way in self.ways]
        )

    def way(self, amount_mm: float) -> Way | None:
        """The way of the implant of that extra length, None where none has been planned."""
        return next((way for way in self.ways if way.amount_mm == amount_mm), None)
