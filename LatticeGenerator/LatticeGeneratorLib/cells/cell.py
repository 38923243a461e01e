"""What a unit cell is: a periodic function of place whose low values are metal, and how it scales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq

from ..errors import GeometryError

Field = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From x, y, z in cells (any shapes that broadcast) to the value there and the length of its gradient per cell."""


@dataclass(frozen=True)
class Laws:
    """Polynomials in the square root of the metal's share, √(1 − porosity), lowest power first.

    The root is what the diameter of thin struts goes by, and its square what the thickness of thin walls goes by.
    level: of the field's values; pore, strut: mean local thickness of void and metal; least: 5th percentile of the
    metal's; throat: the largest ball that passes through the void; all but level in cells. As measured by `fit`.
    """

    level: tuple[float, ...]
    pore: tuple[float, ...]
    strut: tuple[float, ...]
    least: tuple[float, ...]
    throat: tuple[float, ...]


UNFITTED = Laws((), (), (), (), ())
"""The laws of a cell that has yet to be measured."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A unit cell with a period of `period` cells along x, y and z; metal is where its value is below a level.

    porosities: the range over which the laws hold, in which void and metal are each one connected network (the void
    of a sheet is two by nature). beams: (n, 2, 3) the axes of the struts of one period in cells, each once; None for
    surfaces.
    """

    name: str
    title: str
    kind: Literal["sheet", "skeletal", "struts"]
    field: Field
    porosities: tuple[float, float]
    laws: Laws
    beams: np.ndarray | None = None
    period: int = 1

    @property
    def family(self) -> str:
        """The surface that a sheet and a skeleton share; for struts their own name."""
        return self.name.removesuffix("_sheet").removesuffix("_skeletal")

    def level(self, porosity: float) -> float:
        """The level of the value that gives this porosity in an unbounded lattice."""
        return _at(self.laws.level, porosity)

    def pore_per_cell(self, porosity: float) -> float:
        """Mean pore diameter over cell size."""
        return _at(self.laws.pore, porosity)

    def strut_per_cell(self, porosity: float) -> float:
        """Mean strut diameter, or wall thickness, over cell size."""
        return _at(self.laws.strut, porosity)

    def least_per_cell(self, porosity: float) -> float:
        """5th percentile of the strut diameter, or wall thickness, over cell size."""
        return _at(self.laws.least, porosity)

    def throat_per_cell(self, porosity: float) -> float:
        """Diameter of the largest ball that passes through the void, over cell size."""
        return _at(self.laws.throat, porosity)

    def porosity_with(self, law: Callable[[float], float], wanted: float) -> float:
        """The porosity at which a law of this cell, `cell.strut_per_cell` for example, has the wanted value.

        Raises GeometryError where it has it nowhere over `porosities`.
        """
        low, high = self.porosities
        ends = law(low) - wanted, law(high) - wanted
        if not ends[0] * ends[1] <= 0.0:
            raise GeometryError(
                f"{self.title} of {100 * low:.0f} to {100 * high:.0f} % porosity has {law(low):.3f} to {law(high):.3f} "
                f"of a cell, not {wanted:.3f}: choose another size of cell"
            )
        return float(brentq(lambda porosity: law(porosity) - wanted, low, high, xtol=1e-12))


def _at(law: tuple[float, ...], porosity: float) -> float:
    return float(np.polynomial.polynomial.polyval(np.sqrt(1.0 - porosity), law))
