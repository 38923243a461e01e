"""The part of the insertion that shows an implant on its way in: a slider moves a copy from outside to its place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from LatticeGeneratorLib.panel.steps import Steps
from LatticeGeneratorLib.panel.tables import fill_choices
from LatticeGeneratorLib.scene.models import mesh_from
from slicer.i18n import tr as _

from ..build.situation import situation
from ..plan.insertion import Way
from ..plan.plan import Plan
from ..scene.part_nodes import PART
from ..scene.part_nodes import ROLE as PARTS
from ..scene.preview_nodes import SOLID
from ..scene.way_nodes import put_in_place, show_on_way
from ..verify.on_way import FAR_MM, Beside, OnWay
from .desk import Desk

if TYPE_CHECKING:
    from .panel import Panel

_IN_PLACE = 100.0  # per cent of the way
_PLAYED_S = 8.0  # from outside to its place
_TICK_MS = 40
_LONGEST_TICK_S = 0.25  # a view that is slow to draw does not let the implant jump
_NAMED = 3  # structures beside the implant


class WayIn:
    """Which implant is shown, the slider, and the buttons. The copy is there only while it is not in its place."""

    def __init__(self, panel: Panel) -> None:
        import qt

        self.panel, self.ui = panel, panel.ui
        self._steps = Steps(self._stepped, self._failed)
        self._of: tuple[Any, ...] | None = None  # the case, plan, amount and shape that is shown on its way
        self._on_way: OnWay | None = None
        self._measured = False
        self._ticked = 0.0
        self._timer = qt.QTimer()
        self._timer.interval = _TICK_MS
        self._timer.connect("timeout()", self.on_tick)
        self.ui.wayComboBox.connect("activated(int)", self.on_implant)
        self.ui.waySlider.connect("valueChanged(double)", self.on_moved)
        self.ui.playButton.connect("toggled(bool)", self.on_play)
        self.ui.inPlaceButton.connect("clicked(bool)", self.on_in_place)

    def show(self, desk: Desk) -> None:
        """Shows which ways there are; a copy of another implant or plan than there is now goes."""
        ui = self.ui
        ways = desk.plan.insertion.ways if desk.plan is not None else ()
        fill_choices(ui.wayComboBox, [(_amount_words(way.amount_mm), f"{way.amount_mm!r}") for way in ways])
        if ui.wayComboBox.currentIndex < 0 and ways:
            ui.wayComboBox.currentIndex = 0
        if self._of is not None and self._wanted(desk) != self._of:
            self.put_in_place()
        missing = self._missing(desk)
        ui.wayComboBox.enabled = bool(ways)
        for widget in (ui.waySlider, ui.playButton, ui.inPlaceButton):
            widget.enabled = not missing
            widget.toolTip = missing or _("A copy of the implant moves; the implant itself stays where it is.")
        if missing:
            ui.wayLabel.text = missing if ways else ""
        elif self._of is None:
            ui.wayLabel.text = ""

    def put_in_place(self) -> None:
        """Ends the way: the copy goes."""
        self.ui.playButton.checked = False
        if self._steps.busy:
            self._steps.stop()
            self.panel.work.progress("", 0.0)
        self._of, self._on_way, self._measured = None, None, False
        was = self.ui.waySlider.blockSignals(True)
        self.ui.waySlider.value = _IN_PLACE
        self.ui.waySlider.blockSignals(was)
        self.ui.wayLabel.text = ""
        desk = self.panel.desk
        if desk is not None and desk.owner.GetScene() is not None:
            put_in_place(desk.owner)

    def put_away(self) -> None:
        """The case leaves the desk."""
        self.put_in_place()

    def on_implant(self, index: int) -> None:
        """A person wants to see another implant's way."""
        self.put_in_place()
        if self.panel.desk is not None:
            self.show(self.panel.desk)

    def on_moved(self, value: float) -> None:
        """The slider moves, by hand or while it is played."""
        desk = self.panel.desk
        if desk is None:
            return
        if self._of is None or self._wanted(desk) != self._of:
            self._begin(desk)
        elif self._on_way is not None:
            self._place(desk, self._on_way)

    def on_play(self, playing: bool) -> None:
        """Plays the way from where it is, from outside where it has ended; or pauses."""
        self.ui.playButton.text = _("Pause") if playing else _("Play")
        if not playing:
            self._timer.stop()
            return
        if self.ui.waySlider.value >= _IN_PLACE:
            self.ui.waySlider.value = 0.0
        self._ticked = time.monotonic()
        self._timer.start()

    def on_tick(self) -> None:
        """A little farther."""
        now = time.monotonic()
        passed, self._ticked = min(now - self._ticked, _LONGEST_TICK_S), now
        if self._on_way is None:
            return  # not ready yet
        value = self.ui.waySlider.value + _IN_PLACE * passed / _PLAYED_S
        self.ui.waySlider.value = min(value, _IN_PLACE)
        if value >= _IN_PLACE:
            self.ui.playButton.checked = False

    def on_in_place(self, checked: bool) -> None:
        """The button for it."""
        self.put_in_place()

    # What is shown

    def _begin(self, desk: Desk) -> None:
        way, model, plan = self._way(desk), self._model(desk), desk.plan
        if way is None or model is None or plan is None:
            self.put_in_place()
            return
        put_in_place(desk.owner)
        self._of, self._on_way, self._measured = self._wanted(desk), None, False
        self.ui.wayLabel.text = _("measuring …")
        self._steps.run(self._made_ready(desk, plan, way, model), self._ready)

    def _made_ready(self, desk: Desk, plan: Plan, way: Way, model: Any) -> Iterator[tuple[str, float]]:
        """What the way needs, step by step: the implant moves after the first, what is beside it is told at last."""
        yield _("docking endplates"), 0.1
        place = situation(desk.case(), plan, way.amount_mm)
        self._on_way = on_way = OnWay.of(place, way, mesh_from(model.GetPolyData()))
        self._place(desk, on_way)
        for number, structure in enumerate(on_way.structures):
            yield structure.name.replace("_", " "), 0.2 + 0.8 * number / len(on_way.structures)
            structure.distance(place.middle[None])  # makes its field, which is kept

    def _ready(self) -> None:
        self._measured = True
        self.panel.work.progress("", 0.0)
        if self.panel.desk is not None and self._on_way is not None:
            self._place(self.panel.desk, self._on_way)

    def _stepped(self, words: str, fraction: float) -> None:
        self.panel.work.progress(words, fraction)

    def _failed(self, words: str) -> None:
        self.put_in_place()
        self.panel.work.progress("", 0.0)
        self.panel.tell(words)

    def _place(self, desk: Desk, on_way: OnWay) -> None:
        share = self.ui.waySlider.value / _IN_PLACE
        if share >= 1.0:
            put_in_place(desk.owner)
            self.ui.wayLabel.text = _("In its place.")
            return
        show_on_way(desk.owner, self._model(desk), on_way.pose(share))
        self.ui.wayLabel.text = beside_words(on_way.beside(share)) if self._measured else _("measuring …")

    # Whose way

    def _wanted(self, desk: Desk) -> tuple[Any, ...] | None:
        """What the chosen way is of; None where there is no way, or no implant to move."""
        way, model = self._way(desk), self._model(desk)
        case, plan = desk.case_if_ready(), desk.plan
        if way is None or model is None or case is None or plan is None:
            return None
        return desk.owner.GetID(), case.digest, plan.with_(waivers=()), way.amount_mm, model.GetPolyData()

    def _way(self, desk: Desk) -> Way | None:
        box = self.ui.wayComboBox
        if desk.plan is None or box.currentIndex < 0:
            return None
        return desk.plan.insertion.way(float(box.itemData(box.currentIndex)))

    def _model(self, desk: Desk) -> Any:
        """The chosen implant's model: as made by the check, else the nominal one's preview; None without either."""
        way = self._way(desk)
        if way is None:
            return None
        if desk.parameters.checked and desk.parameters.checked == desk.digest():
            name = f"implant_plus{way.amount_mm:g}mm" if way.amount_mm else "implant"
            return next((node for node in desk.belongings.all(PARTS) if node.GetAttribute(PART) == name), None)
        previewed = way.amount_mm == 0.0 and self.panel.live.room_of(desk.plan) is not None
        return desk.belongings.get(SOLID) if previewed else None

    def _missing(self, desk: Desk) -> str:
        """Why nothing can be shown on its way, as a sentence; empty where it can."""
        if self._way(desk) is None:
            return _("Search the ways first.")
        if desk.case_fault:
            return desk.case_fault
        if self._model(desk) is None:
            return _("To see it move, show the implant's preview, or check the plan: that makes the variants too.")
        return ""


