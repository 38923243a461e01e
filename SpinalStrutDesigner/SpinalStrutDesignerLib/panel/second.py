"""The part of the anatomy for a second image: MRI or another CT, registered, as the source of cord and dura."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from ..build.situation import corrected
from ..case.levels import LEVELS
from ..case.model import Case
from ..case.register import Registration
from ..plan.plan import Corrections, Plan
from ..scene.second_image import second_wanted
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel


class Second:
    """Which images and transform are chosen, the button that registers, and how well it did."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._had_second: bool | None = None
        self.ui.registerButton.connect("clicked(bool)", self.on_register)

    def show(self, desk: Desk) -> None:
        """Shows where the second image stands."""
        ui, wanted = self.ui, second_wanted(desk.parameters)
        if wanted != self._had_second:
            self._had_second = wanted
            ui.secondGroupBox.collapsed = not wanted
        ui.registerButton.enabled = desk.parameters.secondImage is not None and not self.panel.work.busy
        ui.secondSpanCheckBox.enabled = desk.plan is not None
        ui.secondLabel.text = self._words(desk) if wanted else ""
        ui.secondLabel.visible = bool(ui.secondLabel.text)

    def _words(self, desk: Desk) -> str:
        registration = desk.registration
        known = registration_words(registration) if registration is not None else ""
        return "\n".join(words for words in (desk.case_fault, desk.second_fault, known) if words)

    def on_register(self, checked: bool) -> None:
        """Registers the second image in a child process."""
        self.panel.jobs.register()


def case_to_register(desk: Desk) -> Case:
    """The CT's case with the levels that the plan corrects, as far as they are of the CT's own segmentation."""
    case, plan = desk.ct_case(), desk.plan
    if plan is None:
        return case
    names = {s.name for s in case.structures}
    own = Corrections(levels=tuple(pair for pair in plan.corrections.levels if pair[0] in names))
    return corrected(case, plan.with_(corrections=own))


def span_levels(case: Case, plan: Plan | None) -> tuple[str, ...]:
    """The vertebrae that a case has from one docking level to the other; none where there is no plan."""
    if plan is None:
        return ()
    span = LEVELS[LEVELS.index(plan.upper) : LEVELS.index(plan.lower) + 1]
    return tuple(level for level in case.levels if level in span)


def registration_words(registration: Registration) -> str:
    """How well the second image's place is known, and what a person has to know of it."""
    levels = ", ".join(f"{w.name} {w.residual_mm:.2f}" for w in registration.windows)
    words = [
        _("Known in the CT's frame to {error:.2f} mm, which every distance to it is lessened by.").format(
            error=registration.error_mm
        ),
        _("Each by itself lies elsewhere by (mm): {levels}; the way back by {back:.2f}.").format(
            levels=levels or "–", back=registration.backward_mm
        ),
        *registration.notes,
    ]
    return "\n".join(words)
