"""What was measured on the lattice, beside what was asked for."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from ..cells import CELLS
from ..errors import GeometryError
from ..infill.as_made import AsMade, as_made_from_json
from ..infill.feasible import LEAST_STRUT_MM
from ..infill.order import Order, order_from_json
from ..scene.lattice_nodes import whole_of
from .standing import Standing, State
from .tables import dress_table, fill_row
from .verdicts import VERDICT_COLORS, verdict_words

# Departures from what was asked for that pass, else warn: shares of the value, and for porosity percentage points.
# Engineering judgement: printing alone makes the pores of gyroids 24 to 169 µm smaller (Materials 15:4729).
_MEAN_SHARE, _POROSITY_POINTS = 0.10, 1.0

Row = tuple[str, str, str, str]
"""Verdict, quantity, wanted, made."""


class Result:
    """The section of the panel that compares."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        dress_table(ui.resultTable, 1)

    def clear(self) -> None:
        """Nothing is shown."""
        self._show((), "", Standing(State.NOTHING, _("nothing yet")))

    def show(self, parameters: Any, fresh: bool) -> None:
        """Shows what the parameter node remembers. fresh: it is of the body and the wishes as they now are."""
        if not parameters.measured:
            self.clear()
            return
        try:
            made, order = as_made_from_json(parameters.measured), order_from_json(parameters.madeOrder)
        except GeometryError as error:
            self._show((), str(error), Standing(State.FAILED, _("cannot be read")))
            return
        rows = rows_of(made, order)
        self._show(rows, _about(made, parameters), _standing(rows, fresh))

    def _show(self, rows: tuple[Row, ...], about: str, standing: Standing) -> None:
        table, words = self._ui.resultTable, verdict_words()
        table.setRowCount(len(rows))
        for number, (verdict, *texts) in enumerate(rows):
            fill_row(table, number, [words[verdict], *texts], VERDICT_COLORS[verdict])
        table.visible = bool(rows)
        self._ui.resultLabel.text = about or _("Apply makes a lattice and measures it.")
        self._ui.resultCollapsibleButton.text = standing.head(_("Result"))


def rows_of(made: AsMade, order: Order) -> tuple[Row, ...]:
    """The comparison, row by row."""
    spec = order.spec
    strut = made.cell_mm * CELLS[spec.cell].strut_per_cell(spec.porosity)
    off = abs(100.0 * (made.porosity - spec.porosity))
    return (
        (
            "pass" if off <= _POROSITY_POINTS else "warn",
            _("Porosity"), f"{100 * spec.porosity:.1f} %", f"{100 * made.porosity:.1f} %",
        ),
        (
            _near(made.pore_mm, spec.pore_mm),
            _("Pore size, mean"), f"{1000 * spec.pore_mm:.0f} µm", f"{1000 * made.pore_mm:.0f} µm",
        ),
        (
            "pass" if made.thinnest_mm >= LEAST_STRUT_MM else "fail",
            _("Thinnest strut"), f"≥ {1000 * LEAST_STRUT_MM:.0f} µm", f"{1000 * made.thinnest_mm:.0f} µm",
        ),
        (
            _near(made.strut_mm, strut),
            _("Strut thickness, mean"), f"{1000 * strut:.0f} µm", f"{1000 * made.strut_mm:.0f} µm",
        ),
    )  # fmt: skip


def _near(made: float, wanted: float) -> str:
    return "pass" if abs(made / wanted - 1.0) <= _MEAN_SHARE else "warn"


def _standing(rows: tuple[Row, ...], fresh: bool) -> Standing:
    verdicts = {row[0] for row in rows}
    if not fresh:
        return Standing(State.STALE, _("out of date: apply again"))
    if "fail" in verdicts:
        return Standing(State.FAILED, _("cannot be printed"))
    if "warn" in verdicts:
        return Standing(State.WARNING, _("not quite as wanted"))
    return Standing(State.READY, _("as wanted"))


def _about(made: AsMade, parameters: Any) -> str:
    lines = [
        _("Cells of {cell:.2f} mm; {metal:.0f} of {region:.0f} mm³ are metal; {faces} triangles.").format(
            cell=made.cell_mm, metal=made.metal_mm3, region=made.region_mm3, faces=f"{made.faces:,}"
        )
    ]
    if made.loose:
        lines.append(_("{n} loose pieces at the border were left out.").format(n=made.loose))
    whole = whole_of(parameters.lattice)
    if whole is not None:
        lines.append(_("Shown thinned out; to print, use '{name}'.").format(name=whole.GetName()))
    return "\n".join(lines)
