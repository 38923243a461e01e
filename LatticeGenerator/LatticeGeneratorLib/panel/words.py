"""Lattices in words for people."""

from __future__ import annotations

from dataclasses import dataclass

from slicer.i18n import tr as _

from ..cells import CELLS
from ..errors import GeometryError
from ..infill.feasible import cell_size_mm
from ..infill.spec import LatticeSpec
from ..printing.printer import Printer


@dataclass(frozen=True)
class PartWords:
    """What a cell's metal is called. some: in a sentence; thickness: before a slider; thinnest, mean: in a table."""

    some: str
    thickness: str
    thinnest: str
    mean: str


def part_words(cell: str) -> PartWords:
    """The words for the metal of the cell of that name: walls of a sheet, struts of all others."""
    if cell in CELLS and CELLS[cell].kind == "sheet":
        return PartWords(_("walls"), _("Wall thickness:"), _("Thinnest wall"), _("Wall thickness, mean"))
    return PartWords(_("struts"), _("Strut thickness:"), _("Thinnest strut"), _("Strut thickness, mean"))


def cell_titles() -> dict[str, str]:
    """A cell's title for people, by its name."""
    return {name: _(cell.title) for name, cell in CELLS.items()}


def lattice_words(spec: LatticeSpec, printer: Printer | None = None) -> tuple[str, bool]:
    """What lattice a wish means, or why there is none on a printer (None: the default one); whether there is none."""
    try:
        size = cell_size_mm(spec, printer)
    except GeometryError as error:
        return str(error), True
    words = _(
        "{porosity:.0f} % porosity, pores of {pore:.0f} µm: cells of {cell:.2f} mm, {part} of about {thick:.0f} µm"
    )
    values = {"porosity": 100.0 * spec.porosity, "pore": 1000.0 * spec.pore_mm, "cell": size}
    return words.format(part=part_words(spec.cell).some, thick=1000.0 * spec.thickness_mm, **values), False


def stage_words() -> dict[str, str]:
    """The stages of the work."""
    return {
        "cutting": _("Finding the region to fill"), "filling": _("Filling with lattice"),
        "measuring": _("Measuring pores and struts"), "thinning": _("Thinning out for the views"),
    }  # fmt: skip
