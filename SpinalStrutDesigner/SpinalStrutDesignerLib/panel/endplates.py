"""The part of the anatomy that shows levels and docking endplates: names, planes to drag, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from LatticeGeneratorLib.panel.tables import chosen_row, dress_table, fill_row
from slicer.i18n import tr as _

from ..build.design import End
from ..case.model import Case, Endplate, Face
from ..errors import PlanError
from ..plan.plan import EndplateOverride, Plan
from ..scene.endplate_planes import EndplatePlanes, override_of, set_by_hand, turned_deg
from ..scene.level_labels import set_levels_visible, show_levels
from .desk import Desk
from .landmarks import FACES, Landmarks, Plates, level_of_end, override_in, with_override
from .placing import Placing

if TYPE_CHECKING:
    from .panel import Panel

_ENDS: tuple[End, ...] = ("upper", "lower")


class Endplates:
    """Levels' names, and the docking endplates as measured or corrected."""

    def __init__(self, panel: Panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.landmarks = Landmarks(panel.refresh)
        self._planes: EndplatePlanes | None = None
        self._shown: tuple[Any, ...] | None = None
        self._named: Any = None
        self._visible: dict[str, bool] = {}
        ui = self.ui
        dress_table(ui.endplatesTable, 1)
        ui.endplatesTable.connect("itemSelectionChanged()", self.on_chosen)
        ui.endplatesTable.connect("cellClicked(int,int)", self.on_clicked)
        ui.asMeasuredButton.connect("clicked(bool)", self.on_as_measured)
        self._placing = Placing("New endplate", self.on_placed, self.on_placing_ended)
        ui.byHandButton.connect("clicked(bool)", self.on_by_hand)

    def show(self, desk: Desk) -> None:
        """Shows what is measured; has it measured where it is not, and wanted."""
        case, plan, parameters = desk.case_if_ready(), desk.plan, desk.parameters
        if case is not None:
            self.landmarks.follow(case, plan, parameters.endplatesVisible, parameters.levelsVisible)
            self._show_names(desk, case)
        plates = self.landmarks.plates_of(case, plan) if case is not None and plan is not None else None
        self._show_planes(desk, plates)
        self._fill(desk, plates)
        self._offer(desk)

    def put_away(self) -> None:
        """The planes are let go, and what is being measured is given up; what the views show stays."""
        self.landmarks.stop()
        self._placing.stop()
        if self._planes is not None:
            self._planes.release()
        self._planes, self._shown, self._named, self._visible = None, None, None, {}

    # What a person does

    def on_chosen(self) -> None:
        """A person chose a row."""
        if self.panel.desk is not None:
            self._offer(self.panel.desk)
            self._offer_handles()

    def on_clicked(self, row: int, column: int) -> None:
        """The slice views go to an endplate."""
        desk = self.panel.desk
        plates = self._plates(desk) if desk is not None else None
        if desk is None or plates is None:
            return
        plate = plates.shown(desk.needed_plan()).get(_ENDS[row])
        if plate is not None:
            x, y, z = (float(value) for value in plate.centre)
            self.panel.jump_to((x, y, z))

    def on_as_measured(self, checked: bool) -> None:
        """The correction of the chosen endplate is taken back."""
        row, desk = chosen_row(self.ui.endplatesTable), self.panel.desk
        if row is not None and desk is not None:
            with self.panel.told():
                plan, end = desk.needed_plan(), _ENDS[row]
                words = _("{level} endplate as measured").format(level=level_of_end(plan, end))
                self.panel.decide(with_override(plan, end, None), words)

    def on_by_hand(self, checked: bool) -> None:
        """Waits for a click into the middle of an endplate that cannot be measured, or no longer."""
        if checked and self.panel.desk is not None:
            self._placing.start(self.panel.desk.owner.GetScene())
        else:
            self._placing.stop()

    def on_placed(self, point: tuple[float, float, float]) -> None:
        """A person clicked: the chosen endplate is there, of usual size, across the patient."""
        row, desk = chosen_row(self.ui.endplatesTable), self.panel.desk
        plates = self._plates(desk) if desk is not None else None
        if row is None or desk is None or plates is None or _ENDS[row] not in plates.by_hand:
            return
        with self.panel.told():
            plan, plate = desk.needed_plan(), plates.by_hand[_ENDS[row]]
            x, y, z = (float(value) for value in plate.normal)
            size = round(plate.width_mm, 1), round(plate.depth_mm, 1)
            override = EndplateOverride(plate.level, plate.face, point, (x, y, z), *size)
            words = _("{level} endplate by hand").format(level=plate.level)
            self.panel.decide(with_override(plan, _ENDS[row], override), words)

    def on_placing_ended(self) -> None:
        """No click is waited for any more."""
        self.ui.byHandButton.checked = False

    def on_dropped(self, end: End) -> None:
        """A plane was let go: the plan corrects the endplate."""
        desk, planes = self.panel.desk, self._planes
        lying = planes.plate_of(end) if planes is not None else None
        if desk is None or lying is None:
            return
        with self.panel.told():
            plan, plates = desk.needed_plan(), self._plates(desk)
            self._shown = None  # whatever comes of it, the plane lies where the plan says
            before = override_in(plan, end)
            if plates is not None and end in plates.measured:
                override = override_of(lying, plates.shown(plan)[end], plates.measured[end], before)
            elif plates is not None and end in plates.by_hand and before is not None:
                override = set_by_hand(lying, plates.shown(plan)[end], before)
            else:
                raise PlanError(_("this endplate is not measured yet: wait for it, then drag it again"))
            if override != before:
                words = _("{level} endplate").format(level=level_of_end(plan, end))
                self.panel.decide(with_override(plan, end, override), words)
            self.panel.refresh()

    def on_removed(self) -> None:
        """A plane deleted in the scene is no correction: it is shown again."""
        import qt

        def follow() -> None:
            self._shown = None
            self.panel.refresh()

        qt.QTimer.singleShot(0, follow)  # once the scene is done with the removal

    # What is shown

    def _plates(self, desk: Desk) -> Plates | None:
        case, plan = desk.case_if_ready(), desk.plan
        return self.landmarks.plates_of(case, plan) if case is not None and plan is not None else None

    def _show_planes(self, desk: Desk, plates: Plates | None) -> None:
        plan, wanted = desk.plan, bool(desk.parameters.endplatesVisible)
        if self._planes is None:
            self._planes = EndplatePlanes(desk.owner, self.on_dropped, self.on_removed)
        if plan is not None and plates is not None and wanted:
            shown = (plates, *(override_in(plan, end) for end in _ENDS), desk.locked)
            if shown != self._shown:
                self._shown = shown
                self._planes.show(plates.shown(plan), desk.folder, desk.locked)
                self._offer_handles()
        # They are shown again when they lie where they belong.
        if (plates is not None or not wanted) and self._changed("endplates", wanted):
            self._planes.set_visible(wanted)

    def _show_names(self, desk: Desk, case: Case) -> None:
        wanted, centres = bool(desk.parameters.levelsVisible), self.landmarks.bodies_of(case, desk.plan)
        if wanted and centres is not None and centres is not self._named:
            self._named = centres
            show_levels(desk.owner, desk.folder, centres)
        if (centres is not None or not wanted) and self._changed("levels", wanted):
            set_levels_visible(desk.owner, wanted)

    def _changed(self, what: str, visible: bool) -> bool:
        """What a person shows or hides stays so: visibility is set only where the panel's own choice changes."""
        before = self._visible.get(what, True)
        self._visible[what] = visible
        return before != visible

    def _fill(self, desk: Desk, plates: Plates | None) -> None:
        table, plan = self.ui.endplatesTable, desk.plan
        table.setRowCount(0 if plan is None else len(_ENDS))
        if plan is None:
            return
        for row, end in enumerate(_ENDS):
            fill_row(table, row, self._texts(plan, end, plates))

    def _texts(self, plan: Plan, end: End, plates: Plates | None) -> list[str]:
        name = f"{level_of_end(plan, end)} {face_words(FACES[end])}"
        if plates is None:
            waiting = _("measuring …") if self.landmarks.busy else self.landmarks.fault or _("not measured")
            corrected = _("corrected") if override_in(plan, end) is not None else ""
            return [name, waiting, corrected, ""]
        if end in plates.faults:
            by_hand = plates.shown(plan).get(end)
            words = "" if by_hand is None else _("by hand, {size}").format(size=size_words(by_hand))
            return [name, plates.faults[end], words, ""]
        measured = plates.measured[end]
        shown = plates.shown(plan)[end]
        change = "" if shown is measured else change_words(shown, measured)
        return [name, size_words(measured), change, gap_words(measured)]

    def _offer_handles(self) -> None:
        """The chosen endplate has arrows to drag: those of both would hide the CT."""
        row = chosen_row(self.ui.endplatesTable)
        if self._planes is not None:
            self._planes.offer_handles(None if row is None else _ENDS[row])

    def _offer(self, desk: Desk) -> None:
        row, plan = chosen_row(self.ui.endplatesTable), desk.plan
        there = row is not None and plan is not None and override_in(plan, _ENDS[row]) is not None
        self.ui.asMeasuredButton.enabled = there and not desk.locked
        plates = self._plates(desk)
        lost = row is not None and plates is not None and _ENDS[row] in plates.by_hand
        self.ui.byHandButton.enabled = lost and not desk.locked


def face_words(face: Face) -> str:
    """A face in a word."""
    return _("superior") if face == "superior" else _("inferior")


def size_words(plate: Endplate) -> str:
    """Width and depth, mm."""
    return _("{width:.1f} × {depth:.1f}").format(width=plate.width_mm, depth=plate.depth_mm)


def gap_words(plate: Endplate) -> str:
    """The room to the next standing body as measured, mm."""
    if plate.gap_mm is None:
        return "–"
    return _("{gap:.1f} to {level}").format(gap=plate.gap_mm, level=plate.neighbour)


def change_words(corrected: Endplate, measured: Endplate) -> str:
    """What a correction makes of an endplate: its size where that differs, by how much it moved and turned."""
    moved, turned = float(np.linalg.norm(corrected.centre - measured.centre)), turned_deg(corrected.normal, measured)
    words = _("{moved:.1f} mm, {turned:.1f}°").format(moved=moved, turned=turned)
    same = (corrected.width_mm, corrected.depth_mm) == (measured.width_mm, measured.depth_mm)
    return words if same else f"{size_words(corrected)}, {words}"
