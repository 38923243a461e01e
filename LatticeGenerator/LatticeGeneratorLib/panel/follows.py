"""What follows from a wish, as a small table beside the picture of the lattice: as designed, and as printed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from slicer.i18n import tr as _

from ..cells import cell_named
from ..errors import GeometryError
from ..infill.feasible import printable
from ..infill.spec import LatticeSpec
from ..printing.predicted import Prediction, predicted
from ..printing.printer import Printer
from .verdicts import VERDICT_COLORS
from .words import part_words

# What is expected may differ from the wish by so much, else it is coloured: a share of lengths, and of the whole for
# porosity. Engineering judgement, as for the prediction itself.
_LENGTH_SHARE, _POROSITY_SHARE = 0.10, 0.01

Value = tuple[str, str]
"""A text and its verdict, empty where there is none."""


def follows(wish: LatticeSpec, ordered: LatticeSpec, printer: Printer) -> str:
    """The table as HTML. ordered: the wish, or what is ordered so that the wish is printed.

    Raises GeometryError where there is no such lattice.
    """
    words, thick = part_words(wish.cell), "" if printable(ordered, printer) else "fail"
    heads = [_("Designed"), _("Printed")]
    printed = [("?", "")] * 3
    try:
        printed = _printed(wish, predicted(ordered, printer))
    except GeometryError:  # what is expected is no lattice of this cell any more
        heads[1] = ""
    rows: list[tuple[str, Sequence[Value]]] = [
        (_("Porosity"), [(_per_cent(ordered.porosity), ""), printed[0]]),
        (_("Pore size"), [(_micrometres(ordered.pore_mm), ""), printed[1]]),
        (words.thickness.rstrip(":"), [(_micrometres(ordered.thickness_mm), thick), printed[2]]),
        (_("… thinnest"), [(_micrometres(ordered.least_mm), "")]),
        (_("… limit"), [(_micrometres(printer.least(cell_named(wish.cell)).mm), "")]),
        (_("Throat"), [(_micrometres(ordered.throat_mm), "")]),
        (_("Cell size"), [(f"{ordered.cell_mm:.2f} mm", "")]),
    ]
    head = "".join(f"<th align='right'>&nbsp;{escape(text)}</th>" for text in heads)
    return f"<table cellspacing='1'><tr><th></th>{head}</tr>{''.join(_row(*row) for row in rows)}</table>"


def cautions(ordered: LatticeSpec, printer: Printer) -> tuple[str, str]:
    """What to be careful about in printing it, empty where there is nothing; and where the expectation comes from."""
    try:
        expected = predicted(ordered, printer)
    except GeometryError as error:
        return str(error), ""
    words = [row.words for row in (expected.strut, expected.pore) if row.verdict in ("warn", "not evaluated")]
    # Sources stand in brackets at the end; what is shown beside the sliders has to be short.
    return "; ".join(text.split(" (")[0] for text in words), expected.source


def _printed(wish: LatticeSpec, expected: Prediction) -> list[Value]:
    porosity, pore, strut = expected.porosity.predicted, expected.pore.predicted, expected.strut.predicted
    if porosity is None or pore is None or strut is None:
        return [("?", "")] * 3
    near = abs(porosity - wish.porosity) <= _POROSITY_SHARE, abs(pore / wish.pore_mm - 1.0) <= _LENGTH_SHARE
    verdicts = ["pass" if one else "warn" for one in near]
    return [(_per_cent(porosity), verdicts[0]), (_micrometres(pore), verdicts[1]), (_micrometres(strut), "")]


def _per_cent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _micrometres(length_mm: float) -> str:
    return f"{1000.0 * length_mm:.0f} µm"


def _row(quantity: str, values: Sequence[Value]) -> str:
    cells = "".join(f"<td align='right'{_color(verdict)}>&nbsp;{escape(text)}</td>" for text, verdict in values)
    return f"<tr><td>{escape(quantity)}</td>{cells}</tr>"


def _color(verdict: str) -> str:
    return f" style='color:{VERDICT_COLORS[verdict]}'" if verdict else ""
