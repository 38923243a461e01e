"""What was measured on the lattice, beside what was asked for."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from ..cells import cell_named
from ..errors import GeometryError
from ..infill.as_made import AsMade, as_made_from_json
from ..infill.finish import Transition
from ..infill.order import Order, order_from_json
from ..infill.spec import LatticeSpec
from ..printing.catalogue import default_printer
from ..printing.predicted import predicted
from ..printing.printer import Printer
from ..scene.lattice_nodes import whole_of
from ..scene.wishes import printer_of
from .standing import Standing, State
from .tables import dress_table, fill_row
from .verdicts import VERDICT_COLORS, verdict_words
from .words import part_words

# Departures from what was asked for that pass, else warn: shares of the value, and for porosity percentage points.
# Engineering judgement: printing alone makes the pores of gyroids 24 to 169 µm smaller (Materials 15:4729).
_MEAN_SHARE, _POROSITY_POINTS = 0.10, 1.0
# Of the void that is reached from outside; what is less holds powder. Engineering judgement.
_INTERCONNECTED = 0.99
_MEASURED = "measured"
_PRINTED = 4  # the last column

Row = tuple[str, str, str, str, str]
"""Verdict, quantity, wanted, made, and as expected from the printer; the verdict of what has no limit is _MEASURED."""


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
        printer = _printer(parameters)
        rows = rows_of(made, order, printer)
        thinnest = part_words(order.spec.cell).thinnest
        about = _about(made, parameters)
        if _thinnest(made, order, printer) == "warn":
            limit = _micrometres(printer.coupon_strut.mm)
            about += "\n" + _("Struts below {limit} need a coupon that was printed and measured.").format(limit=limit)
        self._show(rows, about, _standing(rows, fresh, thinnest))

    def _show(self, rows: tuple[Row, ...], about: str, standing: Standing) -> None:
        table, words = self._ui.resultTable, verdict_words() | {_MEASURED: ""}
        table.setRowCount(len(rows))
        for number, (verdict, *texts) in enumerate(rows):
            fill_row(table, number, [words[verdict], *texts], VERDICT_COLORS.get(verdict, ""))
        table.setColumnHidden(_PRINTED, not any(row[-1] for row in rows))
        table.resizeRowsToContents()
        table.visible = bool(rows)
        self._ui.resultLabel.text = about or _("Apply makes a lattice and measures it.")
        self._ui.resultCollapsibleButton.text = standing.head(_("Result"))


def rows_of(made: AsMade, order: Order, printer: Printer) -> tuple[Row, ...]:
    """The comparison, row by row."""
    kinds, words = order.design.kinds(), part_words(order.spec.cell)
    least = printer.least(cell_named(order.spec.cell)).mm
    printed = _printed(made, order, printer)
    off = abs(100.0 * (made.porosity - made.wanted))
    rows = [
        (
            "pass" if off <= _POROSITY_POINTS else "warn",
            _("Porosity"), _per_cent(made.wanted), _per_cent(made.porosity), printed[0],
        ),
        _sized(_("Pore size, mean"), [kind.pore_mm for kind in kinds], made.pore_mm, printed[1]),
        (
            _thinnest(made, order, printer),
            words.thinnest, f"≥ {_micrometres(least)}", _micrometres(made.thinnest_mm), "",
        ),
        _sized(words.mean, [kind.thickness_mm for kind in kinds], made.strut_mm, printed[2]),
        _sized(_("Throat"), [kind.throat_mm for kind in kinds], made.throat_mm, ""),
        (
            "pass" if made.interconnected >= _INTERCONNECTED else "warn",
            _("Open void"), f"≥ {_per_cent(_INTERCONNECTED)}", _per_cent(made.interconnected), "",
        ),
        ("pass" if made.closed_pores == 0 else "warn", _("Closed pores"), "0", str(made.closed_pores), ""),
    ]  # fmt: skip
    if _grows_denser(order):
        # Sizes are those of the denser part too, and no wish says how they should come out on the mean.
        rows = [(_MEASURED if number in (1, 3, 4) else row[0], *row[1:]) for number, row in enumerate(rows)]
    if order.finish:
        rows.insert(1, (_MEASURED, _("Porosity, overall"), "", _per_cent(made.overall), ""))
    return (*rows, *_without_limit(made))


def _thinnest(made: AsMade, order: Order, printer: Printer) -> str:
    cell = cell_named(order.spec.cell)
    if made.thinnest_mm < printer.least(cell).mm:
        return "fail"
    return "warn" if cell.kind != "sheet" and made.thinnest_mm < printer.coupon_strut.mm else "pass"


def _without_limit(made: AsMade) -> tuple[Row, ...]:
    spread = f"{1000 * made.pore_p5_mm:.0f}–{_micrometres(made.pore_p95_mm)}"
    values = (
        (_("Pore size, 5–95 %"), spread),
        (_("Largest sphere"), _micrometres(made.largest_mm)),
        (_("Surface"), f"{made.area_per_mm:.2f} mm⁻¹"),
        (_("Intercept of void"), _micrometres(made.void_intercept_mm)),
        (_("Intercept of metal"), _micrometres(made.metal_intercept_mm)),
    )
    return tuple((_MEASURED, quantity, "", value, "") for quantity, value in values)


def _sized(quantity: str, wanted_mm: list[float], made_mm: float, printed: str) -> Row:
    """A mean length that passes near the wanted one; of a graded lattice, between those of its kinds."""
    low, high = min(wanted_mm), max(wanted_mm)
    near = (1.0 - _MEAN_SHARE) * low <= made_mm <= (1.0 + _MEAN_SHARE) * high
    ends = [f"{1000 * length:.0f}" for length in (low, high)]
    wanted = "–".join(dict.fromkeys(ends))
    return "pass" if near else "warn", quantity, f"{wanted} µm", _micrometres(made_mm), printed


def _printed(made: AsMade, order: Order, printer: Printer) -> tuple[str, str, str]:
    """Porosity, pores and struts of what was made, as they are expected from the printer; empty where not known."""
    if order.graded is not None or _grows_denser(order):
        return "", "", ""  # it is no one lattice
    try:
        expected = predicted(LatticeSpec(order.spec.cell, made.porosity, made.pore_mm), printer)
    except GeometryError:  # it would be no lattice of this cell any more
        return "", "", ""
    porosity, pore, strut = expected.porosity.predicted, expected.pore.predicted, expected.strut.predicted
    if porosity is None or pore is None or strut is None:
        return "?", "?", "?"
    return _per_cent(porosity), _micrometres(pore), _micrometres(strut)


def _grows_denser(order: Order) -> bool:
    return any(isinstance(part, Transition) for part in order.finish)


def _printer(parameters: Any) -> Printer:
    try:
        return printer_of(parameters)
    except GeometryError:  # it is said beside the choice
        return default_printer()


def _per_cent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _micrometres(length_mm: float) -> str:
    return f"{1000.0 * length_mm:.0f} µm"


def _standing(rows: tuple[Row, ...], fresh: bool, thinnest: str) -> Standing:
    """thinnest: what the row of the thinnest metal is called."""
    warned = {row[1] for row in rows if row[0] == "warn"}
    if not fresh:
        return Standing(State.STALE, _("out of date: apply again"))
    if any(row[0] == "fail" for row in rows):
        return Standing(State.FAILED, _("cannot be printed"))
    if warned == {thinnest}:
        return Standing(State.WARNING, _("as wanted; thin struts need a coupon"))
    if warned:
        return Standing(State.WARNING, _("not quite as wanted"))
    return Standing(State.READY, _("as wanted"))


def _about(made: AsMade, parameters: Any) -> str:
    lines = [
        _("Cells of {cell:.2f} mm; {metal:.0f} of {region:.0f} mm³ are metal; {faces} triangles.").format(
            cell=made.cell_mm, metal=made.metal_mm3, region=made.region_mm3, faces=f"{made.faces:,}"
        )
    ]
    lines.append(_("Made on a grid of {voxel:.0f} µm.").format(voxel=1000.0 * made.voxel_mm))
    if made.pores_closed:
        lines.append(_("Pores without a way out, made solid: {n}.").format(n=made.pores_closed))
    if made.loose:
        lines.append(_("Loose pieces at the border that were left out: {n}.").format(n=made.loose))
    whole = whole_of(parameters.lattice)
    if whole is not None:
        lines.append(_("Shown thinned out; to print, use '{name}'.").format(name=whole.GetName()))
    return "\n".join(lines)
