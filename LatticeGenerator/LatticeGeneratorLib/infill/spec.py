"""What a lattice shall be, in either of two languages: as wanted (porosity, pores) or as made (cell, thickness)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..cells import Cell, cell_named
from ..errors import GeometryError


@dataclass(frozen=True)
class LatticeSpec:
    """A wanted lattice: cell by name, porosity as a fraction, pore size (mean local thickness of the void) in mm.

    The other sizes follow by the laws of the cell, whoever can print them: `feasible` says what a printer can make.
    Reading them raises GeometryError where the cell does not exist, or not at that porosity.
    """

    cell: str = "gyroid_skeletal"
    porosity: float = 0.70
    pore_mm: float = 0.55

    @classmethod
    def made(cls, cell: str, cell_mm: float, thickness_mm: float) -> LatticeSpec:
        """The lattice with cells of this length and struts, or walls, of this mean thickness.

        Raises GeometryError, naming what can be had, where the cell would leave the range in which void and metal are
        each one network.
        """
        kind = cell_named(cell)
        if not 0.0 < cell_mm < math.inf:
            raise GeometryError(f"a cell size must be positive and finite, not {cell_mm} mm")
        check_thickness(kind, cell_mm, thickness_mm)
        porosity = kind.porosity_with(kind.strut_per_cell, thickness_mm / cell_mm)
        return cls(cell, porosity, cell_mm * kind.pore_per_cell(porosity))

    @property
    def cell_mm(self) -> float:
        """The length of a cell at which the porosity has the pore size."""
        kind = self._known()
        return self.pore_mm / kind.pore_per_cell(self.porosity)

    @property
    def thickness_mm(self) -> float:
        """The mean thickness of struts, or walls."""
        return self.cell_mm * self._known().strut_per_cell(self.porosity)

    @property
    def least_mm(self) -> float:
        """The 5th percentile of the thickness of struts, or walls."""
        return self.cell_mm * self._known().least_per_cell(self.porosity)

    @property
    def throat_mm(self) -> float:
        """The diameter of the largest ball that passes through."""
        return self.cell_mm * self._known().throat_per_cell(self.porosity)

    def _known(self) -> Cell:
        """The cell, where it has this porosity and these pores."""
        kind = cell_named(self.cell)
        low, high = kind.porosities
        if not low <= self.porosity <= high:
            raise GeometryError(
                f"{kind.title} at {100 * self.porosity:.1f} % porosity is not possible: choose {100 * low:.0f} to "
                f"{100 * high:.0f} %"
            )
        if not 0.0 < self.pore_mm < math.inf:
            raise GeometryError(f"a pore size must be positive and finite, not {self.pore_mm} mm")
        return kind


def part_of(cell: Cell) -> str:
    """What the metal of the cell is: a wall or a strut."""
    return "wall" if cell.kind == "sheet" else "strut"


def check_thickness(cell: Cell, cell_mm: float, thickness_mm: float, least_mm: float = 0.0) -> None:
    """Raises GeometryError where cells of that length cannot have struts, or walls, of that mean thickness, naming
    those they can have; none below the least is offered."""
    low, high = cell.porosities
    thinnest, thickest = cell.strut_per_cell(high), cell.strut_per_cell(low)
    if not thinnest <= thickness_mm / cell_mm <= thickest:
        part = part_of(cell)
        raise GeometryError(
            f"{cell.title} cells of {cell_mm:.2f} mm with {part}s of {thickness_mm:.2f} mm are not possible: take "
            f"{part}s of {max(thinnest * cell_mm, least_mm):.2f} to {thickest * cell_mm:.2f} mm, or cells of "
            f"{thickness_mm / thickest:.2f} to {thickness_mm / thinnest:.2f} mm"
        )
