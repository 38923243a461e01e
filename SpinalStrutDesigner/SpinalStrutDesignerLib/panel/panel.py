"""The panel as a whole: the steps in the order of the work, the case on the desk, and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from LatticeGeneratorLib.panel.work import Work

from ..build.build import input_digest
from ..errors import CaseError, GeometryError, PlanError
from ..plan.plan import Plan
from ..scene.handles import Handles
from ..scene.slices import jump_to
from .anatomy import Anatomy
from .axis import AxisStep
from .binder import Field, bound, with_value
from .check import CheckStep
from .desk import Desk
from .guides import GuideStep
from .history import History
from .jobs import Jobs
from .live import Live, set_preview_visible
from .menu import Menu
from .release import ReleaseStep
from .screws import ScrewStep
from .section import Section
from .strut import InterfaceStep, StrutStep

# Packages that a person would not install, and files that could not be written, are runtime errors.
_TOLD = (CaseError, PlanError, GeometryError, RuntimeError)


class Panel:
    """Everything below the module's widget. ui: its widgets by name; ensure_packages(): asks for what is missing."""

    def __init__(self, ui: Any, ensure_packages: Callable[[], None]) -> None:
        self.ui = ui
        self.desk: Desk | None = None
        self.work = Work(ui, self.refresh)
        self.live = Live(self.refresh, self.work.progress)
        self.jobs = Jobs(self, ensure_packages)
        self._histories: dict[str, History] = {}
        self._handles: Handles | None = None
        self._handled: Any = None
        self._fields = bound(ui.anatomyButton.parent(), self._on_chosen, self._on_adjusted)
        self.steps: tuple[Section, ...] = (
            Anatomy(self), AxisStep(self), StrutStep(self), InterfaceStep(self), ScrewStep(self), GuideStep(self),
            CheckStep(self), ReleaseStep(self),
        )  # fmt: skip
        self.menu = Menu(self)
        ui.cancelButton.connect("clicked(bool)", self.on_cancel)

    # The case at work

    def open(self, parameters: Any) -> None:
        """Puts a case on the desk."""
        self.close()
        history = self._histories.setdefault(parameters.parameterNode.GetID(), History())
        self.desk = Desk(parameters, history, self.refresh)
        self._handles = Handles(self.desk.owner, self._on_moved, self._on_dropped, self._on_removed)
        self.refresh()

    def close(self) -> None:
        """Puts the case away; a job under way goes on until the scene closes."""
        if self._handles is not None:
            self._handles.release()
        if self.desk is not None:
            self.desk.release()
        self.live.stop()
        self.desk, self._handles, self._handled = None, None, None
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
        self.ui.cancelButton.enabled = self.work.busy
        if desk is None:
            for step in self.steps:
                step.head(None)
            self.menu.show(None)
            return
        desk.watch_sources()
        self._show_in_views(desk)
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
            self._handled = None
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
        return input_digest(case, plan) if case is not None and plan is not None else ""

    # What the buttons of several steps ask for

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

    def set_aside_preview(self) -> None:
        """The finished parts are shown; the preview would hide them."""
        if self.desk is not None:
            self.desk.parameters.previewVisible = False

    # The views

    def _show_in_views(self, desk: Desk) -> None:
        plan, parameters = desk.plan, desk.parameters
        if plan is None or self._handles is None:
            return
        handled = (plan.axis, plan.screws, desk.locked, parameters.handlesVisible)
        if handled != self._handled:
            self._handled = handled
            self._handles.show(plan, desk.folder, desk.locked)
            self._handles.set_visible(parameters.handlesVisible)
        case = desk.case_if_ready()
        if parameters.previewVisible and plan.axis.control_points and case is not None:
            self.live.follow(desk.owner, desk.folder, case, plan)
        set_preview_visible(desk.owner, parameters.previewVisible)

    def _on_chosen(self, field: Field, value: Any) -> None:
        if self.desk is not None:
            with self.told():
                self.desk.decide(with_value(self.desk.needed_plan(), field.path, value), field.path)

    def _on_adjusted(self, field: Field, value: Any) -> None:
        if self.desk is not None:
            with self.told():
                self.desk.move(with_value(self.desk.needed_plan(), field.path, value), field.path)

    def _on_moved(self) -> None:
        """A handle is being dragged: the preview follows, the plan waits until it is let go."""
        if self.desk is None or self._handles is None:
            return
        try:
            plan = self._handles.plan_of(self.desk.needed_plan())
        except PlanError as error:
            self.tell(str(error))
            return
        if self.live.ready and self.desk.parameters.previewVisible:
            self.live.show(plan)
            self.axis_step.show_clearances(self.live.clearances)
            self.tell(self.live.fault)

    def _on_dropped(self, what: str) -> None:
        if self.desk is None or self._handles is None:
            return
        with self.told():
            plan = self._handles.plan_of(self.desk.needed_plan())
            self._handled = None  # lengths snap to what is made: the lines are laid anew
            self.decide(plan, what)

    def _on_removed(self, number: int | None) -> None:
        import qt

        def follow() -> None:
            self._handled = None
            if number is None:
                self.refresh()  # an axis that was deleted is drawn again: the strut cannot do without
            else:
                self.screw_step.delete(number)

        qt.QTimer.singleShot(0, follow)  # once the scene is done with the removal

    @property
    def axis_step(self) -> AxisStep:
        """The step of the axis."""
        return next(step for step in self.steps if isinstance(step, AxisStep))

    @property
    def screw_step(self) -> ScrewStep:
        """The step of the screws."""
        return next(step for step in self.steps if isinstance(step, ScrewStep))
