"""The part of the screws' step for alternatives: what was planned for an end, the runners-up, and one of them used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_choices, fill_row
from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.plan import Screw
from ..propose.screw_choice import ScrewSet
from ..propose.screw_plan import EndScrews, with_set
from ..scene.screw_sets import screw_sets_are_for, screw_sets_in, screws_digest
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel


class Alternatives:
    """The end, the table and the choice."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._ends: tuple[EndScrews, ...] = ()
        self._rows: tuple[ScrewSet, ...] = ()
        ui = self.ui
        dress_table(ui.alternativesTable, 2)
        ui.alternativesEndComboBox.connect("activated(int)", self.on_end)
        ui.alternativesTable.connect("itemSelectionChanged()", self.on_chosen)
        ui.useAlternativeButton.connect("clicked(bool)", self.on_use)

    def show(self, desk: Desk) -> None:
        """Shows what was found for the chosen end."""
        ui, fault = self.ui, ""
        try:
            ends = screw_sets_in(desk.owner)
        except PlanError as error:
            ends, fault = (), str(error)
        if ends != self._ends:
            self._ends = ends
            ui.alternativesGroupBox.collapsed = not any(end.runners_up for end in ends)
        ui.alternativesGroupBox.enabled = bool(ends) or bool(fault)
        levels = [(end.level, end.level) for end in ends]
        fill_choices(ui.alternativesEndComboBox, levels)
        if ends and ui.alternativesEndComboBox.currentIndex < 0:
            fill_choices(ui.alternativesEndComboBox, levels, ends[0].level)
        ui.alternativesLabel.text = fault or self._standing(desk)
        self._list(desk)

    def on_end(self, index: int) -> None:
        """A person chose an end."""
        if self.panel.desk is not None:
            self._list(self.panel.desk)

    def on_chosen(self) -> None:
        """A person chose a row."""
        if self.panel.desk is not None:
            self._offer(self.panel.desk)

    def on_use(self, checked: bool) -> None:
        """The chosen screws become the plan's at that end."""
        end, chosen = self._end(), self._chosen()
        if self.panel.desk is not None and end is not None and chosen is not None:
            with self.panel.told():
                plan = self.panel.desk.needed_plan()
                self.panel.decide(with_set(plan, end.level, chosen), _("other screws"))

    def _standing(self, desk: Desk) -> str:
        case, plan = desk.case_if_ready(), desk.plan
        if not self._ends:
            return _("Plan all screws: the runners-up are listed here.")
        if case is not None and plan is not None and not screw_sets_are_for(desk.owner, screws_digest(case, plan)):
            return _("Out of date: the plan or the anatomy was changed since. Plan the screws again.")
        return ""

    def _end(self) -> EndScrews | None:
        index = self.ui.alternativesEndComboBox.currentIndex
        return self._ends[index] if 0 <= index < len(self._ends) else None

    def _chosen(self) -> ScrewSet | None:
        number = chosen_row(self.ui.alternativesTable)
        return self._rows[number] if number is not None and number < len(self._rows) else None

    def _list(self, desk: Desk) -> None:
        end, table = self._end(), self.ui.alternativesTable
        rows = end.sets if end is not None else ()
        if rows != self._rows:
            self._rows = rows
            table.clearSelection()
            table.setCurrentCell(-1, -1)
            table.setRowCount(len(rows))
            for number, one in enumerate(rows):
                fill_row(table, number, [f"{one.pullout_N:.0f} N", screws_words(one.screws), binds_words(one)])
        self.ui.alternativesLabel.visible = bool(self.ui.alternativesLabel.text)
        self._offer(desk)

    def _offer(self, desk: Desk) -> None:
        chosen, end, plan = self._chosen(), self._end(), desk.plan
        self.ui.bindingsLabel.text = "\n".join(chosen.bindings) if chosen is not None else ""
        self.ui.bindingsLabel.visible = chosen is not None
        missing = _("Choose a row of the table.")
        if desk.locked:
            missing = _("The plan is locked.")
        elif self.ui.alternativesLabel.text:
            missing = self.ui.alternativesLabel.text
        elif chosen is not None and end is not None and plan is not None:
            there = tuple(screw for screw in plan.screws if screw.level == end.level)
            missing = _("These are the plan's screws.") if there == chosen.screws else ""
        self.ui.useAlternativeButton.enabled = not missing
        self.ui.useAlternativeButton.toolTip = missing or _(
            "Puts these screws in the place of that end's; undo brings the others back."
        )


def screws_words(screws: Sequence[Screw]) -> str:
    """Diameters and lengths, "3.5 × 14, 3.5 × 16 mm"."""
    return ", ".join(f"{screw.type.diameter_mm:g} × {screw.length_mm:g}" for screw in screws) + " mm"


def binds_words(one: ScrewSet) -> str:
    """What keeps the screws from holding better, each thing once."""
    return "; ".join(dict.fromkeys(one.bindings))
