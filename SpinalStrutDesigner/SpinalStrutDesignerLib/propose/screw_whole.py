"""What the heads of an end make of the whole implant: with it they push aside farther what each alone would not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from LatticeGeneratorLib.mesh.samples import Samples

from ..build.design import Situation
from ..build.preview import Preview
from ..case.model import Structure
from ..plan.entries import ScrewType
from ..plan.plan import Plan, Pose, Screw
from ..plan.rules import rule_for
from ..threads import made_once
from ..verify.displacement import NearSide, displacement_ways, points_within
from ..verify.preview import Clearance, Clearances
from .screw_end import ScrewEnd
from .screw_heads import boss_points, rim_mm, ring
from .screw_judge import Bound

# A preview pushes so much less aside than the finished implant, mm: 0.17 mm measured on case 1's oesophagus.
_SPARE_MM = 0.2
# Where the implant without these screws is over a rule already, they may add so much, mm: what previews tell apart.
_SAME_MM = 0.05
_TOUCHING_MM = 0.5  # heads farther from a structure leave it where it is
_NEAR_MM = 40.0  # of an end's middle and what lies before it: heads and what they push lie within
_ROUNDED_MM = 0.5  # a boss' edge
_AROUND = 16  # places round a boss: of its radius of 4 mm 0.08 mm are missed between them
_AT_ONCE = 4096  # heads looked at together


@dataclass(frozen=True)
class Pushed:
    """What is left of the rule of a structure that the heads of a set push aside with the implant."""

    structure: Structure
    bound: Bound


@dataclass(frozen=True, eq=False)
class GivingWay:
    """A mobile structure that gives way in one direction, in which the implant without an end's heads lets it.

    held: (n, 3) its points that heads may meet; along, way: (3,) unit, its run and the direction; most_mm: how far it
    may be pushed, the error budget taken off.
    """

    structure: Structure
    held: np.ndarray
    along: np.ndarray
    way: np.ndarray
    most_mm: float

    @made_once
    def near_side(self) -> NearSide:
        """What of it heads may meet, as they meet it: of most structures no head meets anything."""
        return NearSide.of(self.structure, self.held, self.along, self.way)


Giving = Sequence[tuple[GivingWay, ...]]
"""For each mobile structure before an end, the directions in which it may give way."""


def push_left_mm(
    giving: tuple[GivingWay, ...], end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray
) -> np.ndarray:
    """(m, n) mm that heads with entries and unit directions (n, 3) may push a structure farther in each direction in
    which it may give way; infinite beside it."""
    left = np.full((len(giving), len(entries)), np.inf)
    touching = np.flatnonzero(head_depths(giving[0].structure, end, kind, entries, ways) > -_TOUCHING_MM)
    for first in range(0, len(touching), _AT_ONCE):
        some = touching[first : first + _AT_ONCE]
        points = _boss(end, kind, entries[some], ways[some])
        for number, one in enumerate(giving):
            pushed = one.near_side.pushed(points.reshape(-1, 3)).reshape(points.shape[:2]).max(axis=1)
            left[number, some] = one.most_mm - pushed
    return left


class Whole:
    """The whole implant of a situation as previewed, with any screws at one of its ends."""

    def __init__(self, where: Situation) -> None:
        self._where, self._lock = where, Lock()
        # The situation's case is posed and resected already.
        self._plan = where.plan.with_(pose=Pose(), resections=())
        self._without: dict[str, dict[str, Clearance]] = {}
        self._ways: dict[str, tuple[tuple[GivingWay, ...], ...]] = {}

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

    def ways(self, end: ScrewEnd) -> tuple[tuple[GivingWay, ...], ...]:
        """For each mobile structure before an end, the directions in which it may give way.

        Heads that all let it give way in the same one push it no farther together than each alone.
        """
        near = [structure for structure, _ in end.before if _mobile(self._plan, structure)]
        if not near:
            return ()
        with self._lock:
            if end.level not in self._ways:
                preview, _ = self._made
                shown = preview.of(self._with(end.level, ()))
                samples = Samples(np.concatenate([shown.solid.vertices, shown.inside]))
                self._ways[end.level] = tuple(self._ways_of(structure, end, samples) for structure in near)
            return self._ways[end.level]

    def _ways_of(self, structure: Structure, end: ScrewEnd, samples: Samples) -> tuple[GivingWay, ...]:
        run = self._where.lower.centre - self._where.upper.centre
        run = run / np.linalg.norm(run)
        ways, needed = displacement_ways(structure, samples, samples.least(structure.distance), run)
        rule = rule_for(self._plan, structure.name)
        assert rule is not None, structure.name
        most = rule.limit_mm - _SPARE_MM - self._plan.budget.segmentation_to_print_mm
        most = max(most, float(needed.min()) + _SAME_MM)
        held = points_within(structure, end.plate.centre - _NEAR_MM, end.plate.centre + _NEAR_MM)
        return tuple(GivingWay(structure, held, run, way, most) for way in ways[needed <= most])

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
        plan = self._with(level, screws)
        return {one.structure: one for one in clearances.of(plan, preview.of(plan))}

    def _with(self, level: str, screws: Sequence[Screw]) -> Plan:
        """The plan with these screws at a level."""
        kept = tuple(screw for screw in self._plan.screws if screw.level != level)
        return self._plan.with_(screws=(*kept, *screws))


def _mobile(plan: Plan, structure: Structure) -> bool:
    rule = rule_for(plan, structure.name)
    return structure.role != "bone" and rule is not None and rule.kind == "displacement"


def head_depth(structure: Structure, screws: Sequence[Screw], end: ScrewEnd) -> float:
    """How deep in a structure the metal round the deepest of these screws' heads stands, mm; negative off it."""
    return max((float(head_depths(structure, end, s.type, *_line(s))[0]) for s in screws), default=-np.inf)


def head_depths(
    structure: Structure, end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray
) -> np.ndarray:
    """(n,) the same of heads with entries and unit directions (n, 3)."""
    points = boss_points(end, kind, entries, ways)
    away: np.ndarray = structure.distance(points.reshape(-1, 3)).reshape(points.shape[:2]).min(axis=1)
    return -away


def _line(screw: Screw) -> tuple[np.ndarray, np.ndarray]:
    return np.array([screw.entry], dtype=float), np.array([screw.direction], dtype=float)


def _boss(end: ScrewEnd, kind: ScrewType, entries: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """(n, k, 3) all round the metal round heads, its upper edge rounded."""
    rim, under = rim_mm(kind), end.under_mm(kind)
    rings = [(rim - _ROUNDED_MM, 0.0), *((rim, depth) for depth in np.linspace(_ROUNDED_MM, under, 4))]
    return np.concatenate([ring(entries, ways, radius, depth, _AROUND) for radius, depth in rings], axis=1)


def _bound(found: Clearance, without: Clearance) -> Bound:
    """By its rule, or, where that does not hold without the screws either, by what they add."""
    assert found.measured_mm is not None and found.limit_mm is not None and without.measured_mm is not None
    most = max(found.limit_mm - _SPARE_MM, without.measured_mm + _SAME_MM)
    name = found.structure.replace("_", " ")
    return Bound(f"{name} pushed aside by the whole implant", most - found.measured_mm, "mm", "rules")
