"""Step 5, screws: all planned at a press, a table with grades, a line to drag for each, a click for one more."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.panel.tables import chosen_row, fill_choices
from slicer.i18n import tr as _

from ..build.situation import corrected, resected
from ..plan.catalogue import load_screws
from ..plan.plan import Plan
from ..propose.screw_at import screw_at
from ..verify.planned_screws import grade_of
from .desk import Desk
from .placing import Placing
from .screw_chosen import ChosenScrew
from .screw_sets import Alternatives
from .screw_table import ScrewTable
from .section import Section, Standing, State, of_plan


class ScrewStep(Section):
    """The screws of both ends."""

    button = "screwsButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._placing = Placing("New screw", self.on_placed, self.on_placing_ended)
        ui = self.ui
        self._types = {name: entry.value for name, entry in load_screws().items()}
        fill_choices(ui.screwTypeComboBox, [(name, name) for name in self._types])
        self.table = ScrewTable(ui.screwTable, self.on_length_chosen, self.on_measured, panel.tell)
        self.chosen, self.alternatives = ChosenScrew(self), Alternatives(panel)
        ui.planScrewsButton.connect("clicked(bool)", self.on_plan_all)
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
        broken = sum(grade_of(self.table.findings(number)) == "fail" for number in range(len(plan.screws)))
        if broken:
            return Standing(State.WARNING, _("{n} not within the limits").format(n=broken))
        return Standing(State.READY, _("{n} planned").format(n=len(plan.screws)))

    def show(self, desk: Desk) -> None:
        """Fills the table; keeps the chosen row."""
        plan = desk.plan
        free = not desk.locked
        there = plan is not None and bool(plan.axis.control_points)
        self.ui.placeScrewButton.enabled = there and free
        if not (there and free):
            self._placing.stop()
        missing = self.missing(desk)
        self.ui.planScrewsButton.enabled = not missing and not self.panel.work.busy
        self.ui.planScrewsButton.toolTip = missing or _(
            "Searches the safe trajectories and lengths that hold best, for both ends together; locked screws stay."
        )
        self.table.show(plan, self.panel.live.situation_of(plan), free)
        self._offer(desk)
        self.alternatives.show(desk)

    def missing(self, desk: Desk) -> str:
        """What stands in the way of planning all screws, as a sentence; empty where nothing does."""
        if desk.locked:
            return _("The plan is locked.")
        if desk.plan_fault or desk.case_fault:
            return desk.plan_fault or desk.case_fault
        if desk.plan is None or not desk.plan.axis.control_points:
            return _("Propose a plan first.")
        return ""

    def follow(self, desk: Desk, plan: Plan) -> None:
        """Measures the screw that is dragged at this moment; the others stay as they were measured."""
        before, situation = desk.needed_plan().screws, self.panel.live.situation_of(plan)
        if situation is None or len(before) != len(plan.screws):
            return
        for number, (was, now) in enumerate(zip(before, plan.screws)):
            if was != now:
                self.table.follow(situation, number)
                if number == self._chosen_number(plan):
                    self.chosen.draw(desk, plan, number, situation)

    def put_away(self) -> None:
        """No click is waited for any more."""
        self._placing.stop()
        self.table.stop()
        self.chosen.put_away()

    def on_plan_all(self, checked: bool) -> None:
        """Plans all screws in a child process."""
        self.panel.jobs.plan_screws()

    def on_measured(self) -> None:
        """Screws were measured that had not been."""
        if self.panel.desk is not None:
            self.show(self.panel.desk)
            self.head(self.panel.desk)

    def on_chosen(self) -> None:
        """A person chose a row."""
        if self.panel.desk is not None:
            self._offer(self.desk)

    def on_length_chosen(self, number: int, length_mm: float) -> None:
        """Another made length for a screw."""
        self._change(number, _("screw length"), length_mm=length_mm)

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
            self._change(number, _("screw unlocked") if locked else _("screw locked"), locked=not locked)

    def on_view(self, checked: bool) -> None:
        """A slice view lies along the chosen screw."""
        self.desk.parameters.following = "screw"

    def change_chosen(self, words: str, **changes: Any) -> None:
        """Another decision for the chosen screw."""
        number = chosen_row(self.ui.screwTable)
        if number is not None:
            self._change(number, words, **changes)

    def _change(self, number: int, words: str, **changes: Any) -> None:
        with self.panel.told():
            plan = self.desk.needed_plan()
            screws = list(plan.screws)
            screws[number] = screws[number].with_(**changes)
            self.panel.decide(plan.with_(screws=tuple(screws)), words)

    def _chosen_number(self, plan: Plan | None) -> int | None:
        """The chosen row; the first where none is chosen, so that there is a chart to look at."""
        if plan is None or not plan.screws:
            return None
        number = chosen_row(self.ui.screwTable)
        return 0 if number is None or number >= len(plan.screws) else number

    def _offer(self, desk: Desk) -> None:
        number = chosen_row(self.ui.screwTable)
        chosen = number is not None and desk.plan is not None and number < len(desk.plan.screws)
        for name in ("deleteScrewButton", "lockScrewButton"):
            getattr(self.ui, name).enabled = chosen and not desk.locked
        self.ui.viewScrewButton.enabled = chosen
        situation = self.panel.live.situation_of(desk.plan)
        self.chosen.show(desk, number if chosen else None, situation)
        self.chosen.draw(desk, desk.plan, self._chosen_number(desk.plan), situation)
