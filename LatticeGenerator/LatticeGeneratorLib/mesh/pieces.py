"""The separate surfaces a mesh is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .mesh import Mesh


@dataclass(frozen=True, eq=False)
class Pieces:
    """Which piece each face and vertex of a mesh belongs to.

    of_face: (m,), of_vertex: (n,) piece numbers; volumes: (count,) mm³, negative for a surface turned inwards (the
    wall of a closed void). A vertex no face uses is a piece of its own, with volume 0.
    """

    mesh: Mesh
    of_face: np.ndarray
    of_vertex: np.ndarray
    volumes: np.ndarray

    def only(self, kept: np.ndarray) -> Mesh:
        """The mesh of the pieces for which the (count,) bool array says so, with no unused vertices."""
        faces = self.mesh.faces[kept[self.of_face]]
        used = np.zeros(len(self.mesh.vertices), bool)
        used[faces] = True
        return Mesh(self.mesh.vertices[used], (np.cumsum(used) - 1)[faces])


def pieces_of(mesh: Mesh) -> Pieces:
    """The connected surfaces of a mesh; two faces are connected where they share a vertex."""
    n = len(mesh.vertices)
    a, b, c = mesh.faces.T
    links = coo_array((np.ones(2 * len(a), np.int8), (np.r_[a, b], np.r_[b, c])), shape=(n, n))
    count, of_vertex = connected_components(links, directed=False)
    of_face = of_vertex[a]
    volumes = mesh.face_volumes if n else np.zeros(0)
    return Pieces(mesh, of_face, of_vertex, np.bincount(of_face, weights=volumes, minlength=count))
