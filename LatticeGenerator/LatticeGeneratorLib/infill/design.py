"""All that a lattice is to be, in its region: what cells, how they change, lie and end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..cells import cell_named
from ..errors import GeometryError
from ..mesh.mesh import Mesh
from ..printing.printer import Printer
from .feasible import cell_size_mm
from .finish import Finish, finished
from .graded import Graded, Porosities
from .joined import Rest
from .laid import UNTURNED, Conformal, Laid
from .pattern import Pattern
from .places import Places, growing
from .spec import LatticeSpec


@dataclass(frozen=True)
class Design:
    """spec: the lattice; graded: what it becomes along something, None: the same everywhere; laid: how its cells lie;
    finish: how it ends, as skins, frames and a transition; rest: the solid that it is joined to, None: it is by itself.
    """

    spec: LatticeSpec
    graded: Graded | None = None
    laid: Laid = UNTURNED
    finish: tuple[Finish, ...] = ()
    rest: Rest | None = None

    def kinds(self) -> list[LatticeSpec]:
        """Every kind of lattice that comes to be."""
        return [self.spec] if self.graded is None else self.graded.kinds(self.spec)

    def check_printable(self, printer: Printer | None = None) -> None:
        """Raises GeometryError if one of the kinds of lattice cannot be made on a printer (None: the default one)."""
        for kind in self.kinds():
            cell_size_mm(kind, printer)

    def along_cells(self) -> Design:
        """The design as seen along the axes of its cells."""
        matrix = self.laid.lattice_to_ras.T
        return replace(
            self,
            graded=None if self.graded is None else self.graded.moved(matrix),
            finish=tuple(part.moved(matrix) for part in self.finish),
            rest=None if self.rest is None else self.rest.moved(matrix),
        )

    def pattern(self, domain: Mesh, origin: np.ndarray, voxel: float) -> Pattern:
        """The design in a closed domain, cells counted from origin (3,) mm, on a grid of voxel mm; all along the axes
        of the cells.

        Raises GeometryError where a part of it has no place there.
        """
        cell = cell_named(self.spec.cell)
        solids, away = finished(domain, self.finish, voxel, self.rest)
        share = None if self.graded is None else self.graded.along.over(domain)
        end = self.spec if self.graded is None else self.graded.end
        porosities = None
        if away is not None or end.porosity != self.spec.porosity:
            densest = min(cell.porosities[0], self.spec.porosity, end.porosity)
            porosities = Porosities(cell, self.spec.porosity, end.porosity, share, densest, away)
        return Pattern(cell, self._places(domain, origin), porosities, solids)

    def _places(self, domain: Mesh, origin: np.ndarray) -> Places:
        start = self.spec.cell_mm
        end = start if self.graded is None else self.graded.end.cell_mm
        if self.graded is None or abs(end - start) < 1e-9 * start:
            return self.laid.places(domain, start, origin)
        if isinstance(self.laid, Conformal):
            raise GeometryError(
                f"cells that follow a face cannot also go from {start:.2f} to {end:.2f} mm: change their porosity alone"
            )
        return growing(domain, origin, self.graded.along.over(domain), start, end)
