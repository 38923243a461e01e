"""The live preview in the scene: the solid implant and its clearances, as the plan or a dragged handle has them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..build.design import Situation
from ..build.preview import Preview, Shown
from ..case.model import Case
from ..plan.plan import Plan
from ..verify.along import Profile
from ..verify.finding import Finding
from ..verify.posture import posture_in
from ..verify.preview import Clearance, Clearances
from .preview_nodes import show_margins, show_preview

POSTURE_KNOWN = "first preview"
"""The step before which `posture` is made ready, in words."""


class LivePreview:
    """The preview of one case. What does not change with the plan is made once, by `prepare`."""

    def __init__(self, owner: Any, folder: int, case: Case) -> None:
        self._owner, self._folder = owner, folder
        self._preview = Preview(case)
        self._surroundings: tuple[Case, Clearances] | None = None
        self._posture: tuple[Case, tuple[Finding, ...]] | None = None
        self.shown: Shown | None = None
        self.clearances: tuple[Clearance, ...] = ()
        self.room: Profile | None = None

    def prepare(self, plan: Plan) -> Iterator[tuple[str, float]]:
        """Makes ready what every preview needs, step by step: (what, fraction done). Raises as `build` does."""
        for words, fraction in self._preview.prepare_ground(plan):
            yield words, 0.5 * fraction
        self.posture(plan)
        yield POSTURE_KNOWN, 0.4
        self._preview.of(plan)
        for words, fraction in self._meter(plan).prepare():
            yield words, 0.5 + 0.5 * fraction

    def surveyed(self, plan: Plan) -> bool:
        """Whether `prepare` soon knows what the plan's pose does: it is only the pose that is another one."""
        return self._preview.surveyed(plan)

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

    def situation(self, plan: Plan) -> Situation:
        """The plan's surroundings, near its span; quick where `prepared`."""
        return self._preview.situation(plan)

    def posture(self, plan: Plan) -> tuple[Finding, ...]:
        """What the plan's pose does to the cord; none where it keeps the CT's posture. Measured once for each pose."""
        situation = self._preview.situation(plan)
        if self._posture is None or self._posture[0] is not situation.case:
            self._posture = situation.case, tuple(posture_in(situation))
        return self._posture[1]

    def _meter(self, plan: Plan) -> Clearances:
        """What measures in the plan's surroundings; made anew for another pose, resection or correction."""
        situation = self._preview.situation(plan)
        if self._surroundings is None or self._surroundings[0] is not situation.case:
            self._surroundings = situation.case, Clearances(situation)
        return self._surroundings[1]
