"""A lattice as designed beside what is expected from the printer, and what to order so that the wish comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ..cells import Cell, cell_named
from ..errors import GeometryError
from ..infill.feasible import cell_size_mm
from ..infill.spec import LatticeSpec, part_of
from .catalogue import default_printer
from .printer import AsBuilt, Printer

Verdict = Literal["pass", "warn", "fail", "not evaluated"]

# Departures from the design that pass, else warn: shares of a length, and for porosity of the whole. Engineering
# judgement: the spread of as-built offsets alone is wider.
_LENGTH_SHARE, _POROSITY_SHARE = 0.10, 0.01


@dataclass(frozen=True)
class Row:
    """One quantity: as designed, as expected, and the least and most that the printer's spread makes of it (mm, for
    porosity a share); None where the printer's difference is not known. words: what the verdict is about."""

    designed: float
    predicted: float | None
    least: float | None
    most: float | None
    verdict: Verdict
    words: str


@dataclass(frozen=True)
class Prediction:
    """Mean pore size, mean strut or wall thickness, and porosity. source: where the differences come from."""

    pore: Row
    strut: Row
    porosity: Row
    source: str


def predicted(spec: LatticeSpec, printer: Printer | None = None) -> Prediction:
    """What is expected of a lattice from a printer (if None, the default one).

    Cells come out in the designed size; what is measured of one part, pores or struts, tells by the laws of the cell
    how far the metal has grown, and so the rest. Raises GeometryError where the spec does not exist.
    """
    printer = printer or default_printer()
    cell = cell_named(spec.cell)
    strut_words = _strut_verdict(spec, cell, printer)
    known = printer.difference(cell)
    designed = (spec.pore_mm, spec.thickness_mm, spec.porosity)
    if known is None:
        words = f"how {cell.title} comes out of {printer.name} is not known: print and measure a coupon"
        pore, strut, porosity = (Row(value, None, None, None, "not evaluated", words) for value in designed)
        # Whether the struts can be printed at all is a matter of the design, and known nevertheless.
        return Prediction(pore, replace(strut, verdict=strut_words[0], words=strut_words[1]), porosity, "")
    printed = [_printed(spec, known, offset) for offset in (known.middle_um, known.least_um, known.most_um)]
    if printed[0] is None:
        raise GeometryError(
            f"{cell.title} with {part_of(cell)}s of {1000 * spec.thickness_mm:.0f} µm and pores of "
            f"{1000 * spec.pore_mm:.0f} µm would leave the porosities it is known for on {printer.name} "
            f"({known.part}s {known.middle_um:+.0f} µm): take larger pores"
        )
    columns = list(zip(*[_sizes(one or _at_end(spec, known)) for one in printed]))
    pore = _row(designed[0], columns[0], _LENGTH_SHARE * designed[0], "pores")
    strut = _row(designed[1], columns[1], float("inf"), "struts")
    porosity = _row(designed[2], columns[2], _POROSITY_SHARE, "porosity")
    return Prediction(pore, replace(strut, verdict=strut_words[0], words=strut_words[1]), porosity, known.source)


def compensated(spec: LatticeSpec, printer: Printer | None = None) -> LatticeSpec:
    """The lattice to order so that what is expected from the printer has the porosity and the pores of the spec.

    Its cells are as large, its metal thinner by what it grows. Raises GeometryError where the printer's difference is
    not known, or what would have to be ordered cannot be made.
    """
    printer = printer or default_printer()
    cell, size = cell_named(spec.cell), spec.cell_mm
    known = printer.difference(cell)
    if known is None:
        raise GeometryError(
            f"how {cell.title} comes out of {printer.name} is not known, so nothing can be compensated: print and "
            "measure a coupon, and enter its difference in the catalogue of printers"
        )
    law, wished = _law(cell, known), _length(spec, known)
    try:
        porosity = cell.porosity_with(law, (wished - 0.001 * known.middle_um) / size)
        ordered = LatticeSpec(spec.cell, porosity, size * cell.pore_per_cell(porosity))
        cell_size_mm(ordered, printer)
    except GeometryError as error:
        raise GeometryError(
            f"{cell.title} of {100 * spec.porosity:.1f} % with {1000 * spec.pore_mm:.0f} µm pores cannot be "
            f"compensated for {printer.name} ({known.part}s {known.middle_um:+.0f} µm): ordered thinner, {error}; or "
            "take larger pores or less porosity"
        ) from error
    return ordered


def _strut_verdict(spec: LatticeSpec, cell: Cell, printer: Printer) -> tuple[Verdict, str]:
    part, least = part_of(cell), printer.least(cell)
    if spec.thickness_mm < least.mm:
        return "fail", f"{part}s below {1000 * least.mm:.0f} µm cannot be printed ({least.source})"
    if part == "strut" and spec.thickness_mm < printer.coupon_strut.mm:
        coupon = printer.coupon_strut
        return "warn", f"struts below {1000 * coupon.mm:.0f} µm need a validated coupon ({coupon.source})"
    return "pass", f"{part}s of at least {1000 * least.mm:.0f} µm ({least.source})"


def _length(spec: LatticeSpec, known: AsBuilt) -> float:
    """The length of the part whose difference is known, mm."""
    return spec.pore_mm if known.part == "pore" else spec.thickness_mm


def _law(cell: Cell, known: AsBuilt) -> Callable[[float], float]:
    return cell.pore_per_cell if known.part == "pore" else cell.strut_per_cell


def _printed(spec: LatticeSpec, known: AsBuilt, offset_um: float) -> LatticeSpec | None:
    """The lattice of the same cells whose part is larger by an offset; None beyond the cell's porosities."""
    cell, size = cell_named(spec.cell), spec.cell_mm
    try:
        porosity = cell.porosity_with(_law(cell, known), (_length(spec, known) + 0.001 * offset_um) / size)
    except GeometryError:
        return None
    return LatticeSpec(spec.cell, porosity, size * cell.pore_per_cell(porosity))


def _at_end(spec: LatticeSpec, known: AsBuilt) -> LatticeSpec:
    """The lattice of the same cells with the least porosity, or the most, that the cell is known for: the end to
    which the printer's spread goes."""
    cell, grows = cell_named(spec.cell), (known.part == "strut") == (known.middle_um > 0.0)
    porosity = cell.porosities[0 if grows else 1]
    return LatticeSpec(spec.cell, porosity, spec.cell_mm * cell.pore_per_cell(porosity))


def _sizes(spec: LatticeSpec) -> tuple[float, float, float]:
    return spec.pore_mm, spec.thickness_mm, spec.porosity


def _row(designed: float, values: tuple[float, ...], allowed: float, name: str) -> Row:
    middle, least, most = values[0], min(values), max(values)
    near = abs(middle - designed) <= allowed
    if near:
        return Row(designed, middle, least, most, "pass", f"{name} nearly as designed")
    words = f"{name} expected otherwise than designed: order the lattice compensated"
    return Row(designed, middle, least, most, "warn", words)
