"""Step 6, guides: the oversized variants, and which of the printed aids are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from LatticeGeneratorLib.panel.tables import fill_choices
from slicer.i18n import tr as _

from ..errors import PlanError
from ..plan.plan import Plan, Variant
from ..scene.part_nodes import PART
from ..scene.part_nodes import ROLE as PARTS
from .desk import Desk
from .section import Section, Standing, State, of_plan


class GuideStep(Section):
    """What is made besides the implant itself."""

    button = "guidesButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        ui = self.ui
        modes = [(_("fills a gap larger than measured"), "fills"), (_("distracts the spine"), "distracts")]
        fill_choices(ui.variantModeComboBox, modes)
        ui.variantsLineEdit.connect("editingFinished()", self.on_variants)
        ui.variantModeComboBox.connect("activated(int)", self.on_mode)
        docking, drill = guide_choices()
        fill_choices(ui.plan_guides_docking, docking)
        fill_choices(ui.plan_guides_drill, drill)
        self._shown: dict[str, Callable[[str], bool]] = {
            "showVariantsCheckBox": lambda part: part.startswith("implant_"),
            "showGuidesCheckBox": lambda part: part.startswith("docking"),
            "showDrillGuidesCheckBox": lambda part: part.startswith("drill"),
            "showTrialsCheckBox": lambda part: part.startswith("trial"),
            "showBoneCheckBox": lambda part: part == "spine",
        }
        ui.showVariantsCheckBox.connect("toggled(bool)", self.on_show_variants)
        ui.showGuidesCheckBox.connect("toggled(bool)", self.on_show_guides)
        ui.showDrillGuidesCheckBox.connect("toggled(bool)", self.on_show_drill_guides)
        ui.showTrialsCheckBox.connect("toggled(bool)", self.on_show_trials)
        ui.showBoneCheckBox.connect("toggled(bool)", self.on_show_bone)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Guides")

    def standing(self, desk: Desk) -> Standing:
        """Ready with the plan; the parts themselves come from the check."""
        standing = of_plan(desk, _("ready"))
        if standing.state is State.READY and desk.plan is not None:
            if not desk.belongings.all(PARTS):
                return Standing(State.READY, _("made by the check"))
            return Standing(State.READY, _("{n} parts").format(n=len(desk.belongings.all(PARTS))))
        return standing

    def show(self, desk: Desk) -> None:
        """Shows variants, and whether each kind of part is visible."""
        plan, ui = desk.plan, self.ui
        for widget in (ui.variantsLineEdit, ui.variantModeComboBox):
            widget.enabled = plan is not None and not desk.locked
        if plan is not None:
            ui.variantsLineEdit.text = ", ".join(f"{variant.amount_mm:g}" for variant in plan.variants)
            fill_choices(
                ui.variantModeComboBox,
                _pairs(ui.variantModeComboBox),
                plan.variants[0].mode if plan.variants else "fills",
            )
        for name, wanted in self._shown.items():
            box, nodes = getattr(ui, name), self._nodes(desk, wanted)
            box.enabled = bool(nodes)
            was = box.blockSignals(True)
            box.checked = bool(nodes) and all(node.GetDisplayNode().GetVisibility() for node in nodes)
            box.blockSignals(was)

    def on_variants(self) -> None:
        """A person gave other amounts."""
        with self.panel.told():
            plan = self.desk.needed_plan()
            mode = plan.variants[0].mode if plan.variants else "fills"
            self.panel.decide(with_variants(plan, self.ui.variantsLineEdit.text, mode), _("variants"))

    def on_mode(self, index: int) -> None:
        """A person says what a variant is for."""
        with self.panel.told():
            plan = self.desk.needed_plan()
            mode = self.ui.variantModeComboBox.itemData(index)
            self.panel.decide(with_variants(plan, self.ui.variantsLineEdit.text, mode), _("variants"))

    def on_show_variants(self, visible: bool) -> None:
        """Shows or hides the oversized implants."""
        self._set_visible("showVariantsCheckBox", visible)

    def on_show_guides(self, visible: bool) -> None:
        """Shows or hides the docking guides."""
        self._set_visible("showGuidesCheckBox", visible)

    def on_show_drill_guides(self, visible: bool) -> None:
        """Shows or hides the drill guides."""
        self._set_visible("showDrillGuidesCheckBox", visible)

    def on_show_trials(self, visible: bool) -> None:
        """Shows or hides the trials."""
        self._set_visible("showTrialsCheckBox", visible)

    def on_show_bone(self, visible: bool) -> None:
        """Shows or hides the bone model."""
        self._set_visible("showBoneCheckBox", visible)

    def _set_visible(self, name: str, visible: bool) -> None:
        for node in self._nodes(self.desk, self._shown[name]):
            node.GetDisplayNode().SetVisibility(visible)

    @staticmethod
    def _nodes(desk: Desk, wanted: Callable[[str], bool]) -> list[Any]:
        return [node for node in desk.belongings.all(PARTS) if wanted(node.GetAttribute(PART))]


def guide_choices() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What may be said of docking and of drill guides: words for people, and the plan's."""
    docking = [(_("both ends"), "made"), (_("none"), "none")]
    drill = [(_("sit on the bone"), "bone"), (_("clip into the implant"), "implant"), (_("none"), "none")]
    return docking, drill


def with_variants(plan: Plan, text: str, mode: str) -> Plan:
    """The plan with variants of amounts written "2, 4". Raises PlanError naming the part that is no number."""
    amounts = []
    for part in text.replace(";", ",").replace("+", "").split(","):
        if part.strip():
            try:
                amounts.append(float(part))
            except ValueError as error:
                raise PlanError(f"variants: '{part.strip()}' is not a number of mm; write 2, 4") from error
    return plan.with_(variants=tuple(Variant(amount, mode) for amount in amounts))  # type: ignore[arg-type]


def _pairs(box: Any) -> list[tuple[str, str]]:
    return [(box.itemText(n), box.itemData(n)) for n in range(box.count)]
