"""What a lattice shall be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LatticeSpec:
    """A wanted lattice: cell by name, porosity as a fraction, pore size (mean local thickness of the void) in mm."""

    cell: str = "gyroid_skeletal"
    porosity: float = 0.70
    pore_mm: float = 0.55
