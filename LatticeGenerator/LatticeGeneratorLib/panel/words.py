"""Lattices in words for people."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..cells import CELLS
from ..errors import GeometryError
from ..infill.feasible import cell_size_mm
from ..infill.spec import LatticeSpec


def cell_titles() -> dict[str, str]:
    """A cell's title for people, by its name."""
    translated = {"gyroid_skeletal": _("Gyroid, skeletal"), "bcc": _("Body-centred cubic struts")}
    return {name: translated.get(name, cell.title) for name, cell in CELLS.items()}


def lattice_words(spec: LatticeSpec) -> tuple[str, bool]:
    """What lattice a wish means, or why there is none; and whether there is none."""
    try:
        size = cell_size_mm(spec)
    except GeometryError as error:
        return str(error), True
    words = _(
        "{porosity:.0f} % porosity, pores of {pore:.0f} µm: cells of {cell:.2f} mm, struts of about {strut:.0f} µm"
    )
    strut = 1000.0 * size * CELLS[spec.cell].strut_per_cell(spec.porosity)
    values = {"porosity": 100.0 * spec.porosity, "pore": 1000.0 * spec.pore_mm, "cell": size, "strut": strut}
    return words.format(**values), False


def stage_words() -> dict[str, str]:
    """The stages of the work."""
    return {
        "cutting": _("Finding the region to fill"), "filling": _("Filling with lattice"),
        "measuring": _("Measuring pores and struts"), "thinning": _("Thinning out for the views"),
    }  # fmt: skip
