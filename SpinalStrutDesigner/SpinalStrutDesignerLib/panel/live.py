"""The live preview in the panel: made ready in steps, so that the window stays alive, then shown at every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from LatticeGeneratorLib.panel.steps import Steps

from ..build.design import Situation
from ..case.model import Case
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from ..scene.belongings import Belongings
from ..scene.live_preview import POSTURE_KNOWN, LivePreview
from ..scene.preview_nodes import BLOCK, MARGIN, SOLID
from ..verify.along import Profile
from ..verify.finding import Finding


class Live:
    """Keeps the preview of the case at work. on_shown(): there is a new preview, or a reason why there is none."""

    def __init__(self, on_shown: Callable[[], None], on_progress: Callable[[str, float], None]) -> None:
        self._on_shown, self._on_progress = on_shown, on_progress
        self._steps = Steps(self._stepped, self._failed)
        self._preview: LivePreview | None = None
        self._key: tuple[Any, ...] = ()
        self._wanted: Plan | None = None
        self._shown: Plan | None = None
        self._preparing: Plan | None = None
        self.fault = ""

    @property
    def clearances(self) -> tuple[Any, ...]:
        """What was measured on the preview that is shown; none while there is none, or its plan means no implant."""
        return self._preview.clearances if self._preview is not None and self.ready and not self.fault else ()

    def clearances_of(self, plan: Plan | None) -> tuple[Any, ...]:
        """What was measured on this very plan; none where another one was previewed last."""
        return self.clearances if plan is not None and plan == self._shown else ()

    @property
    def room(self) -> Profile | None:
        """What the strut that is shown leaves of room; None where `clearances` are none."""
        return self._preview.room if self._preview is not None and self.ready and not self.fault else None

    def room_of(self, plan: Plan | None) -> Profile | None:
        """What this very plan's strut leaves of room; None where another one was previewed last."""
        return self.room if plan is not None and plan == self._shown else None

    def posture_of(self, plan: Plan) -> tuple[Finding, ...] | None:
        """What this plan's pose does to the cord; None where another pose was looked at last, or it was refused."""
        preview = self._preview
        if preview is None or not preview.prepared(plan):
            return None
        return preview.posture(plan)

    def situation_of(self, plan: Plan | None) -> Situation | None:
        """The surroundings of this plan, cut to what is near its span; None where they are not made ready."""
        preview = self._preview
        if preview is None or plan is None or self._steps.busy or not preview.prepared(plan):
            return None
        return preview.situation(plan)

    def fault_of(self, plan: Plan) -> str:
        """Why this very plan means no implant; empty where it does, or another one was previewed last."""
        return self.fault if plan == self._shown else ""

    @property
    def ready(self) -> bool:
        """Whether a change is shown at once."""
        return self._preview is not None and not self._steps.busy

    def follow(self, owner: Any, folder: int, case: Case, plan: Plan) -> None:
        """Shows the implant of a plan: now, or as soon as what it needs of the case is made ready."""
        key = (owner.GetID(), case.digest)
        self._wanted = plan
        if key != self._key:
            self._key, self._shown, self.fault = key, None, ""
            self._preview = LivePreview(owner, folder, case)
            self._prepare(plan)
        elif self.ready and plan != self._shown:
            self._follow(plan)
        elif self._overtaken(plan):
            self._prepare(plan)

    def show(self, plan: Plan) -> None:
        """Shows the implant of a plan at once; a plan that means no implant leaves the last one, and the reason."""
        if self._preview is None:
            return
        self._shown = plan
        try:
            self._preview.show(plan)
            self.fault = ""
        except (CaseError, PlanError, GeometryError) as error:
            self.fault = str(error)

    def _follow(self, plan: Plan) -> None:
        if self._preview is not None and not self._preview.prepared(plan):
            self._prepare(plan)
        else:
            self.show(plan)

    def _overtaken(self, plan: Plan) -> bool:
        """Whether another pose is being made ready than is wanted now, of an anatomy that is measured already."""
        preparing, preview = self._preparing, self._preview
        if self.ready or preparing is None or preview is None or plan.pose == preparing.pose:
            return False
        return preview.surveyed(plan)

    def _stepped(self, words: str, fraction: float) -> None:
        self._on_progress(words, fraction)
        if words == POSTURE_KNOWN:
            self._on_shown()

    def _prepare(self, plan: Plan) -> None:
        if self._preview is not None:
            self._preparing = plan
            self._steps.run(self._preview.prepare(plan), self._made_ready)

    def stop(self) -> None:
        """Forgets the preview; its nodes stay in the scene."""
        self._steps.stop()
        self._preview, self._key, self._wanted, self._shown, self._preparing = None, (), None, None, None
        self.fault = ""

    def _made_ready(self) -> None:
        if self._wanted is not None:
            self._follow(self._wanted)
        self._on_progress("", 0.0)
        self._on_shown()

    def _failed(self, words: str) -> None:
        self._shown, self.fault = self._preparing, words  # the next change is tried again
        self._on_progress("", 0.0)
        self._on_shown()


def set_preview_visible(owner: Any, visible: bool) -> None:
    """Shows or hides the preview's nodes."""
    belongings = Belongings(owner)
    for role in (SOLID, BLOCK, MARGIN):
        for node in belongings.all(role):
            node.GetDisplayNode().SetVisibility(visible)