def beside_words(found: tuple[Beside, ...]) -> str:
    """What is in the way of the implant where it is, and what is nearest else."""
    held = [one for one in found if one.in_way and one.rule is not None]
    fixed = [one for one in found if one.in_way and one.rule is None]
    lines = []
    if held:
        words = ", ".join(_inside_words(one) for one in held)
        lines.append(_("Held aside here: {structures}.").format(structures=words))
    if fixed:
        words = ", ".join(_inside_words(one) for one in fixed)
        lines.append(_("In the way, and not to be moved: {structures}.").format(structures=words))
    near = [one for one in found if not one.in_way][:_NAMED]
    if near:
        words = ", ".join(_near_words(one) for one in near)
        lines.append(_("Nearest: {structures}.").format(structures=words))
    return "\n".join(lines)


def _inside_words(one: Beside) -> str:
    name = one.structure.replace("_", " ")
    if one.rule is not None and one.rule.kind == "collapsed":
        return _("{name} (collapsed)").format(name=name)
    return _("{name} ({depth:.1f} mm deep in it)").format(name=name, depth=-one.distance_mm)


def _near_words(one: Beside) -> str:
    name = one.structure.replace("_", " ")
    if one.distance_mm > FAR_MM:
        return _("{name} more than {far:g} mm").format(name=name, far=FAR_MM)
    return _("{name} {distance:.1f} mm").format(name=name, distance=one.distance_mm)


def _amount_words(amount_mm: float) -> str:
    return f"+{amount_mm:g} mm" if amount_mm else _("nominal")
