"""A porous body in numbers, measured on its mesh: one call, one record."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..progress import Progress, silent
from .interface import intercept, interface
from .pores import closed_pores, connected_fraction
from .porosity import porosity
from .thickness import Layer
from .throat import throat


@dataclass(frozen=True)
class Measures:
    """What was found in a domain; lengths in mm, shares 0 to 1.

    porosity: share of void; pore_mm, pore_p5_mm, pore_p95_mm: local thickness of the void, mean and percentiles;
    largest_mm: diameter of the largest ball in it; strut_mm, thinnest_mm: local thickness of the metal, mean and 5th
    percentile; throat_mm: diameter of the largest ball that passes; interconnected: share of the void that is reached
    from outside; closed_pores: voids closed all round; area_per_mm: surface per volume, mm² per mm³ (1/mm);
    void_intercept_mm, metal_intercept_mm: ASTM F1854; region_mm3, metal_mm3: volumes of the domain, and of the metal in
    it.
    """

    porosity: float
    pore_mm: float
    pore_p5_mm: float
    pore_p95_mm: float
    largest_mm: float
    strut_mm: float
    thinnest_mm: float
    throat_mm: float
    interconnected: float
    closed_pores: int
    area_per_mm: float
    void_intercept_mm: float
    metal_intercept_mm: float
    region_mm3: float
    metal_mm3: float

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))


def measures_from_json(text: str) -> Measures:
    """What `to_json` of this record, or of one that holds more, wrote. Raises GeometryError for any other text."""
    try:
        held = json.loads(text)
        return Measures(**{field.name: held[field.name] for field in fields(Measures)})
    except (ValueError, TypeError, KeyError) as error:
        raise GeometryError(f"the measured values of a body cannot be read: {error!r}") from error


def measured(body: Mesh, domain: Mesh, progress: Progress = silent) -> Measures:
    """Measures a closed body within a closed domain; how each is measured says the function of that name.

    Raises GeometryError where either is not closed or they do not share both metal and void.
    """
    progress("measuring", 0.0)
    return measures_of(body, domain, porosity(body, domain), progress)


def measures_of(body: Mesh, domain: Mesh, void_share: float, progress: Progress = silent) -> Measures:
    """As `measured`, where the porosity is known already."""
    layer = Layer.of(body, domain)
    progress("measuring", 0.2)
    pores = layer.pores()
    progress("measuring", 0.45)
    struts = layer.struts()
    progress("measuring", 0.6)
    passing = throat(body, domain, layer)
    progress("measuring", 0.9)
    surface = interface(body, domain, layer)
    lines = intercept(void_share, surface)
    reached, closed = connected_fraction(body, domain), closed_pores(body, domain)
    progress("measuring", 1.0)
    return Measures(
        porosity=void_share,
        pore_mm=pores.mean_mm,
        pore_p5_mm=pores.p5_mm,
        pore_p95_mm=pores.p95_mm,
        largest_mm=pores.largest_mm,
        strut_mm=struts.mean_mm,
        thinnest_mm=struts.p5_mm,
        throat_mm=passing,
        interconnected=reached,
        closed_pores=closed,
        area_per_mm=surface.per_volume,
        void_intercept_mm=lines.void_mm,
        metal_intercept_mm=lines.metal_mm,
        region_mm3=domain.volume,
        metal_mm3=(1.0 - void_share) * domain.volume,
    )
