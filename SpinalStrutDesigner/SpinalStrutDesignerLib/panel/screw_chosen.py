"""The part of the screws' step for the chosen one: its chart of HU, its cone of placement error, what holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from LatticeGeneratorLib.panel.tables import fill_choices
from slicer.i18n import tr as _

from ..build.design import Situation
from ..plan.plan import Plan
from ..scene.error_cones import error_cones_shown, hide_error_cones, show_error_cones
from ..scene.screw_plot import clear_screw_profile, show_screw_profile
from .chart_beside import ChartBeside
from .desk import Desk

if TYPE_CHECKING:
    from .screws import ScrewStep


class ChosenScrew:
    """Boxes below the table."""

    def __init__(self, step: ScrewStep) -> None:
        self._step, self.ui = step, step.ui
        self._beside = ChartBeside()
        self._drawn: tuple[Any, ...] = ()
        self._coned: tuple[Any, ...] = ()
        ways = [
            (_("nothing"), "none"), (_("cover plate"), "cover_plate"), (_("locking ring"), "locking_ring"),
            (_("locking thread"), "locking_thread"),
        ]  # fmt: skip
        fill_choices(self.ui.backoutComboBox, ways)
        self.ui.backoutComboBox.connect("activated(int)", self.on_backout)
        self.ui.bicorticalCheckBox.connect("toggled(bool)", self.on_bicortical)
        self.ui.screwPlotCheckBox.connect("toggled(bool)", self.on_plot)
        self.ui.errorConesCheckBox.connect("toggled(bool)", self.on_cones)

    def show(self, desk: Desk, number: int | None, situation: Situation | None) -> None:
        """Shows what is decided of the plan's screw, numbered from 0, its chart and cones."""
        plan, ui = desk.plan, self.ui
        screw = plan.screws[number] if plan is not None and number is not None else None
        for widget in (ui.backoutComboBox, ui.bicorticalCheckBox):
            widget.enabled = screw is not None and not desk.locked
        if screw is not None:
            ui.backoutComboBox.currentIndex = ui.backoutComboBox.findData(screw.anti_backout)
        _check(ui.bicorticalCheckBox, screw is not None and screw.bicortical)
        ui.screwPlotCheckBox.enabled = bool(plan is not None and plan.screws)
        ui.errorConesCheckBox.enabled = ui.screwPlotCheckBox.enabled
        _check(ui.errorConesCheckBox, error_cones_shown(desk.owner))
        self.draw(desk, plan, number, situation)
        if plan is not None and ui.errorConesCheckBox.checked and self._coned != (plan.screws, plan.budget):
            self._cone(desk, plan)

    def draw(self, desk: Desk, plan: Plan | None, number: int | None, situation: Situation | None) -> None:
        """Draws the chart of a screw that may be dragged at this moment, where it is wanted and can be known."""
        if not self.ui.screwPlotCheckBox.checked or plan is None or number is None or situation is None:
            return
        wanted = (number, plan.screws[number], situation.case)
        if wanted != self._drawn:
            self._drawn = wanted  # first: new nodes belong to the case, and the panel shows it anew at once
            self._beside.show(show_screw_profile(desk.owner, desk.folder, situation.case, plan, number))

    def put_away(self) -> None:
        """The case leaves the desk; its chart and cones stay as they are."""
        self._drawn, self._coned = (), ()
        self._beside.forget()
        _check(self.ui.screwPlotCheckBox, False)

    def on_backout(self, index: int) -> None:
        """A person says what keeps the chosen screw in its place."""
        self._step.change_chosen(_("against backing out"), anti_backout=self.ui.backoutComboBox.itemData(index))

    def on_bicortical(self, bicortical: bool) -> None:
        """A person says whether the chosen screw goes through the far cortex."""
        self._step.change_chosen(_("bicortical"), bicortical=bicortical)

    def on_plot(self, wanted: bool) -> None:
        """A person wants the chart, or not."""
        desk = self._step.panel.desk
        if desk is None:
            return
        if wanted:
            self._step.show(desk)
        else:
            self._drawn = ()
            clear_screw_profile(desk.owner)
            self._beside.take_away()

    def on_cones(self, wanted: bool) -> None:
        """A person wants the cones, or not."""
        desk = self._step.panel.desk
        if desk is None or desk.plan is None:
            return
        if wanted:
            self._cone(desk, desk.plan)
        else:
            self._coned = ()
            hide_error_cones(desk.owner)

    def _cone(self, desk: Desk, plan: Plan) -> None:
        with self._step.panel.told():
            self._coned = (plan.screws, plan.budget)
            show_error_cones(desk.owner, desk.folder, plan.screws, plan.budget)


def _check(box: Any, checked: bool) -> None:
    was = box.blockSignals(True)
    box.checked = checked
    box.blockSignals(was)
