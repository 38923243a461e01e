"""Blocks of a surface put together without being held twice."""

from __future__ import annotations

import numpy as np

from ..field.slabs import Block
from ..mesh.mesh import Mesh

# A closed surface of genus g has 2 (vertices + 2 g - 2) faces: twice the vertices, and a little more for every hole
# that goes through it. Memory that is taken and never written to costs nothing.
_FACES_PER_VERTEX = 2.3


class Collected:
    """The blocks so far; volume: mm³ enclosed by them. vertices: how many there will be at most."""

    def __init__(self, vertices: int) -> None:
        self.volume = 0.0
        self._vertices = _Rows(np.empty((vertices, 3)))
        self._faces = _Rows(np.empty((int(_FACES_PER_VERTEX * vertices), 3), np.int64))

    def add(self, block: Block) -> None:
        """Takes in the next block."""
        block.write(self._vertices.room(len(block.steps)), self._faces.room(len(block.corners)))
        self.volume += block.volume

    def mesh(self) -> Mesh:
        """The blocks as one mesh."""
        return Mesh(self._vertices.held(), self._faces.held())


class _Rows:
    def __init__(self, array: np.ndarray) -> None:
        self._array, self._count = array, 0

    def room(self, number: int) -> np.ndarray:
        """The next rows, to be written to."""
        first, self._count = self._count, self._count + number
        if self._count > len(self._array):
            self._array = np.concatenate([self._array[:first], np.empty((2 * self._count, 3), self._array.dtype)])
        return self._array[first : self._count]

    def held(self) -> np.ndarray:
        return self._array[: self._count]
