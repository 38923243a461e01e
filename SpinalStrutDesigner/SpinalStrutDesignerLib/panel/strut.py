"""Step 3, strut and feet, and step 4, the porous interface: fields of the plan, bound to their widgets."""

from __future__ import annotations

from typing import Any

from LatticeGeneratorLib.infill.spec import LatticeSpec
from LatticeGeneratorLib.panel.tables import fill_choices
from LatticeGeneratorLib.panel.words import cell_titles, lattice_words
from slicer.i18n import tr as _

from ..scene.preview_nodes import SOLID
from .desk import Desk
from .section import Section, Standing, State, of_plan


class StrutStep(Section):
    """The cross-section, both feet and their flanges."""

    button = "strutButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self.ui.opacitySlider.connect("valueChanged(double)", self.on_opacity)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Strut and feet")

    def standing(self, desk: Desk) -> Standing:
        """Failed where the plan means no implant."""
        standing = of_plan(desk, _("ready"))
        if standing.state is State.READY and self.panel.live.fault:
            return Standing(State.FAILED, _("cannot be built"))
        if standing.state is State.READY and desk.plan is not None:
            section = desk.plan.section
            words = _("{width:g} × {depth:g} mm").format(width=section.width_mm, depth=section.depth_mm)
            return Standing(State.READY, words)
        return standing

    def show(self, desk: Desk) -> None:
        """The binder shows the fields; here is the preview's opacity, which its node holds."""
        node = desk.belongings.get(SOLID)
        self.ui.opacitySlider.enabled = node is not None
        if node is not None:
            was = self.ui.opacitySlider.blockSignals(True)
            self.ui.opacitySlider.value = node.GetDisplayNode().GetOpacity()
            self.ui.opacitySlider.blockSignals(was)

    def on_opacity(self, value: float) -> None:
        """A person wants to see through the implant, or not."""
        node = self.desk.belongings.get(SOLID) if self.panel.desk is not None else None
        if node is not None:
            node.GetDisplayNode().SetOpacity(value)


class InterfaceStep(Section):
    """The porous layers: cell, pores, porosity and depth, and whether such a lattice can be printed."""

    button = "interfaceButton"

    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        cells = [(title, name) for name, title in cell_titles().items()]
        fill_choices(self.ui.plan_interface_cell, cells)

    @property
    def title(self) -> str:
        """The step's name."""
        return _("Interface")

    def standing(self, desk: Desk) -> Standing:
        """Failed where no such lattice can be made."""
        standing = of_plan(desk, _("ready"))
        if standing.state is State.READY and desk.plan is not None:
            if _lattice_words(desk)[1]:
                return Standing(State.FAILED, _("cannot be printed"))
            layer = desk.plan.interface
            words = _("{pores:.0f} µm, {porosity:.0f} %").format(pores=layer.pore_um, porosity=100 * layer.porosity)
            return Standing(State.READY, words)
        return standing

    def show(self, desk: Desk) -> None:
        """Says which lattice the wishes mean."""
        self.ui.latticeLabel.text = _lattice_words(desk)[0] if desk.plan is not None else ""


def _lattice_words(desk: Desk) -> tuple[str, bool]:
    """What lattice the plan's wishes mean, or why there is none; and whether there is none."""
    layer = desk.needed_plan().interface
    return lattice_words(LatticeSpec(layer.cell, layer.porosity, layer.pore_um / 1000.0))
