"""The live preview in the panel: made ready in steps, so that the window stays alive, then shown at every change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..case.model import Case
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from ..scene.belongings import Belongings
from ..scene.live_preview import LivePreview
from ..scene.preview_nodes import BLOCK, MARGIN, SOLID


class Live:
    """Keeps the preview of the case at work. on_shown(): there is a new preview, or a reason why there is none."""

    def __init__(self, on_shown: Callable[[], None], on_progress: Callable[[str, float], None]) -> None:
        self._on_shown, self._on_progress = on_shown, on_progress
        self._preview: LivePreview | None = None
        self._steps: Iterator[tuple[str, float]] | None = None
        self._key: tuple[Any, ...] = ()
        self._wanted: Plan | None = None
        self._shown: Plan | None = None
        self.fault = ""

    @property
    def clearances(self) -> tuple[Any, ...]:
        """What was measured on the preview that is shown; none while there is none."""
        return self._preview.clearances if self._preview is not None and self._steps is None else ()

    @property
    def shown(self) -> Any:
        """The preview that is shown, None while there is none."""
        return self._preview.shown if self._preview is not None else None

    @property
    def ready(self) -> bool:
        """Whether a change is shown at once."""
        return self._preview is not None and self._steps is None

    def follow(self, owner: Any, folder: int, case: Case, plan: Plan) -> None:
        """Shows the implant of a plan: now, or as soon as what it needs of the case is made ready."""
        key = (owner.GetID(), case.digest)
        self._wanted = plan
        if key != self._key:
            self._key = key
            self._begin(owner, folder, case, plan)
        elif self.ready and plan != self._shown:
            self.show(plan)

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

    def stop(self) -> None:
        """Forgets the preview; its nodes stay in the scene."""
        self._preview, self._steps, self._key, self._wanted, self._shown = None, None, (), None, None
        self.fault = ""

    def _begin(self, owner: Any, folder: int, case: Case, plan: Plan) -> None:
        self._shown, self._steps = None, None
        try:
            self._preview = LivePreview(owner, folder, case)
            self._steps = self._preview.prepare(plan)
        except (CaseError, PlanError, GeometryError) as error:
            self._preview, self.fault = None, str(error)
            return
        self._later(self._steps)

    def _later(self, steps: Iterator[tuple[str, float]]) -> None:
        import qt

        # Between two steps the window answers; a step of a preview that was given up since does nothing.
        qt.QTimer.singleShot(0, lambda: self._step(steps))

    def _step(self, steps: Iterator[tuple[str, float]]) -> None:
        if steps is not self._steps:
            return
        try:
            words, fraction = next(steps)
        except StopIteration:
            self._steps = None
            if self._wanted is not None:
                self.show(self._wanted)
            self._on_progress("", 0.0)
            self._on_shown()
            return
        except (CaseError, PlanError, GeometryError) as error:
            self._preview, self._steps, self.fault = None, None, str(error)
            self._on_shown()
            return
        self._on_progress(words, fraction)
        self._later(steps)


def set_preview_visible(owner: Any, visible: bool) -> None:
    """Shows or hides the preview's nodes."""
    belongings = Belongings(owner)
    for role in (SOLID, BLOCK, MARGIN):
        for node in belongings.all(role):
            if bool(node.GetDisplayNode().GetVisibility()) != visible:
                node.GetDisplayNode().SetVisibility(visible)
