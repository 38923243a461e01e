"""Surfaces and volumes that an order speaks of: too large for its text, they lie in a file beside it, by name.

An order can be read, compared and shown without that file; only to make it the file must be there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.sampled import Sampled
from ..mesh.mesh import Mesh

Held = TypeVar("Held")

Arrays = Mapping[str, np.ndarray]
"""What was attached: for each array its name."""


@dataclass(frozen=True)
class Surface:
    """A surface, open or closed, by a name that no other has; held: its triangles, RAS mm, where they are at hand."""

    name: str
    held: Mesh | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, mesh: Mesh) -> Surface:
        """A surface by its triangles. Raises GeometryError where it has none, or not in finite numbers."""
        if not len(mesh.faces) or not np.isfinite(mesh.vertices).all():
            raise GeometryError("a surface to go by needs triangles with finite corners: choose another one")
        return cls(f"surface-{_digest(mesh.vertices, mesh.faces)}", mesh)

    @classmethod
    def named(cls, name: str, arrays: Arrays) -> Surface:
        """The surface of that name, with its triangles if they are among the arrays."""
        if f"{name}.faces" not in arrays:
            return cls(name)
        return cls(name, Mesh(arrays[f"{name}.vertices"], arrays[f"{name}.faces"]))

    @property
    def mesh(self) -> Mesh:
        """Its triangles. Raises GeometryError where they are not at hand."""
        return _at_hand(self.name, self.held)

    def arrays(self) -> dict[str, np.ndarray]:
        """What lies beside the order."""
        return {f"{self.name}.vertices": self.mesh.vertices, f"{self.name}.faces": self.mesh.faces}

    def moved(self, matrix: np.ndarray) -> Surface:
        """The surface moved by a 4x4 rigid matrix."""
        return Surface.of(self.mesh.transformed(matrix))


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers in space. values: [k, j, i] float32; ijk_to_ras: 4x4, from their indices to RAS mm."""

    values: np.ndarray
    ijk_to_ras: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.ascontiguousarray(self.values, np.float32))
        object.__setattr__(self, "ijk_to_ras", np.ascontiguousarray(self.ijk_to_ras, np.float64))
        if self.values.ndim != 3 or not self.values.size or not np.isfinite(self.values).all():
            raise GeometryError(f"a volume needs finite numbers [k, j, i], not an array of shape {self.values.shape}")
        if self.ijk_to_ras.shape != (4, 4) or not abs(np.linalg.det(self.ijk_to_ras[:3, :3])) > 0.0:
            raise GeometryError("a volume needs an invertible 4x4 matrix from its indices to RAS mm")

    @property
    def step_mm(self) -> float:
        """The least distance between neighbours."""
        return float(np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0).min())

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) the numbers at (n, 3) points, trilinear; beyond the volume those of its border."""
        i, j, k = self.values.shape[::-1]
        places = np.linalg.solve(self.ijk_to_ras[:3, :3], (points - self.ijk_to_ras[:3, 3]).T).T
        return Sampled(self.values, Grid(np.zeros(3), 1.0, (i, j, k))).at(places)


@dataclass(frozen=True)
class Volume:
    """Numbers in space, bone density for example, by a name that no others have; held: they, where they are at hand."""

    name: str
    held: Numbers | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, values: np.ndarray, ijk_to_ras: np.ndarray) -> Volume:
        """A volume by its values [k, j, i] and the 4x4 matrix from indices to RAS mm. Raises GeometryError where they
        are not finite numbers of that shape."""
        numbers = Numbers(values, ijk_to_ras)
        return cls(f"volume-{_digest(numbers.values, numbers.ijk_to_ras)}", numbers)

    @classmethod
    def named(cls, name: str, arrays: Arrays) -> Volume:
        """The volume of that name, with its numbers if they are among the arrays."""
        if f"{name}.values" not in arrays:
            return cls(name)
        return cls(name, Numbers(arrays[f"{name}.values"], arrays[f"{name}.ijk_to_ras"]))

    @property
    def numbers(self) -> Numbers:
        """Its numbers. Raises GeometryError where they are not at hand."""
        return _at_hand(self.name, self.held)

    def arrays(self) -> dict[str, np.ndarray]:
        """What lies beside the order."""
        return {f"{self.name}.values": self.numbers.values, f"{self.name}.ijk_to_ras": self.numbers.ijk_to_ras}

    def moved(self, matrix: np.ndarray) -> Volume:
        """The volume moved by a 4x4 rigid matrix."""
        return Volume.of(self.numbers.values, matrix @ self.numbers.ijk_to_ras)


def _at_hand(name: str, held: Held | None) -> Held:
    if held is None:
        raise GeometryError(f"'{name}' is not beside the order: keep the order's files together, or order it again")
    return held


def _digest(*arrays: np.ndarray) -> str:
    state = hashlib.sha256()
    for array in arrays:
        state.update(repr(array.shape).encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:16]
