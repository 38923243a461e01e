"""How porous a lattice is to come out, and of what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import GeometryError
from ..field.slabs import slabs_of
from .domain_field import DomainField
from .pattern import Pattern


@dataclass(frozen=True)
class Aim:
    """porosity: wanted of the porous part, on the mean; porous_mm3: the volume of that part, the domain without skin
    and frame; solid_mm3: of skin and frame; domain_mm3: of all."""

    porosity: float
    porous_mm3: float
    solid_mm3: float
    domain_mm3: float

    @classmethod
    def of(cls, domain: DomainField, pattern: Pattern, porosity: float) -> Aim:
        """What is wanted in a domain. porosity: where it does not vary from place to place."""
        solid, taken = (0.0, 0.0) if pattern.solids is None else pattern.solids.volumes(domain)
        porous = domain.volume - taken
        if not porous > 0.0:
            raise GeometryError("skin and frame leave nothing to fill: make them thinner, or fill a larger region")
        return cls(_mean(domain, pattern, porosity), porous, solid, domain.volume)

    def porosity_of(self, metal_mm3: float) -> float:
        """The porosity of the porous part, where there is so much metal in all."""
        return 1.0 - (metal_mm3 - self.solid_mm3) / self.porous_mm3


def _mean(domain: DomainField, pattern: Pattern, porosity: float) -> float:
    """The mean of what is wanted at each place of the porous part."""
    if pattern.porosities is None:
        return porosity
    total = volume = 0.0
    for slab in slabs_of(domain.grid):
        # Counted as `Pattern.shares` counts, without the plane and row that other slabs have too: the grid's are empty.
        steps = np.float32(1.0 / slab.grid.spacing)
        share = np.clip(np.float32(0.5) - domain.on(slab) * steps, 0.0, 1.0)
        for layer in () if pattern.solids is None else pattern.solids.layers:
            share *= np.clip(np.float32(0.5) + layer.taken(slab.grid) * steps, 0.0, 1.0)
        wanted = share * pattern.porosities.on(slab.grid)
        total += float(wanted[:-1, :-1].sum(dtype=np.float64))
        volume += float(share[:-1, :-1].sum(dtype=np.float64))
    return total / volume if volume > 0.0 else porosity
