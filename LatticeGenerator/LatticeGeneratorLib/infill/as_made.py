"""A lattice in numbers, as made: what a person compares with what was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..errors import GeometryError
from ..measure.measures import Measures, measures_of
from ..measure.porosity import porosity
from ..mesh.mesh import Mesh
from ..progress import Progress, silent
from .lattice import Lattice


@dataclass(frozen=True)
class AsMade(Measures):
    """What `Measures` holds, of the part that is porous: the region that was filled, without skin and frame; and:
    cell_mm: length of the cell; voxel_mm: of the grid it was made on; faces: of the mesh; loose: pieces that hung on
    nothing and were left out; pores_closed: pores without a way out that were made solid; wanted: what the porosity was
    to be, of a graded lattice on the mean; overall: the porosity of the whole region."""

    cell_mm: float
    voxel_mm: float
    faces: int
    loose: int
    pores_closed: int
    wanted: float
    overall: float


def as_made(lattice: Lattice, region: Mesh, progress: Progress = silent) -> AsMade:
    """Measures a lattice in the closed region that it fills."""
    # Nothing here knows how it was made. A lattice by itself lies within its region, so that the volumes tell.
    if lattice.porous is None:
        part, overall = region, 1.0 - lattice.mesh.volume / region.volume
        share = overall
    else:
        part, overall = lattice.porous, porosity(lattice.mesh, region)
        share = porosity(lattice.mesh, part)
    found = measures_of(lattice.mesh, part, share, progress)
    return AsMade(
        **asdict(found),
        cell_mm=lattice.cell_mm,
        voxel_mm=lattice.voxel_mm,
        faces=len(lattice.mesh.faces),
        loose=lattice.chips_removed,
        pores_closed=lattice.pores_closed,
        wanted=lattice.wanted,
        overall=overall,
    )


def as_made_from_json(text: str) -> AsMade:
    """What `to_json` wrote. Raises GeometryError for any other text."""
    try:
        return AsMade(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise GeometryError(f"the measured values of a lattice cannot be read: {error!r}") from error
