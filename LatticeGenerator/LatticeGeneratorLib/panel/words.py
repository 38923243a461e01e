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


def choice_words() -> dict[str, dict[str, str]]:
    """What a person reads for the values of a field of the parameter node."""
    return {
        "source": {"model": _("A model"), "segment": _("A segment")},
        "wish": {"pores": _("Porosity and pore size"), "cell": _("Cell size and thickness")},
        "where": {
            "whole": _("In all of it"), "shell": _("In a shell under the surface"),
            "beside": _("In a layer next to a surface"), "roi": _("Within a region of interest"),
        },
        "grading": {
            "none": _("The same everywhere"), "axis": _("Changes along a line"),
            "depth": _("Changes with the depth under the border"), "volume": _("Changes with the values of a volume"),
        },
        "finish": {
            "none": _("Cut off as it is"), "skin": _("A solid skin, open on one side"),
            "frame": _("A solid frame with windows for powder"), "transition": _("Grows denser towards a solid"),
        },
        "side": {
            "superior": _("Superior (up)"), "inferior": _("Inferior (down)"), "anterior": _("Anterior (front)"),
            "posterior": _("Posterior (back)"), "right": _("Right of the patient"), "left": _("Left of the patient"),
            "plane": _("Where a plane's normal points"), "model": _("Near a model's surface"),
        },
        "lying": {
            "scene": _("Along the patient's axes"), "transform": _("Turned by a transform"),
            "body": _("Along the body's own axes"), "face": _("In layers along a surface"),
        },
    }  # fmt: skip


def side_words(finish: str) -> str:
    """What the side is that goes with a finish."""
    return {"skin": _("Open side:"), "frame": _("On the side:")}.get(finish, _("Solid beyond:"))


def advanced_words(grading: str, finish: str, lying: str) -> str:
    """The header of the advanced choices, which may be folded away: in short those that are not as usual."""
    short = {
        "axis": _("graded"), "depth": _("graded"), "volume": _("graded"), "skin": _("skin"), "frame": _("frame"),
        "transition": _("transition"), "transform": _("turned"), "body": _("turned"), "face": _("in layers"),
    }  # fmt: skip
    unusual = [short[value] for value in (grading, finish, lying) if value in short]
    return f"{_('Advanced')}: {', '.join(unusual)}" if unusual else _("Advanced")


def source_words(source: str) -> str:
    """A tooltip about the expectation of what is printed."""
    known = _("Printed: what is expected, the middle of the printer's spread ({source}).").format(source=source)
    told = known if source else _("How this cell comes out of the printer is not known.")
    laws = _(
        "Designed: by the measured laws of the cell. Thinnest: a twentieth of the metal is thinner; limit: of the "
        "printer; throat: the largest ball that passes."
    )
    return f"{told}\n{laws}"


def stage_words() -> dict[str, str]:
    """The stages of the work."""
    return {
        "cutting": _("Finding the region to fill"), "filling": _("Filling with lattice"),
        "measuring": _("Measuring pores and struts"), "thinning": _("Thinning out for the views"),
    }  # fmt: skip
