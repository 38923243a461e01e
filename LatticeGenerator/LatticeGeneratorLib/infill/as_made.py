"""A lattice in numbers, as made: what a person compares with what was asked for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..errors import GeometryError
from ..measure.measures import Measures, measures_of
from ..mesh.mesh import Mesh
from ..progress import Progress, silent
from .lattice import Lattice


@dataclass(frozen=True)
class AsMade(Measures):
    """What `Measures` holds, of the region that was filled, and: porous: the porosity of the porous part, which is the
    region without skin and frame; wanted: what that was to be, of a graded lattice on the mean; cell_mm: length of the
    cell; faces: of the mesh; loose: pieces that hung on nothing and were left out."""

    porous: float
    wanted: float
    cell_mm: float
    faces: int
    loose: int


def as_made(lattice: Lattice, region: Mesh, progress: Progress = silent) -> AsMade:
    """Measures a lattice in the closed region that it fills."""
    # A lattice lies within its region, so that the volumes tell; nothing here knows how it was made.
    found = measures_of(lattice.mesh, region, 1.0 - lattice.mesh.volume / region.volume, progress)
    return AsMade(
        **asdict(found),
        porous=lattice.porosity,
        wanted=lattice.wanted,
        cell_mm=lattice.cell_mm,
        faces=len(lattice.mesh.faces),
        loose=lattice.chips_removed,
    )


def as_made_from_json(text: str) -> AsMade:
    """What `to_json` wrote. Raises GeometryError for any other text."""
    try:
        return AsMade(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise GeometryError(f"the measured values of a lattice cannot be read: {error!r}") from error
