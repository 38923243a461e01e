"""What the heads of an end make of the whole implant: with it they push aside farther what each alone would not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from ..build.design import Situation
from ..build.preview import Preview
from ..case.model import Structure
from ..plan.plan import Plan, Pose, Screw
from ..plan.rules import rule_for
from ..threads import made_once
from ..verify.preview import Clearance, Clearances
from .screw_end import ScrewEnd
from .screw_heads import boss_points
from .screw_judge import Bound

# A preview pushes so much less aside than the finished implant, mm: 0.17 mm measured on case 1's oesophagus.
_SPARE_MM = 0.2
# Where the implant without these screws is over a rule already, they may add so much, mm: what previews tell apart.
_SAME_MM = 0.05
_TOUCHING_MM = 0.5  # heads farther from a structure leave it where it is


@dataclass(frozen=True)
class Pushed:
    """What is left of the rule of a structure that the heads of a set push aside with the implant."""

    structure: Structure
    bound: Bound


class Whole:
    """The whole implant of a situation as previewed, with any screws at one of its ends."""

    def __init__(self, where: Situation) -> None:
        self._where, self._lock = where, Lock()
        # The situation's case is posed and resected already.
        self._plan = where.plan.with_(pose=Pose(), resections=())
        self._without: dict[str, dict[str, Clearance]] = {}

    @made_once
    def _made(self) -> tuple[Preview, Clearances]:
        preview = Preview(self._where.case)
        situation = preview.situation(self._plan)
        mobile = [structure for structure in situation.case.structures if _mobile(self._plan, structure)]
        return preview, Clearances(replace(situation, case=situation.case.with_structures(mobile)))

    def prepare(self) -> None:
        """Makes what every preview stands on, which takes seconds; the first preview does so otherwise."""
        preview, clearances = self._made
        with self._lock:
            clearances.of(self._plan, preview.of(self._plan))

    def pushed(self, end: ScrewEnd, screws: Sequence[Screw]) -> tuple[Pushed, ...]:
        """Every mobile structure that a head of these screws touches; all other screws of the plan stay in place."""
        near = [structure for structure, _ in end.before if _mobile(self._plan, structure)]
        touched = [structure for structure in near if head_depth(structure, screws, end) > -_TOUCHING_MM]
        if not touched:
            return ()
        with self._lock:  # previews keep what they made last
            if end.level not in self._without:
                self._without[end.level] = self._clearances(end.level, ())
            found = self._clearances(end.level, screws)
        without = self._without[end.level]
        return tuple(Pushed(s, _bound(found[s.name], without[s.name])) for s in touched)

    def _clearances(self, level: str, screws: Sequence[Screw]) -> dict[str, Clearance]:
        preview, clearances = self._made
        kept = tuple(screw for screw in self._plan.screws if screw.level != level)
        plan = self._plan.with_(screws=(*kept, *screws))
        return {one.structure: one for one in clearances.of(plan, preview.of(plan))}


def _mobile(plan: Plan, structure: Structure) -> bool:
    rule = rule_for(plan, structure.name)
    return structure.role != "bone" and rule is not None and rule.kind == "displacement"


def head_depth(structure: Structure, screws: Sequence[Screw], end: ScrewEnd) -> float:
    """How deep in a structure the metal round the deepest of these screws' heads stands, mm; negative off it."""
    return max((float(-_away(structure, screw, end)) for screw in screws), default=-np.inf)


def _away(structure: Structure, screw: Screw, end: ScrewEnd) -> float:
    entry, way = np.array([screw.entry], dtype=float), np.array([screw.direction], dtype=float)
    return float(structure.distance(boss_points(end, screw.type, entry, way)[0]).min())


def _bound(found: Clearance, without: Clearance) -> Bound:
    """By its rule, or, where that does not hold without the screws either, by what they add."""
    assert found.measured_mm is not None and found.limit_mm is not None and without.measured_mm is not None
    most = max(found.limit_mm - _SPARE_MM, without.measured_mm + _SAME_MM)
    name = found.structure.replace("_", " ")
    return Bound(f"{name} pushed aside by the whole implant", most - found.measured_mm, "mm", "rules")
