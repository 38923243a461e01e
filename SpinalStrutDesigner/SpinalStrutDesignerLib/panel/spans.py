"""The part of the anatomy for other docking levels: spans compared in a child process, and one of them chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING

from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS
from slicer.i18n import tr as _

from ..propose.changes import NOTHING
from ..propose.spans import SPAN_COLUMNS
from ..scene.spans_table import are_of, spans_in
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel

_UNHINDERED = "nothing"  # what the table says where no finding forbids manufacture


class Spans:
    """The button, the table and the choice. use(upper, lower): makes these the plan's docking levels."""

    def __init__(self, panel: Panel, use: Callable[[str, str], None]) -> None:
        self.panel, self.ui = panel, panel.ui
        self._use = use
        self._rows: tuple[dict[str, str], ...] = ()
        self._stale = False
        dress_table(self.ui.spansTable, 4)
        self.ui.spansGroupBox.connect("toggled(bool)", self.on_opened)
        self.ui.compareSpansButton.connect("clicked(bool)", self.on_compare)
        self.ui.useSpanButton.connect("clicked(bool)", self.on_use)
        self.ui.spansTable.connect("itemSelectionChanged()", self.on_chosen)

    def show(self, desk: Desk, missing: str) -> None:
        """Shows the table. missing: what stands in the way of a design, as a sentence; empty where nothing does."""
        ui = self.ui
        ui.compareSpansButton.enabled = not missing and not self.panel.work.busy
        ui.compareSpansButton.toolTip = missing or _(
            "Designs and measures an implant from each pair of the docking levels and their neighbors above and below. "
            "It takes a minute or two for each pair; the plan stays as it is."
        )
        rows, case = spans_in(desk.parameters.spans), desk.case_if_ready()
        self._stale = bool(rows) and case is not None and not are_of(desk.parameters.spans, case.digest)
        ui.spansLabel.text = _("Out of date: the anatomy was edited. Compare again.")
        if rows != self._rows:
            self._rows = rows
            ui.spansGroupBox.collapsed = not rows
            ui.spansTable.clearSelection()
            ui.spansTable.setCurrentCell(-1, -1)
            ui.spansTable.setRowCount(len(rows))
            for number, row in enumerate(rows):
                fill_row(ui.spansTable, number, cells(row), VERDICT_COLORS[verdict_of(row)])
        self._offer(desk)
        self.on_opened(not ui.spansGroupBox.collapsed)

    def on_opened(self, opened: bool) -> None:
        """A box that is opened shows all it holds, also what has nothing to tell."""
        ui, there = self.ui, opened and bool(self._rows)
        ui.spansTable.visible = ui.useSpanButton.visible = there
        ui.spansLabel.visible = there and self._stale
        ui.spanBrowser.visible = there and self._chosen() is not None

    def on_compare(self, checked: bool) -> None:
        """Compares spans in a child process."""
        self.panel.jobs.compare_spans()

    def on_chosen(self) -> None:
        """A person chose a row."""
        if self.panel.desk is not None:
            self._offer(self.panel.desk)
            self.on_opened(not self.ui.spansGroupBox.collapsed)

    def on_use(self, checked: bool) -> None:
        """The chosen row's levels become the plan's."""
        row = self._chosen()
        if row is not None:
            self._use(*levels_of(row))

    def _chosen(self) -> dict[str, str] | None:
        number = chosen_row(self.ui.spansTable)
        return self._rows[number] if number is not None and number < len(self._rows) else None

    def _offer(self, desk: Desk) -> None:
        row, plan, button = self._chosen(), desk.plan, self.ui.useSpanButton
        self.ui.spanBrowser.html = told(row) if row is not None else ""
        planned = plan is not None and row is not None and levels_of(row) == (plan.upper, plan.lower)
        missing = _("Choose a row of the table.")
        if desk.locked:
            missing = _("The plan is locked.")
        elif planned:
            missing = _("These are the plan's docking levels.")
        elif row is not None:
            missing = _("No foot can dock there.") if row["length mm"] == NOTHING else ""
        button.enabled = not missing
        button.toolTip = missing or _(
            "Makes these the docking levels, to propose from. What is planned for the others goes; undo brings it back."
        )


def levels_of(row: Mapping[str, str]) -> tuple[str, str]:
    """The upper and the lower level of a row."""
    upper, lower = row["span"].split("-")
    return upper, lower


def cells(row: Mapping[str, str]) -> list[str]:
    """A row as the panel has room for."""
    bone = (row["upper HU"], row["lower HU"])
    return [
        row["span"],
        _valued(row["length mm"], "mm"),
        NOTHING if NOTHING in bone else " / ".join(bone),
        _valued(row["nearest mm"], "mm"),
        row["forbids manufacture"],
    ]


def verdict_of(row: Mapping[str, str]) -> str:
    """Not evaluated where there is no implant, failed where one is forbidden, else by its warnings."""
    if row["fails"] == NOTHING:
        return "not_evaluated"
    if row["forbids manufacture"] != _UNHINDERED:
        return "fail"
    return "pass" if row["warnings"] == "0" else "warn"


def told(row: Mapping[str, str]) -> str:
    """All that is known of a span, as HTML."""
    lines = [f"{escape(name)}: {escape(row[name])}" for name in SPAN_COLUMNS[1:] if row[name] != NOTHING]
    return "<br>".join([f"<b>{escape(row['span'])}</b>", *lines])


def _valued(value: str, unit: str) -> str:
    return value if value == NOTHING else f"{value} {unit}"
