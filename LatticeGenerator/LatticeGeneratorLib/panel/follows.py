"""What follows from a wish, as a small table beside the picture of the lattice."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from ..cells import cell_named
from ..infill.feasible import printable
from ..infill.spec import LatticeSpec
from ..printing.printer import Printer
from .verdicts import VERDICT_COLORS
from .words import part_words


def follows(spec: LatticeSpec, printer: Printer) -> str:
    """The table as HTML; what the printer cannot make is coloured. Raises GeometryError where there is no such spec."""
    words = part_words(spec.cell)
    limit = printer.least(cell_named(spec.cell)).mm
    rows = [
        (_("Porosity"), f"{100 * spec.porosity:.1f} %", ""),
        (_("Pore size"), _micrometres(spec.pore_mm), ""),
        (_("Cell size"), f"{spec.cell_mm:.2f} mm", ""),
        (words.thickness.rstrip(":"), _micrometres(spec.thickness_mm), "" if printable(spec, printer) else "fail"),
        (_("of which thinnest 5 %"), f"&lt; {_micrometres(spec.least_mm)}", ""),
        (_("Throat"), _micrometres(spec.throat_mm), ""),
        (_("Printer's least"), _micrometres(limit), ""),
    ]
    return f"<table cellspacing='2'>{''.join(_row(*row) for row in rows)}</table>"


def _micrometres(length_mm: float) -> str:
    return f"{1000.0 * length_mm:.0f} µm"


def _row(quantity: str, value: str, verdict: str) -> str:
    color = f" style='color:{VERDICT_COLORS[verdict]}'" if verdict else ""
    return f"<tr><td>{escape(quantity)}</td><td align='right'{color}>&nbsp;{value}</td></tr>"
