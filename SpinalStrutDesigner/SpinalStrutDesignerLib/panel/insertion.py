"""Step 7, insertion: how each implant comes to its place, searched in a child process, told and shown."""

from __future__ import annotations

from html import escape
from typing import Any

from LatticeGeneratorLib.panel.tables import dress_table, fill_row
from LatticeGeneratorLib.panel.verdicts import VERDICT_COLORS, verdict_words
from slicer.i18n import tr as _

from ..build.build import input_digest
from ..case.model import Case
from ..plan.insertion import Way
from ..plan.plan import Plan
from ..propose.ways_found import WAY
from ..scene.findings_table import Row, rows_of
from ..scene.ways_table import are_for, ways_in
from .desk import Desk
from .retractions import Retractions
from .section import Section, Standing, State, of_plan
from .way_in import WayIn

_PLACE = "insertion."
# By these words a finding of a way is of a structure that gives way.
_GIVING = (" held aside on the way in", "The way in passes ")


class InsertionStep(Section):
    """Whether the implants can be brought in, and how."""

    button = "insertionButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self.retractions, self.way_in = Retractions(panel), WayIn(panel)
        self._rows: tuple[Row, ...] = ()
        dress_table(self.ui.waysTable, 2)
        self.ui.insertButton.connect("clicked(bool)", self.on_search)
        self.ui.waysTable.connect("cellClicked(int,int)", self.on_row_clicked)
        self.ui.insertionButton.connect("contentsCollapsed(bool)", self.on_collapsed)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Insertion")

    def standing(self, desk: Desk) -> Standing:
        """By what was measured on the ways; out of date where case or plan are not those they were searched for."""
        standing = of_plan(desk, "")
        if standing.state is not State.READY or desk.plan is None:
            return standing
        rows = way_rows(desk)
        if not rows and not desk.plan.insertion.ways:
            return Standing(State.NOTHING, _("no way searched yet"))
        if not rows:
            return Standing(State.WARNING, _("planned, not measured"))
        if out_of_date(desk):
            return Standing(State.STALE, _("out of date: search again"))
        verdicts = [row.verdict for row in rows]
        if "fail" in verdicts:
            return Standing(State.FAILED, _("not within the limits"))
        if "warn" in verdicts or "not_evaluated" in verdicts:
            return Standing(State.WARNING, _("possible, with warnings"))
        return Standing(State.READY, _("every implant can be brought in"))

    def show(self, desk: Desk) -> None:
        """Shows what was found and measured, in a sentence an implant and as a table."""
        ui = self.ui
        missing = self.missing(desk)
        ui.insertButton.enabled = not missing and not self.panel.work.busy
        ui.insertButton.toolTip = missing or _(
            "Builds each implant and draws it out of its place every way a surgeon might, until nothing is in front. "
            "It takes a few minutes; what was found is written into the plan."
        )
        rows = way_rows(desk)
        ui.waysBrowser.html = "<br>".join(escape(line) for line in _lines(desk, rows))
        ui.waysTable.visible = bool(rows)
        if rows != self._rows:
            self._rows = rows
            ui.waysTable.setRowCount(len(rows))
            for number, row in enumerate(rows):
                self._fill(number, row)
        self.retractions.show(desk)
        self.way_in.show(desk)

    def missing(self, desk: Desk) -> str:
        """What stands in the way of a search, as a sentence; empty where nothing does."""
        if desk.locked:
            return _("The plan is locked.")
        if desk.plan_fault or desk.case_fault:
            return desk.plan_fault or desk.case_fault
        if desk.plan is None or not desk.plan.axis.control_points:
            return _("Propose a plan first.")
        return ""

    def put_away(self) -> None:
        """No copy of an implant is left on its way."""
        self.way_in.put_away()

    def on_search(self, checked: bool) -> None:
        """Searches the ways in a child process."""
        self.panel.jobs.search_ways()

    def on_row_clicked(self, number: int, column: int) -> None:
        """The slice views go where it was measured."""
        place = self._rows[number].location if number < len(self._rows) else None
        if place is not None:
            self.panel.jump_to(place)

    def on_collapsed(self, collapsed: bool) -> None:
        """A person is done with the step, or begins with it: then it shows only what there is."""
        if collapsed:
            self.way_in.put_in_place()
        elif self.panel.desk is not None:
            self.show(self.panel.desk)

    def _fill(self, number: int, row: Row) -> None:
        table, name = self.ui.waysTable, implant_of(row)
        texts = [verdict_words()[row.verdict], spoken(name), title_of(row), row.measured]
        fill_row(table, number, texts, VERDICT_COLORS[row.verdict])
        tip = "\n".join(part for part in (row.title, row.limit, row.detail, row.basis) if part)
        for column in range(4):
            table.item(number, column).setToolTip(tip)


