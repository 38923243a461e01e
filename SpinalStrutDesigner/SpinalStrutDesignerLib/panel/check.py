"""Step 8, check: the whole design made and measured in a child process; findings to look at, jump to and accept."""

from __future__ import annotations

from html import escape
from typing import Any

from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_choices, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS, WORST_FIRST, verdict_words
from slicer.i18n import tr as _

from ..plan.plan import Plan, Waiver
from ..scene.findings_table import Row, rows_of
from .desk import Desk
from .section import Section, Standing, State

# Width of the measured values' column: a number with its unit; longer texts stand below the table.
_MEASURED_PX = 110


class CheckStep(Section):
    """What was measured on the finished implant."""

    button = "checkButton"

    def __init__(self, panel: Any) -> None:
        import qt

        super().__init__(panel)
        self._rows: tuple[Row, ...] = ()
        ui = self.ui
        fill_choices(
            ui.findingsComboBox,
            [(_("what does not pass"), "open"), (_("what forbids manufacture"), "blocking"), (_("everything"), "all")],
            "open",
        )
        dress_table(ui.findingsTable, 1)
        ui.findingsTable.horizontalHeader().setSectionResizeMode(2, qt.QHeaderView.Interactive)
        ui.findingsTable.horizontalHeader().resizeSection(2, _MEASURED_PX)
        ui.checkRunButton.connect("clicked(bool)", self.on_check)
        ui.findingsComboBox.connect("currentIndexChanged(int)", self.on_filter)
        ui.findingsTable.connect("cellClicked(int,int)", self.on_finding_clicked)
        ui.waiveButton.connect("clicked(bool)", self.on_waive)
        ui.unwaiveButton.connect("clicked(bool)", self.on_take_back)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Check")

    def standing(self, desk: Desk) -> Standing:
        """By the findings; out of date where case or plan are not those that were checked."""
        rows = findings(desk)
        if not rows:
            return Standing(State.NOTHING, _("nothing yet"))
        if desk.digest() != desk.parameters.checked:
            return Standing(State.STALE, _("out of date: check again"))
        blocking = sum(row.blocks for row in rows)
        if blocking:
            return Standing(State.FAILED, _("{n} findings forbid manufacture").format(n=blocking))
        warning = sum(row.verdict in ("warn", "not_evaluated") for row in rows)
        if warning:
            return Standing(State.WARNING, _("{n} warnings").format(n=warning))
        return Standing(State.READY, _("all checks hold"))

    def show(self, desk: Desk) -> None:
        """Fills the table with the findings that are asked for."""
        ui = self.ui
        missing = self.missing(desk)
        ui.checkRunButton.enabled = not missing and not self.panel.work.busy
        ui.checkRunButton.toolTip = missing or _("Builds everything and measures it. It takes about a minute.")
        rows = findings(desk)
        ui.verdictsLabel.text = _counted(rows)
        wanted = ui.findingsComboBox.itemData(ui.findingsComboBox.currentIndex)
        asked = (row for row in rows if wanted == "all" or row.blocks or (wanted == "open" and row.verdict != "pass"))
        kept = tuple(sorted(asked, key=lambda row: WORST_FIRST.index(row.verdict)))
        if kept != self._rows:
            self._rows = kept
            words = verdict_words()
            ui.findingsTable.setRowCount(len(kept))
            for number, row in enumerate(kept):
                texts = [words[row.verdict], row.title, row.measured]
                fill_row(ui.findingsTable, number, texts, VERDICT_COLORS[row.verdict])
        self._offer(desk)

    def missing(self, desk: Desk) -> str:
        """What stands in the way of a check, as a sentence; empty where nothing does."""
        if desk.plan_fault or desk.case_fault:
            return desk.plan_fault or desk.case_fault
        if desk.plan is None or not desk.plan.axis.control_points:
            return _("Propose a plan first.")
        return ""

    def on_check(self, checked: bool) -> None:
        """Makes and measures the design."""
        self.panel.check()

    def on_filter(self, index: int) -> None:
        """Other findings are asked for."""
        if self.panel.desk is not None:
            self.show(self.desk)

    def on_finding_clicked(self, number: int, column: int) -> None:
        """The slice views go to the finding's place, and its details are told."""
        row = self._rows[number]
        self.ui.findingBrowser.html = finding_words(row)
        self.ui.findingBrowser.toolTip = row.id
        if row.location is not None:
            self.panel.jump_to(row.location)
        self._offer(self.desk)

    def on_waive(self, checked: bool) -> None:
        """A named person accepts the chosen finding."""
        number = chosen_row(self.ui.findingsTable)
        if number is None:
            return
        with self.panel.told():
            plan = without_waiver(self.desk.needed_plan(), self._rows[number].id)
            given = self.ui.waiverNameLineEdit.text, self.ui.waiverReasonLineEdit.text
            waiver = Waiver(self._rows[number].id, *given)
            self.panel.decide(plan.with_(waivers=(*plan.waivers, waiver)), _("finding accepted"))

    def on_take_back(self, checked: bool) -> None:
        """The chosen finding is no longer accepted."""
        number = chosen_row(self.ui.findingsTable)
        if number is not None:
            with self.panel.told():
                plan = without_waiver(self.desk.needed_plan(), self._rows[number].id)
                self.panel.decide(plan, _("acceptance taken back"))

    def _offer(self, desk: Desk) -> None:
        number = chosen_row(self.ui.findingsTable)
        row = self._rows[number] if number is not None and number < len(self._rows) else None
        free = row is not None and not desk.locked
        self.ui.waiveButton.enabled = free and row is not None and row.verdict not in ("pass", "waived")
        self.ui.unwaiveButton.enabled = free and row is not None and row.verdict == "waived"


def findings(desk: Desk) -> tuple[Row, ...]:
    """The findings of the last check, as the plan's waivers now are."""
    plan = desk.plan
    waived = {waiver.finding: waiver for waiver in plan.waivers} if plan else {}
    return tuple(
        row.waived(waived[row.id].name, waived[row.id].reason) if row.id in waived else row
        for row in rows_of(desk.parameters.findings)
    )


def finding_words(row: Row) -> str:
    """A finding as HTML: its title and value, then limit, details and where the limit comes from."""
    lines = [escape(part) for part in (row.limit, row.detail, row.basis) if part]
    return "<br>".join([f"<b>{escape(row.title)}: {escape(row.measured)}</b>", *lines])


def without_waiver(plan: Plan, finding: str) -> Plan:
    """The plan without the waiver of a finding."""
    return plan.with_(waivers=tuple(waiver for waiver in plan.waivers if waiver.finding != finding))


def _counted(rows: tuple[Row, ...]) -> str:
    words = verdict_words()
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in words}
    return ", ".join(f"{count} {words[verdict]}" for verdict, count in counts.items() if count)
