"""All unit cells by name; what a cell is stands in one entry of the file of its kind."""

from __future__ import annotations

from ..errors import GeometryError
from .cell import Cell
from .struts import STRUTS
from .surfaces import SURFACES
from .voronoi import VORONOI

CELLS: dict[str, Cell] = {cell.name: cell for cell in (*SURFACES, *STRUTS, VORONOI)}


def cell_named(name: str) -> Cell:
    """The cell of that name; raises GeometryError with the known names otherwise."""
    if name not in CELLS:
        raise GeometryError(f"there is no lattice cell '{name}': choose one of {', '.join(CELLS)}")
    return CELLS[name]
