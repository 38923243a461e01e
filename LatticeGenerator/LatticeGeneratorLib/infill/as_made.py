"""A lattice in numbers, as made: what a person compares with what was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..errors import GeometryError
from ..measure.thickness import Layer
from ..mesh.mesh import Mesh
from ..progress import Progress, silent
from .lattice import Lattice


@dataclass(frozen=True)
class AsMade:
    """porosity: share 0 to 1 of the region that is void, by the volumes of both meshes; pore_mm, strut_mm: mean local
    thickness of void and metal; thinnest_mm: 5th percentile of the metal's; cell_mm: length of the cell; region_mm3,
    metal_mm3: volumes; faces: of the mesh; loose: pieces that hung on nothing and were left out."""

    porosity: float
    pore_mm: float
    strut_mm: float
    thinnest_mm: float
    cell_mm: float
    region_mm3: float
    metal_mm3: float
    faces: int
    loose: int

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))


def as_made(lattice: Lattice, region: Mesh, progress: Progress = silent) -> AsMade:
    """Measures a lattice in the closed region that it fills."""
    progress("measuring", 0.0)
    layer = Layer.of(lattice.mesh, region)
    progress("measuring", 0.3)
    pores = layer.pores()
    progress("measuring", 0.7)
    struts = layer.struts()
    progress("measuring", 1.0)
    return AsMade(
        # A lattice lies within its region, so that the volumes tell; nothing here knows how it was made.
        1.0 - lattice.mesh.volume / region.volume,
        pores.mean_mm,
        struts.mean_mm,
        struts.p5_mm,
        lattice.cell_mm,
        region.volume,
        lattice.mesh.volume,
        len(lattice.mesh.faces),
        lattice.chips_removed,
    )


def as_made_from_json(text: str) -> AsMade:
    """What `to_json` wrote. Raises GeometryError for any other text."""
    try:
        return AsMade(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise GeometryError(f"the measured values of a lattice cannot be read: {error!r}") from error
