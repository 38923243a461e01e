"""Surfaces and volumes that an order speaks of: too large for its text, they lie in files beside it, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import GeometryError
from ..field.grid import Grid
from ..field.sampled import Sampled
from ..mesh.mesh import Mesh

Arrays = Mapping[str, np.ndarray]
"""What was attached: for each array its name."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface, open or closed, RAS mm; the same as another one that has the same triangles."""

    mesh: Mesh

    @cached_property
    def name(self) -> str:
        """A name that no other surface has."""
        return f"surface-{_digest(self.mesh.vertices, self.mesh.faces)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Surface) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def arrays(self) -> dict[str, np.ndarray]:
        """What lies beside the order."""
        return {f"{self.name}.vertices": self.mesh.vertices, f"{self.name}.faces": self.mesh.faces}

    def moved(self, matrix: np.ndarray) -> Surface:
        """The surface moved by a 4x4 rigid matrix."""
        return Surface(self.mesh.transformed(matrix))

    @classmethod
    def named(cls, name: str, arrays: Arrays) -> Surface:
        """The surface of that name. Raises GeometryError where it is not among the arrays."""
        return cls(Mesh(_held(f"{name}.vertices", arrays), _held(f"{name}.faces", arrays)))


@dataclass(frozen=True, eq=False)
class Volume:
    """Numbers in space, bone density for example. values: [k, j, i]; ijk_to_ras: 4x4, to RAS mm."""

    values: np.ndarray
    ijk_to_ras: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.ascontiguousarray(self.values, np.float32))
        object.__setattr__(self, "ijk_to_ras", np.ascontiguousarray(self.ijk_to_ras, np.float64))
        if self.values.ndim != 3 or not self.values.size or not np.isfinite(self.values).all():
            raise GeometryError(f"a volume needs finite numbers [k, j, i], not an array of shape {self.values.shape}")
        if self.ijk_to_ras.shape != (4, 4) or not abs(np.linalg.det(self.ijk_to_ras[:3, :3])) > 0.0:
            raise GeometryError("a volume needs an invertible 4x4 matrix from its indices to RAS mm")

    @cached_property
    def name(self) -> str:
        """A name that no other volume has."""
        return f"volume-{_digest(self.values, self.ijk_to_ras)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Volume) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def arrays(self) -> dict[str, np.ndarray]:
        """What lies beside the order."""
        return {f"{self.name}.values": self.values, f"{self.name}.ijk_to_ras": self.ijk_to_ras}

    def moved(self, matrix: np.ndarray) -> Volume:
        """The volume moved by a 4x4 rigid matrix."""
        return Volume(self.values, matrix @ self.ijk_to_ras)

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) the numbers at (n, 3) points, trilinear; beyond the volume those of its border."""
        i, j, k = self.values.shape[::-1]
        places = np.linalg.solve(self.ijk_to_ras[:3, :3], (points - self.ijk_to_ras[:3, 3]).T).T
        return Sampled(self.values, Grid(np.zeros(3), 1.0, (i, j, k))).at(places)

    @property
    def step_mm(self) -> float:
        """The least distance between neighbours."""
        return float(np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0).min())

    @classmethod
    def named(cls, name: str, arrays: Arrays) -> Volume:
        """The volume of that name. Raises GeometryError where it is not among the arrays."""
        return cls(_held(f"{name}.values", arrays), _held(f"{name}.ijk_to_ras", arrays))


def _held(name: str, arrays: Arrays) -> np.ndarray:
    if name not in arrays:
        raise GeometryError(f"'{name}' is not beside the order: keep the order's files together, or order it again")
    return arrays[name]


def _digest(*arrays: np.ndarray) -> str:
    state = hashlib.sha256()
    for array in arrays:
        state.update(repr(array.shape).encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:16]
