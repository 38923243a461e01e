"""Step 5, screws: a table, a line to drag for each, and a click on bone for a new one."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.panel.tables import cell, chosen_row, dress_table, fill_choices, fill_row
from slicer.i18n import tr as _

from ..build.situation import corrected, resected
from ..plan.catalogue import load_screws
from ..plan.plan import Screw
from ..propose.screw_at import screw_at
from .desk import Desk
from .placing import Placing
from .section import Section, Standing, State, of_plan


class ScrewStep(Section):
    """The screws of both ends."""

    button = "screwsButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._rows: tuple[Any, ...] = ()
        self._placing = Placing("New screw", self.on_placed, self.on_placing_ended)
        ui = self.ui
        self._types = {name: entry.value for name, entry in load_screws().items()}
        fill_choices(ui.screwTypeComboBox, [(name, name) for name in self._types])
        dress_table(ui.screwTable, 1)
        ui.screwTable.connect("itemSelectionChanged()", self.on_chosen)
        ui.placeScrewButton.connect("clicked(bool)", self.on_place)
        ui.deleteScrewButton.connect("clicked(bool)", self.on_delete)
        ui.lockScrewButton.connect("clicked(bool)", self.on_lock)
        ui.viewScrewButton.connect("clicked(bool)", self.on_view)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Screws")

    def standing(self, desk: Desk) -> Standing:
        """A warning where an end has no screw."""
        standing = of_plan(desk, _("ready"))
        if standing.state is not State.READY or desk.plan is None:
            return standing
        plan = desk.plan
        bare = [level for level in (plan.upper, plan.lower) if not any(s.level == level for s in plan.screws)]
        if bare:
            return Standing(State.WARNING, _("no screw in {levels}").format(levels=_(" and ").join(bare)))
        return Standing(State.READY, _("{n} planned").format(n=len(plan.screws)))

    def show(self, desk: Desk) -> None:
        """Fills the table; keeps the chosen row."""
        plan = desk.plan
        screws = plan.screws if plan is not None else ()
        free = not desk.locked
        there = plan is not None and bool(plan.axis.control_points)
        self.ui.placeScrewButton.enabled = there and free
        if not (there and free):
            self._placing.stop()
        rows = (*screws, desk.locked)
        if rows != self._rows:
            self._rows = rows
            table = self.ui.screwTable
            table.setRowCount(len(screws))
            for number, screw in enumerate(screws):
                self._fill(number, screw, free)
        self._offer(desk)

    def put_away(self) -> None:
        """No click is waited for any more."""
        self._placing.stop()

    def on_chosen(self) -> None:
        """A person chose a row."""
        if self.panel.desk is not None:
            self._offer(self.desk)

    def on_length_chosen(self, number: int, length: str) -> None:
        """Another made length for a screw."""
        self._change(number, length_mm=float(length), words=_("screw length"))

    def on_place(self, checked: bool) -> None:
        """Waits for a click on bone, or no longer."""
        if checked:
            self._placing.start(self.desk.owner.GetScene())
        else:
            self._placing.stop()

    def on_placed(self, point: tuple[float, float, float]) -> None:
        """A person clicked: a screw straight into the bone there."""
        with self.panel.told():
            desk = self.desk
            plan = desk.needed_plan()
            case = resected(corrected(desk.case(), plan), plan)
            screw = screw_at(case, plan, self._types[self.ui.screwTypeComboBox.currentText], point)
            self.panel.decide(plan.with_(screws=(*plan.screws, screw)), _("screw added"))

    def on_placing_ended(self) -> None:
        """No click is waited for any more."""
        self.ui.placeScrewButton.checked = False

    def on_delete(self, checked: bool) -> None:
        """The chosen screw goes."""
        number = chosen_row(self.ui.screwTable)
        if number is not None:
            self.delete(number)

    def delete(self, number: int) -> None:
        """A screw goes."""
        with self.panel.told():
            plan = self.desk.needed_plan()
            left = (*plan.screws[:number], *plan.screws[number + 1 :])
            self.panel.decide(plan.with_(screws=left), _("screw deleted"))

    def on_lock(self, checked: bool) -> None:
        """The chosen screw is held where it is, or free again."""
        number = chosen_row(self.ui.screwTable)
        if number is not None:
            locked = self.desk.needed_plan().screws[number].locked
            self._change(number, locked=not locked, words=_("screw locked") if not locked else _("screw unlocked"))

    def on_view(self, checked: bool) -> None:
        """A slice view lies along the chosen screw."""
        self.desk.parameters.following = "screw"

    def _change(self, number: int, words: str, **changes: Any) -> None:
        with self.panel.told():
            plan = self.desk.needed_plan()
            screws = list(plan.screws)
            screws[number] = screws[number].with_(**changes)
            self.panel.decide(plan.with_(screws=tuple(screws)), words)

    def _offer(self, desk: Desk) -> None:
        chosen = chosen_row(self.ui.screwTable) is not None
        for name in ("deleteScrewButton", "lockScrewButton"):
            getattr(self.ui, name).enabled = chosen and not desk.locked
        self.ui.viewScrewButton.enabled = chosen

    def _fill(self, number: int, screw: Screw, free: bool) -> None:
        table = self.ui.screwTable
        fill_row(table, number, [screw.level, screw.type.name, "", _("locked") if screw.locked else ""])
        box = cell(table, number, 2)
        lengths = [(f"{length:g} mm", f"{length:g}") for length in screw.type.lengths_mm]
        fill_choices(box, lengths, f"{screw.length_mm:g}")
        box.enabled = free and not screw.locked

        def chosen(index: int) -> None:
            self.on_length_chosen(number, box.itemData(index))

        box.connect("activated(int)", chosen)
