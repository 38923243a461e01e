"""Triangle meshes: the plain `Mesh`, and the `Part` that promises to be a closed, oriented 2-manifold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..errors import GeometryError


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in millimetres.

    vertices: (n, 3) float64, faces: (m, 3) int64, counter-clockwise seen from outside.
    """

    vertices: np.ndarray
    faces: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", np.ascontiguousarray(self.vertices, dtype=np.float64).reshape(-1, 3))
        object.__setattr__(self, "faces", np.ascontiguousarray(self.faces, dtype=np.int64).reshape(-1, 3))

    @property
    def triangles(self) -> np.ndarray:
        """(m, 3, 3) corner positions."""
        return self.vertices[self.faces]

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner, each (3,)."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)

    @cached_property
    def volume(self) -> float:
        """Enclosed volume in mm³ by the divergence theorem; positive when the faces point outwards."""
        return float(self.face_volumes.sum())

    @property
    def face_volumes(self) -> np.ndarray:
        """(m,) mm³: signed volume of the tetrahedron from each face to the mean vertex."""
        x, y, z = (self.vertices - self.vertices.mean(axis=0)).T
        a, b, c = self.faces.T
        xb, yb, zb, xc, yc, zc = x[b], y[b], z[b], x[c], y[c], z[c]
        return (x[a] * (yb * zc - zb * yc) + y[a] * (zb * xc - xb * zc) + z[a] * (xb * yc - yb * xc)) / 6.0

    @property
    def area(self) -> float:
        """Surface area in mm²."""
        a, b, c = self.triangles.transpose(1, 0, 2)
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0)

    def transformed(self, matrix: np.ndarray) -> Mesh:
        """The mesh moved by a 4x4 rigid matrix."""
        return Mesh(self.vertices @ matrix[:3, :3].T + matrix[:3, 3], self.faces)


@dataclass(frozen=True, eq=False)
class Part:
    """A finished body: a closed, oriented 2-manifold with a name, a role, a material and where it came from.

    Raises GeometryError on construction when the mesh is empty, open, non-manifold or inside out.
    """

    mesh: Mesh
    name: str
    role: str = "implant"
    material: str = ""
    provenance: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from .check import closed_manifold_fault

        fault = closed_manifold_fault(self.mesh)
        if fault:
            raise GeometryError(f"part '{self.name}' is not a closed, oriented manifold: {fault}")

    def with_mesh(self, mesh: Mesh) -> Part:
        """The same part with another closed mesh."""
        return replace(self, mesh=mesh)
