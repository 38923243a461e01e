"""The part of the anatomy for a later CT: the earlier one's plan carried over to it, and what changed in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from LatticeGeneratorLib.panel.tables import dress_table, fill_row
from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.json import plan_from_json
from ..plan.plan import Plan
from ..propose.changes import NOTHING
from ..scene.changes_table import changes_in
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel


class Later:
    """The earlier case of the same patient, the button that carries its plan over, and the report."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._had: bool | None = None
        self._shown: tuple[Any, ...] | None = None
        self.ui.earlierSelector.addAttribute("vtkMRMLScriptedModuleNode", "ModuleName", "SpinalStrutDesigner")
        dress_table(self.ui.changesTable, 0)
        self.ui.rebuildButton.connect("clicked(bool)", self.on_rebuild)

    def show(self, desk: Desk) -> None:
        """Shows the report, and whether a plan can be carried over."""
        ui, parameters = self.ui, desk.parameters
        wanted = parameters.earlier is not None or parameters.changes is not None
        if wanted != self._had:
            self._had = wanted
            ui.laterGroupBox.collapsed = not wanted
        ui.rebuildButton.enabled = parameters.earlier is not None and not self.panel.work.busy and not desk.locked
        rows = changes_in(parameters.changes)
        ui.changesTable.visible = bool(rows)  # a box that is opened shows all it holds
        if rows == self._shown:
            return
        self._shown = rows
        ui.changesTable.setRowCount(len(rows))
        for number, row in enumerate(rows):
            before, after = (with_unit(row[name], row["unit"]) for name in ("before", "after"))
            fill_row(ui.changesTable, number, [row["what"], before, after, row["change"], row["meaning"]])

    def on_rebuild(self, checked: bool) -> None:
        """Carries the earlier case's plan over in a child process."""
        self.panel.jobs.rebuild()


def with_unit(value: str, unit: str) -> str:
    """A value of the report as a cell."""
    return value if value == NOTHING else f"{value} {unit}".strip()


def earlier_plan(desk: Desk, earlier: Any) -> Plan:
    """The plan of an earlier case. earlier: its wrapped parameter node. Raises PlanError with the remedy."""
    if earlier.parameterNode is desk.owner:
        raise PlanError(
            _("the earlier case is this one: add a case for the later CT above, and carry the plan over there")
        )
    if not earlier.plan:
        raise PlanError(
            _("'{name}' has no plan to carry over: choose the case of the earlier CT").format(
                name=earlier.parameterNode.GetName()
            )
        )
    return plan_from_json(earlier.plan)
