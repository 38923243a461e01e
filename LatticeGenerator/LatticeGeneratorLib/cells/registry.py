"""All unit cells by name; a new cell is a file of its own and a line here."""

from __future__ import annotations

from ..errors import GeometryError
from .bcc import BCC
from .cell import Cell
from .gyroid import GYROID_SKELETAL

CELLS: dict[str, Cell] = {cell.name: cell for cell in (GYROID_SKELETAL, BCC)}


def cell_named(name: str) -> Cell:
    """The cell of that name; raises GeometryError with the known names otherwise."""
    if name not in CELLS:
        raise GeometryError(f"there is no lattice cell '{name}': choose one of {', '.join(CELLS)}")
    return CELLS[name]
