"""Unit cells of lattices."""

from .cell import Cell
from .registry import CELLS, cell_named

__all__ = ["CELLS", "Cell", "cell_named"]
