"""The part of the insertion for what may give way: how far each structure may be held aside, as a table to edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from LatticeGeneratorLib.panel.tables import cell, chosen_row, dress_table, fill_choices, fill_row
from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.entries import RetractionRule
from ..plan.plan import Plan
from ..plan.rules import retraction_for
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel

_COLUMNS = ("structure", "kind", "limit_mm", "source")
_KIND = _COLUMNS.index("kind")


class Retractions:
    """The table, and the buttons that add and remove a rule."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown: tuple[Any, ...] | None = None
        dress_table(self.ui.retractionsTable, _COLUMNS.index("source"))
        self.ui.retractionsTable.connect("cellChanged(int,int)", self.on_edited)
        self.ui.addRetractionButton.connect("clicked(bool)", self.on_add)
        self.ui.removeRetractionButton.connect("clicked(bool)", self.on_remove)

    def show(self, desk: Desk) -> None:
        """Shows the plan's rules, and which structures have none."""
        ui, plan = self.ui, desk.plan
        free = plan is not None and not desk.locked
        names = unmoved(desk)
        fill_choices(ui.retractionComboBox, [(name.replace("_", " "), name) for name in names])
        ui.retractionComboBox.enabled = ui.addRetractionButton.enabled = free and bool(names)
        ui.retractionsTable.enabled = free
        ui.removeRetractionButton.enabled = free and bool(plan and plan.insertion.retractions)
        rules = plan.insertion.retractions if plan is not None else ()
        if rules == self._shown:
            return
        self._shown = rules
        was = ui.retractionsTable.blockSignals(True)
        try:
            ui.retractionsTable.setRowCount(len(rules))
            for number, rule in enumerate(rules):
                self._fill(number, rule)
        finally:
            ui.retractionsTable.blockSignals(was)

    def on_edited(self, row: int, column: int) -> None:
        """A person wrote into a cell."""
        text = self.ui.retractionsTable.item(row, column).text()
        self._change(row, _COLUMNS[column], text)

    def on_add(self, checked: bool) -> None:
        """A structure may be held aside."""
        box = self.ui.retractionComboBox
        if box.currentIndex >= 0:
            with self.panel.told():
                plan, name = self._plan(), box.itemData(box.currentIndex)
                self.panel.decide(with_rule_for(plan, name), _("{name} may be held aside").format(name=name))

    def on_remove(self, checked: bool) -> None:
        """The structure of the chosen row must not be moved."""
        row = chosen_row(self.ui.retractionsTable)
        if row is not None:
            with self.panel.told():
                plan = self._plan()
                rules = plan.insertion.retractions
                left = plan.insertion.with_(retractions=(*rules[:row], *rules[row + 1 :]))
                words = _("{name} must not be moved").format(name=rules[row].structure)
                self.panel.decide(plan.with_(insertion=left), words)

    def _plan(self) -> Plan:
        """The plan at work. Raises PlanError where there is none."""
        if self.panel.desk is None:
            raise PlanError(_("there is no case at work: choose one"))
        return self.panel.desk.needed_plan()

    def _change(self, row: int, field: str, text: str) -> None:
        self._shown = None  # a text that is refused gives way to what the plan says
        with self.panel.told():
            plan = self._plan()
            self.panel.decide(with_retraction(plan, row, field, text), _("retractions"))
        if self.panel.desk is not None:
            self.show(self.panel.desk)

    def _fill(self, number: int, rule: RetractionRule) -> None:
        table = self.ui.retractionsTable
        fill_row(table, number, [rule.structure, "", f"{rule.limit_mm:g}", rule.source])
        box = table.cellWidget(number, _KIND)
        if box is None:
            box = cell(table, number, _KIND)
            box.connect("activated(int)", self._chosen(number, box))
        fill_choices(box, [(_("held aside"), "aside"), (_("collapsed"), "collapsed")], rule.kind)

    def _chosen(self, number: int, box: Any) -> Any:
        def chosen(index: int) -> None:
            self._change(number, "kind", box.itemData(index))

        return chosen


def unmoved(desk: Desk) -> tuple[str, ...]:
    """The structures of the case that must be stayed clear of and have no rule by which they may be held aside."""
    case, plan = desk.case_if_ready(), desk.plan
    if case is None or plan is None:
        return ()
    keepouts = case.having("keepout_critical", "keepout_soft")
    return tuple(s.name for s in keepouts if retraction_for(plan, s.name) is None)


def with_rule_for(plan: Plan, structure: str) -> Plan:
    """The plan in which a structure may be held aside, by nothing as long as nobody has said how far."""
    rule = RetractionRule(structure, "aside", 0.0, _("a person's judgement: say whose, and why"))
    return plan.with_(insertion=plan.insertion.with_(retractions=(*plan.insertion.retractions, rule)))


def with_retraction(plan: Plan, number: int, field: str, text: str) -> Plan:
    """The plan with another word or limit in one of its rules. Raises PlanError as the plan does."""
    rules = list(plan.insertion.retractions)
    value: str | float = text.strip()
    if field == "limit_mm":
        try:
            value = float(text.replace("mm", ""))
        except ValueError as error:
            raise PlanError(f"insertion.retractions: '{text.strip()}' is not a number of mm; write 20") from error
    rules[number] = rules[number].with_(**{field: value})
    return plan.with_(insertion=plan.insertion.with_(retractions=tuple(rules)))
