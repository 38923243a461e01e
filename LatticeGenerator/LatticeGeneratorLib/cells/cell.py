"""What a unit cell is: a periodic function of place whose low values are metal, and how it scales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Field = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From x, y, z in cells (any shapes that broadcast) to the value there and the length of its gradient per cell."""


@dataclass(frozen=True)
class Cell:
    """A unit cell with period 1 along x, y and z; metal is where its value is below a level.

    pore and strut: polynomials in the porosity (lowest power first) for the mean diameter of the largest spheres that
    cover the void, and the metal, in cell lengths; fitted to 0.003 to measurements of periodic cells at sub-voxel
    positions over `porosities`, the range in which void and metal are each one connected network.
    """

    name: str
    title: str
    field: Field
    pore: tuple[float, ...]
    strut: tuple[float, ...]
    porosities: tuple[float, float]

    def pore_per_cell(self, porosity: float) -> float:
        """Mean pore diameter over cell size."""
        return float(np.polynomial.polynomial.polyval(porosity, self.pore))

    def strut_per_cell(self, porosity: float) -> float:
        """Mean strut diameter over cell size."""
        return float(np.polynomial.polynomial.polyval(porosity, self.strut))
