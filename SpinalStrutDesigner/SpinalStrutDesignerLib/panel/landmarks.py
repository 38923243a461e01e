"""What is measured of the anatomy for the panel, in steps between which the window answers: endplates and bodies."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from LatticeGeneratorLib.panel.steps import Steps

from ..build.design import End
from ..build.situation import corrected, overridden, resected
from ..case.body import find_body
from ..case.endplate import find_endplate
from ..case.endplate_by_hand import plane_by_hand, usual_size
from ..case.model import Case, Endplate, Face
from ..case.vertebra import vertebra_structure
from ..errors import CaseError
from ..plan.plan import EndplateOverride, Plan

FACES: dict[End, Face] = {"upper": "inferior", "lower": "superior"}


@dataclass
class Plates:
    """The docking endplates of an anatomy as measured in the CT, and why those were not that are missing.

    by_hand: of a missing one, what a plane set by hand starts from: its directions and usual size, at no place yet.
    """

    measured: dict[End, Endplate] = field(default_factory=dict)
    faults: dict[End, str] = field(default_factory=dict)
    by_hand: dict[End, Endplate] = field(default_factory=dict)

    def shown(self, plan: Plan) -> dict[End, Endplate]:
        """The endplates as a plan corrects them, and those that it sets by hand."""
        overrides = {end: override_in(plan, end) for end in FACES}
        set_by_hand = {end: plate for end, plate in self.by_hand.items() if overrides[end] is not None}
        return {end: overridden(plate, override) if (override := overrides[end]) else plate
                for end, plate in {**self.measured, **set_by_hand}.items()}  # fmt: skip


class Landmarks:
    """Measures a case's endplates and bodies once for each anatomy. on_made(): something was measured, or given up."""

    def __init__(self, on_made: Callable[[], None]) -> None:
        self._on_made = on_made
        self._steps = Steps(lambda words, fraction: None, self._failed)
        self._plates: tuple[Hashable, Plates] = (None, Plates())
        self._bodies: tuple[Hashable, dict[str, np.ndarray]] = (None, {})
        self._wanted: tuple[Hashable, Hashable] = (None, None)
        self.fault = ""

    @property
    def busy(self) -> bool:
        """Whether something is being measured."""
        return self._steps.busy

    def plates_of(self, case: Case, plan: Plan) -> Plates | None:
        """The docking endplates, None while they are not measured."""
        return self._plates[1] if self._plates[0] == _plates_key(case, plan) else None

    def bodies_of(self, case: Case, plan: Plan | None) -> dict[str, np.ndarray] | None:
        """Level to its body's centre, (3,) RAS mm, without those that cannot be measured; None while not measured."""
        return self._bodies[1] if self._bodies[0] == _bodies_key(case, plan) else None

    def follow(self, case: Case, plan: Plan | None, plates: bool, bodies: bool) -> None:
        """Measures what is wanted of a case and not known yet; what was under way for another one is given up."""
        wanted = (
            _plates_key(case, plan) if plates and plan is not None else None,
            _bodies_key(case, plan) if bodies else None,
        )
        if wanted == self._wanted:
            return
        self._wanted, self.fault = wanted, ""
        plates = wanted[0] is not None and wanted[0] != self._plates[0]
        bodies = wanted[1] is not None and wanted[1] != self._bodies[0]
        self._steps.stop()
        if plates or bodies:
            self._steps.run(self._measure(case, plan, wanted, plates, bodies), self._on_made)

    def stop(self) -> None:
        """Gives up what is under way."""
        self._steps.stop()
        self._wanted = (None, None)

    def _measure(
        self, case: Case, plan: Plan | None, wanted: tuple[Hashable, Hashable], plates: bool, bodies: bool
    ) -> Iterator[tuple[str, float]]:
        anatomy = case if plan is None else resected(corrected(case, plan), plan)
        if plates and plan is not None:
            found = Plates()
            for end, face in FACES.items():
                level = level_of_end(plan, end)
                try:
                    yield from _field_of(anatomy, level)
                    found.measured[end] = find_endplate(anatomy, level, face)
                except CaseError as fault:
                    found.faults[end] = str(fault)
                    if level in anatomy.levels:
                        yield level, 0.7
                        found.by_hand[end] = _start(anatomy, level, face)
            self._plates = (wanted[0], found)
            self._on_made()
        if bodies:
            centres = {}
            for level in anatomy.levels:
                try:
                    yield from _field_of(anatomy, level)
                    centres[level] = find_body(anatomy, level).centre
                except CaseError:  # destroyed, or cut off by the image: it has no middle to write a name at
                    continue
            self._bodies = (wanted[1], centres)

    def _failed(self, words: str) -> None:
        self.fault = words
        self._on_made()


def level_of_end(plan: Plan, end: End) -> str:
    """The docking level of an end."""
    return plan.upper if end == "upper" else plan.lower


def override_in(plan: Plan, end: End) -> EndplateOverride | None:
    """The plan's correction of an end's docking endplate, None where it is as measured."""
    level, face = level_of_end(plan, end), FACES[end]
    return next((o for o in plan.corrections.endplates if (o.level, o.face) == (level, face)), None)


def with_override(plan: Plan, end: End, override: EndplateOverride | None) -> Plan:
    """The plan with another correction of an end's docking endplate, or with none."""
    before = override_in(plan, end)
    others = tuple(o for o in plan.corrections.endplates if o is not before)
    endplates = others if override is None else (*others, override)
    return plan.with_(corrections=plan.corrections.with_(endplates=endplates))


def _start(case: Case, level: str, face: Face) -> Endplate:
    """A plane of usual size across the patient's long axis."""
    out = np.array([0.0, 0.0, 1.0 if face == "superior" else -1.0])
    return plane_by_hand(case, level, face, np.zeros(3), out, usual_size(level, face))


def _field_of(case: Case, level: str) -> Iterator[tuple[str, float]]:
    """The distances about a vertebra, half of what measuring it takes, in a step of their own."""
    yield level, 0.0
    _ = vertebra_structure(case, level).mask.field
    yield level, 0.5


def _plates_key(case: Case, plan: Plan) -> Hashable:
    return case.digest, plan.upper, plan.lower, *_names(plan), plan.resections


def _bodies_key(case: Case, plan: Plan | None) -> Hashable:
    return case.digest, *_names(plan)


def _names(plan: Plan | None) -> tuple[Any, ...]:
    return () if plan is None else (plan.corrections.levels, plan.corrections.roles)