def with_ways(plan: Plan, ways: tuple[Way, ...]) -> Plan:
    """The plan with other ways in."""
    return plan.with_(insertion=plan.insertion.with_(ways=ways))


def ways_digest(case: Case, plan: Plan) -> str:
    """What ways and what was measured on them are true of: the case, the plan but its waivers, and the algorithm."""
    return input_digest(case, plan.with_(waivers=()))


def way_rows(desk: Desk) -> tuple[Row, ...]:
    """What is known of the ways: by the last search, or the last check where that alone is of this plan."""
    searched = ways_in(desk.owner)
    return searched if searched and _searched_for_this(desk) else _checked_rows(desk) or searched


def out_of_date(desk: Desk) -> bool:
    """Whether what is known of the ways is of another case or plan than there is now."""
    return bool(way_rows(desk)) and not _searched_for_this(desk) and not _checked_rows(desk)


def implant_of(row: Row) -> str:
    """The name of the variant that a row is of, as the build calls it; empty for the nominal implant."""
    return row.id.partition(_PLACE)[0].rstrip(".")


def spoken(name: str) -> str:
    """An implant's name for people."""
    return name.replace("plus", "+").replace("mm", " mm") if name else _("nominal")


def told(rows: tuple[Row, ...]) -> str:
    """What was found for one implant, in a sentence. rows: of it alone."""
    name = spoken(implant_of(rows[0]))
    way = next((row for row in rows if row.id.endswith(WAY)), None)
    if way is not None and way.verdict != "pass":
        if way.verdict == "not_evaluated":
            return _("{implant}: no way searched yet.").format(implant=name)
        return _("{implant}: no way found. {detail}").format(implant=name, detail=way.detail)
    broken = [row for row in rows if row.verdict == "fail"]
    if broken:
        faults = "; ".join(f"{row.title} {row.measured} ({row.limit})" for row in broken)
        return _("{implant}: a way was found, but not within the limits. {faults}").format(implant=name, faults=faults)
    words = _("{implant}: can be brought in.").format(implant=name)
    aside = [f"{_structure_of(row)} {row.measured}" for row in rows if _structure_of(row)]
    words += " " + (
        _("Held aside: {aside}.").format(aside=", ".join(aside)) if aside else _("Nothing has to be held aside.")
    )
    bone = next((row for row in rows if row.id.endswith(_PLACE + "bone") and row.verdict == "warn"), None)
    return words + " " + _("Bone to be taken off: {depth}.").format(depth=bone.measured) if bone else words


def title_of(row: Row) -> str:
    """What a row is about, short enough for the table."""
    words = {
        "way": _("Way in"), "bone": _("Overlap with bone"), "clear": _("Clear of what is not moved"),
        "outside": _("In the patient at the start"),
    }  # fmt: skip
    structure = _structure_of(row)
    if structure:
        return _("{name} held aside").format(name=structure)
    return words.get(row.id.partition(_PLACE)[2], row.title.removesuffix(f" ({implant_of(row)})"))


def _structure_of(row: Row) -> str:
    """The structure that a row says is held aside; empty for one that says something else."""
    giving = any(words in row.title for words in _GIVING)
    return row.id.partition(_PLACE)[2].replace("_", " ") if giving else ""


def _lines(desk: Desk, rows: tuple[Row, ...]) -> list[str]:
    if not rows:
        ways = desk.plan.insertion.ways if desk.plan is not None else ()
        if ways:
            return [_("Ways in are planned, and nothing was measured on them yet: search again, or check the plan.")]
        return [_("No way was searched yet.")]
    names = dict.fromkeys(implant_of(row) for row in rows)
    lines = [told(tuple(row for row in rows if implant_of(row) == name)) for name in names]
    if out_of_date(desk):
        lines.insert(0, _("Out of date: the plan or the anatomy was changed since. Search again."))
    return lines


def _searched_for_this(desk: Desk) -> bool:
    case, plan = desk.case_if_ready(), desk.plan
    return case is not None and plan is not None and are_for(desk.owner, ways_digest(case, plan))


def _checked_rows(desk: Desk) -> tuple[Row, ...]:
    """What a check of this very plan says of its ways; none where it has no ways."""
    if desk.plan is None or not desk.plan.insertion.ways or desk.parameters.checked != desk.digest():
        return ()
    return tuple(row for row in rows_of(desk.parameters.findings) if _PLACE in row.id)
