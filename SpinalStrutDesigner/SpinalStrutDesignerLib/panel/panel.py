"""The panel as a whole: the steps in the order of the work, the case on the desk, and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from LatticeGeneratorLib.panel.work import Work

from ..build.build import input_digest
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from ..scene.slices import jump_to
from .anatomy import Anatomy
from .axis import AxisStep
from .binder import Field, bound, with_value
from .check import CheckStep
from .desk import Desk
from .guides import GuideStep
from .history import History
from .insertion import InsertionStep
from .jobs import Jobs
from .live import Live
from .menu import Menu
from .release import ReleaseStep
from .screws import ScrewStep
from .section import Section
from .strut import InterfaceStep, StrutStep
from .views import Views

# Packages that a person would not install, and files that could not be written, are runtime errors.
_TOLD = (CaseError, PlanError, GeometryError, RuntimeError)


class Panel:
    """Everything below the module's widget. ui: its widgets by name; ensure_packages(): asks for what is missing."""

    def __init__(self, ui: Any, ensure_packages: Callable[[], None]) -> None:
        self.ui = ui
        self.desk: Desk | None = None
        self.work = Work(ui, self.refresh)
        self.live = Live(self.refresh, self.work.progress)
        self.views = Views(self)
        self.jobs = Jobs(self, ensure_packages)
        self._histories: dict[str, History] = {}
        self._fields = bound(ui.anatomyButton.parent(), self._on_chosen, self._on_adjusted)
        self.steps: tuple[Section, ...] = (
            Anatomy(self), AxisStep(self), StrutStep(self), InterfaceStep(self), ScrewStep(self), GuideStep(self),
            InsertionStep(self), CheckStep(self), ReleaseStep(self),
        )  # fmt: skip
        self.menu = Menu(self)
        ui.progressBar.visible = False
        ui.cancelButton.connect("clicked(bool)", self.on_cancel)

    # The case at work

    def open(self, parameters: Any) -> None:
        """Puts a case on the desk."""
        self.close()
        history = self._histories.setdefault(parameters.parameterNode.GetID(), History())
        self.desk = Desk(parameters, history, self.refresh)
        self.views.open(self.desk)
        self.refresh()

    def close(self) -> None:
        """Puts the case away; a job under way goes on until the scene closes."""
        self.views.close()
        for step in self.steps:
            step.put_away()
        if self.desk is not None:
            self.desk.release()
        self.desk = None
        self.refresh()

    def forget(self) -> None:
        """The scene closes: jobs end, and what could be undone is gone with it."""
        self.work.cancel()
        self.jobs.forget()
        self._histories.clear()
        self.close()

    def refresh(self) -> None:
        """Shows the case as it now is, in every step and in the views."""
        desk = self.desk
        self.ui.cancelButton.enabled = self.ui.cancelButton.visible = self.work.busy
        if desk is None or desk.owner.GetScene() is None:  # none is at work, or its node just left the scene
            for step in self.steps:
                step.head(None)
            self.menu.show(None)
            return
        desk.watch_sources()
        self.views.show(desk)
        for field in self._fields:
            field.show(desk.plan, desk.locked)
        for step in self.steps:
            step.show(desk)
            step.head(desk)
        self.menu.show(desk)

    # Decisions

    def decide(self, plan: Plan, what: str) -> None:
        """Makes a plan the present one. Raises PlanError while the plan is locked."""
        if self.desk is not None:
            self.desk.decide(plan, what)

    @contextmanager
    def told(self) -> Iterator[None]:
        """An error of ours is told in the panel's message line, and the widgets go back to what the plan says."""
        try:
            yield
        except _TOLD as error:
            self.tell(str(error))
            self.views.forget()
            self.refresh()
        else:
            self.tell("")

    def tell(self, words: str) -> None:
        """Shows a message, or takes it away."""
        self.ui.messageLabel.text = words
        self.ui.messageLabel.visible = bool(words)

    def jump_to(self, place: tuple[float, float, float]) -> None:
        """The slice views go to a place, RAS mm."""
        if self.desk is not None:
            jump_to(self.desk.owner.GetScene(), place)

    def full_digest(self, desk: Desk) -> str:
        """What a release is made of: the case, the whole plan and the algorithm; empty where there is none."""
        case, plan = desk.case_if_ready(), desk.plan
        if case is None or plan is None:
            return ""
        return input_digest(case, plan) + (" unseen" if case.seeds else "")

    # What the buttons of several steps ask for

    def segment(self) -> None:
        """Segments the CT."""
        self.jobs.segment()

    def propose(self) -> None:
        """Proposes axis, section, feet and screws."""
        self.jobs.propose()

    def check(self) -> None:
        """Makes and measures the design."""
        self.jobs.check()

    def release(self) -> None:
        """Writes the release."""
        self.jobs.release()

    def on_cancel(self, checked: bool) -> None:
        """Ends the job under way."""
        self.work.cancel()

    def _on_chosen(self, field: Field, value: Any) -> None:
        if self.desk is not None:
            with self.told():
                self.desk.decide(with_value(self.desk.needed_plan(), field.path, value), field.path)

    def _on_adjusted(self, field: Field, value: Any) -> None:
        if self.desk is not None:
            with self.told():
                self.desk.move(with_value(self.desk.needed_plan(), field.path, value), field.path)

    @property
    def axis_step(self) -> AxisStep:
        """The step of the axis."""
        return next(step for step in self.steps if isinstance(step, AxisStep))

    @property
    def screw_step(self) -> ScrewStep:
        """The step of the screws."""
        return next(step for step in self.steps if isinstance(step, ScrewStep))
