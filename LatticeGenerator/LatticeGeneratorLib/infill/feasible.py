"""Which porosity and pore size a cell can have with struts, or walls, that a printer can make."""

from __future__ import annotations

import math
from dataclasses import replace

from ..cells import CELLS, cell_named
from ..errors import GeometryError
from ..printing.catalogue import default_printer
from ..printing.printer import Printer
from .spec import LatticeSpec, check_thickness, part_of

# Thinner struts are not printed reliably; the catalogue of printers names the source.
LEAST_STRUT_MM = default_printer().least_strut.mm
_PORE_STEP_MM, _POROSITY_STEP = 0.001, 0.001


def cell_size_mm(spec: LatticeSpec, printer: Printer | None = None) -> float:
    """The cell length at which the wanted porosity has the wanted pore size, on a printer (if None, the default one).

    Raises GeometryError, naming the nearest that can be had, if the cell does not exist at that porosity or its
    struts, or walls, would be thinner than the printer's limit. `NO_LIMITS` as the printer checks no thickness.
    """
    printer = printer or default_printer()
    size, thickness = spec.cell_mm, spec.thickness_mm
    if not printable(spec, printer):
        cell = cell_named(spec.cell)
        raise GeometryError(
            f"{cell.title} at {100 * spec.porosity:.1f} % porosity with {spec.pore_mm:.3f} mm pores has "
            f"{part_of(cell)}s of {thickness:.3f} mm, below {printer.least(cell).mm:.2f} mm: {nearest(spec, printer)}"
        )
    return size


def printable(spec: LatticeSpec, printer: Printer) -> bool:
    """Whether the struts, or walls, are as thick as the printer needs. Raises GeometryError as the spec does."""
    return spec.thickness_mm >= printer.least(cell_named(spec.cell)).mm


def nearest(spec: LatticeSpec, printer: Printer) -> str:
    """What could be had instead of a lattice that is too thin, in words."""
    cell = cell_named(spec.cell)
    remedies = [f"take pores of at least {thinnest_pore_mm(spec, printer):.3f} mm at this porosity"]
    share = most_porosity(spec, printer)
    if share is not None:
        remedies.append(f"at most {100 * share:.1f} % porosity with these pores")
    others = [other for other in CELLS.values() if other is not cell]
    able = [other.title for other in others if _could(replace(spec, cell=other.name), printer)]
    if able:
        remedies.append(f"another cell: {'; '.join(able)}")
    return ", or ".join(remedies)


def thinnest_pore_mm(spec: LatticeSpec, printer: Printer) -> float:
    """The least pore size at which the porosity can be printed, in whole µm."""
    cell = cell_named(spec.cell)
    exact = printer.least(cell).mm * cell.pore_per_cell(spec.porosity) / cell.strut_per_cell(spec.porosity)
    return _PORE_STEP_MM * math.ceil(exact / _PORE_STEP_MM + 1e-9)


def most_porosity(spec: LatticeSpec, printer: Printer) -> float | None:
    """The greatest porosity at which the pore size can be printed, in tenths of a per cent; None if there is none."""
    low, high = cell_named(spec.cell).porosities
    # A hair of rounding must not leave out the wish itself, nor the end of the range.
    first = math.floor(min(spec.porosity, high) / _POROSITY_STEP + 1e-9)
    for step in range(first, math.ceil(low / _POROSITY_STEP - 1e-9) - 1, -1):
        share = min(max(step * _POROSITY_STEP, low), high)
        if printable(replace(spec, porosity=share), printer):
            return share
    return None


def spec_of_cell(name: str, cell_mm: float, strut_mm: float, printer: Printer | None = None) -> LatticeSpec:
    """The porosity and pore size that a cell of this length has with struts, or walls, of this mean thickness.

    Raises GeometryError, naming what can be had, if they are too thin to print, or the cell would leave the range in
    which void and metal are each one network.
    """
    printer = printer or default_printer()
    cell = cell_named(name)
    part, least = part_of(cell), printer.least(cell).mm
    if strut_mm < least:
        raise GeometryError(f"{part}s of {strut_mm:.3f} mm cannot be printed: take at least {least:.2f} mm")
    thickest = cell.strut_per_cell(cell.porosities[0])
    if 0.0 < cell_mm < least / thickest:
        raise GeometryError(
            f"{cell.title} cells of {cell_mm:.2f} mm cannot be printed: take cells of at least {least / thickest:.2f} "
            "mm"
        )
    if cell_mm > 0.0:
        check_thickness(cell, cell_mm, strut_mm, least)
    return LatticeSpec.made(name, cell_mm, strut_mm)


def _could(spec: LatticeSpec, printer: Printer) -> bool:
    """Whether the printer can make it, and the cell has that porosity at all."""
    low, high = cell_named(spec.cell).porosities
    return low <= spec.porosity <= high and printable(spec, printer)
