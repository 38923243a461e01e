"""The live preview in the scene: the solid implant and its clearances, as the plan or a dragged handle has them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..build.preview import Preview, Shown
from ..case.model import Case
from ..plan.plan import Plan
from ..verify.along import Profile
from ..verify.preview import Clearance, Clearances
from .preview_nodes import show_margins, show_preview


class LivePreview:
    """The preview of one case. What does not change with the plan is made once, by `prepare`."""

    def __init__(self, owner: Any, folder: int, case: Case) -> None:
        self._owner, self._folder = owner, folder
        self._preview = Preview(case)
        self._surroundings: tuple[Case, Clearances] | None = None
        self.shown: Shown | None = None
        self.clearances: tuple[Clearance, ...] = ()
        self.room: Profile | None = None

    def prepare(self, plan: Plan) -> Iterator[tuple[str, float]]:
        """Makes ready what every preview needs, step by step: (what, fraction done). Raises as `build` does."""
        for words, fraction in self._preview.prepare(plan):
            yield words, 0.5 * fraction
        for words, fraction in self._meter(plan).prepare():
            yield words, 0.5 + 0.5 * fraction

    def prepared(self, plan: Plan) -> bool:
        """Whether `show` is quick for a plan: it is not for other endplates, another pose or another resection."""
        return self._preview.prepared(plan)

    def show(self, plan: Plan) -> tuple[Clearance, ...]:
        """Shows the implant of a plan; returns its clearances. Raises PlanError where the plan means no implant."""
        shown = self._preview.of(plan)
        meter = self._meter(plan)
        self.clearances = meter.of(plan, shown)
        self.room = meter.along(plan, shown.curve)
        slack = meter.slack_at(self.room, shown.curve, shown.solid.vertices)
        show_preview(self._owner, self._folder, shown.solid, shown.blocks, slack)
        show_margins(self._owner, self._folder, shown.curve, self.room.least_mm)
        self.shown = shown
        return self.clearances

    def _meter(self, plan: Plan) -> Clearances:
        """What measures in the plan's surroundings; made anew for another pose, resection or correction."""
        situation = self._preview.situation(plan)
        if self._surroundings is None or self._surroundings[0] is not situation.case:
            self._surroundings = situation.case, Clearances(situation)
        return self._surroundings[1]
