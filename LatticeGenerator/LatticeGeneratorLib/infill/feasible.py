"""Which porosity and pore size a cell can have with struts that can be printed."""

from __future__ import annotations

from scipy.optimize import brentq

from ..cells import Cell, cell_named
from ..errors import GeometryError
from .spec import LatticeSpec

LEAST_STRUT_MM = 0.20  # thinner struts are not printed reliably by laser powder bed fusion
_STEP = 0.005


def cell_size_mm(spec: LatticeSpec) -> float:
    """The cell length at which the wanted porosity has the wanted pore size.

    Raises GeometryError, naming the nearest that can be had, if the cell does not exist at that porosity or its
    struts would be thinner than LEAST_STRUT_MM.
    """
    cell = cell_named(spec.cell)
    low, high = cell.porosities
    if not low <= spec.porosity <= high:
        raise GeometryError(
            f"{cell.title} at {100 * spec.porosity:.1f} % porosity is not possible: choose {100 * low:.0f} to "
            f"{100 * high:.0f} %"
        )
    if not spec.pore_mm > 0.0:
        raise GeometryError(f"a pore size must be positive, not {spec.pore_mm} mm")
    size = spec.pore_mm / cell.pore_per_cell(spec.porosity)
    strut = size * cell.strut_per_cell(spec.porosity)
    if strut < LEAST_STRUT_MM:
        raise GeometryError(
            f"{cell.title} at {100 * spec.porosity:.1f} % porosity with {spec.pore_mm:.3f} mm pores has struts of "
            f"{strut:.3f} mm, below {LEAST_STRUT_MM:.2f} mm: {_nearest(cell, spec)}"
        )
    return size


def spec_of_cell(name: str, cell_mm: float, strut_mm: float) -> LatticeSpec:
    """The porosity and pore size that a cell of this length has with struts of this mean diameter.

    The inverse of what `cell_size_mm` and the cell's polynomials say. Raises GeometryError, naming what can be had, if
    the struts are too thin to print, or the cell would leave the range in which void and metal are each one network.
    """
    cell = cell_named(name)
    if not cell_mm > 0.0:
        raise GeometryError(f"a cell size must be positive, not {cell_mm} mm")
    if strut_mm < LEAST_STRUT_MM:
        raise GeometryError(f"struts of {strut_mm:.3f} mm cannot be printed: take at least {LEAST_STRUT_MM:.2f} mm")
    low, high = cell.porosities
    thinnest, thickest = cell.strut_per_cell(high), cell.strut_per_cell(low)
    wanted = strut_mm / cell_mm
    if not thinnest <= wanted <= thickest:
        raise GeometryError(
            f"{cell.title} cells of {cell_mm:.2f} mm with struts of {strut_mm:.2f} mm are not possible: take struts of "
            f"{max(thinnest * cell_mm, LEAST_STRUT_MM):.2f} to {thickest * cell_mm:.2f} mm, or cells of "
            f"{strut_mm / thickest:.2f} to {strut_mm / thinnest:.2f} mm"
            if thickest * cell_mm >= LEAST_STRUT_MM
            else f"{cell.title} cells of {cell_mm:.2f} mm cannot be printed: take cells of at least "
            f"{LEAST_STRUT_MM / thickest:.2f} mm"
        )
    porosity = float(brentq(lambda share: cell.strut_per_cell(share) - wanted, low, high, xtol=1e-12))
    return LatticeSpec(name, porosity, cell_mm * cell.pore_per_cell(porosity))


def _nearest(cell: Cell, spec: LatticeSpec) -> str:
    """The nearest combinations whose struts are thick enough, in words."""
    thinnest = LEAST_STRUT_MM * cell.pore_per_cell(spec.porosity) / cell.strut_per_cell(spec.porosity)
    remedy = f"take pores of at least {thinnest + 0.0005:.3f} mm at this porosity"
    porosity = spec.porosity
    while porosity > cell.porosities[0]:
        porosity -= _STEP
        if spec.pore_mm * cell.strut_per_cell(porosity) >= LEAST_STRUT_MM * cell.pore_per_cell(porosity):
            return f"{remedy}, or at most {100 * porosity:.1f} % porosity with these pores"
    return remedy
