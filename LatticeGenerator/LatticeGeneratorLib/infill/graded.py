"""A lattice that changes from one kind to another, and how porous it is to be at each place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from ..cells import Cell, cell_named
from ..errors import GeometryError
from ..field.grid import Grid
from .along import Along, Share, along_from_record
from .attached import Arrays
from .spec import LatticeSpec

_BETWEEN = 9  # kinds of lattice between start and end for which is asked whether they can be had
_LEVELS = 33  # porosities over a cell's range for which its level is kept; between them it is straight to 0.0002


@dataclass(frozen=True)
class Graded:
    """What an order's lattice becomes along something. end: the lattice at the end of it, of the same cell.

    Porosity changes evenly, and so does the number of cells a millimetre; all other sizes follow from the two.
    """

    end: LatticeSpec
    along: Along

    def between(self, start: LatticeSpec, share: float) -> LatticeSpec:
        """The lattice where so much of the change has been made."""
        if start.cell != self.end.cell:
            raise GeometryError(
                f"a lattice cannot change from '{start.cell}' to '{self.end.cell}': choose one cell for both ends"
            )
        porosity = start.porosity + (self.end.porosity - start.porosity) * share
        dense = (1.0 - share) / start.cell_mm + share / self.end.cell_mm
        return LatticeSpec(start.cell, porosity, cell_named(start.cell).pore_per_cell(porosity) / dense)

    def kinds(self, start: LatticeSpec) -> list[LatticeSpec]:
        """Lattices from start to end."""
        return [start, *(self.between(start, share) for share in np.linspace(0.0, 1.0, _BETWEEN + 2)[1:-1]), self.end]

    def moved(self, matrix: np.ndarray) -> Graded:
        """The grading moved by a 4x4 rigid matrix."""
        return Graded(self.end, self.along.moved(matrix))

    def record(self) -> dict[str, Any]:
        """As JSON values, as `graded_from_record` reads them."""
        return {"end": asdict(self.end), "along": self.along.record()}

    def arrays(self) -> dict[str, np.ndarray]:
        """What the record names and does not hold."""
        return self.along.arrays()


def graded_from_record(record: dict[str, Any], arrays: Arrays) -> Graded:
    """What `record` wrote. Raises GeometryError for any other record."""
    return Graded(LatticeSpec(**record["end"]), along_from_record(record["along"], arrays))


@dataclass(frozen=True, eq=False)
class Porosities:
    """How porous the lattice is to be at each place: from start to end with a share, both fractions; towards a solid
    falling to densest as `away`, a share too, falls to 0."""

    cell: Cell
    start: float
    end: float
    share: Share | None
    densest: float
    away: Share | None

    def on(self, grid: Grid) -> np.ndarray:
        """[k, j, i] float32 at the points of a grid; of size 1 along an axis on which it does not change."""
        return self._of(
            None if self.share is None else self.share.on(grid), None if self.away is None else self.away.on(grid)
        )

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) at (n, 3) points, mm."""
        found = self._of(
            None if self.share is None else self.share.at(points), None if self.away is None else self.away.at(points)
        )
        return np.broadcast_to(found, len(points))

    def levels(self, porosities: np.ndarray) -> np.ndarray:
        """float32, of the same shape: the levels at which the cell has these porosities."""
        known, levels = _levels(self.cell.name)
        return np.interp(porosities, known, levels).astype(np.float32)

    def _of(self, share: np.ndarray | None, away: np.ndarray | None) -> np.ndarray:
        porosity = np.array(self.start, np.float32)
        if share is not None:
            porosity = share * share.dtype.type(self.end - self.start) + share.dtype.type(self.start)
        if away is not None:
            porosity = (porosity - away.dtype.type(self.densest)) * away + away.dtype.type(self.densest)
        return porosity


@cache
def _levels(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Porosities over the range of a cell, rising, and its level at each."""
    cell = cell_named(name)
    porosities = np.linspace(*cell.porosities, _LEVELS)
    return porosities, np.array([cell.level(porosity) for porosity in porosities])
