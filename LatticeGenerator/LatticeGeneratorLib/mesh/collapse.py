"""Short edges drawn together to a point, and with them the slivers beside them."""

from __future__ import annotations

import numpy as np

from .check import closed_manifold_fault
from .mesh import Mesh
from .weld import welded, without_flattened


def collapsed(mesh: Mesh, chosen: np.ndarray, limit_mm: float) -> tuple[Mesh, np.ndarray]:
    """The closed mesh at STL precision without edges of at most limit_mm that end at chosen vertices, shortest first,
    and the number (n,) that each vertex now has.

    Both ends go to the middle of the edge. Edges beside one that has been taken are left, and so is one whose ends have
    other neighbours in common than the corners opposite it: without it two sheets would meet.
    """
    edges, beside = _short_edges(mesh, chosen, limit_mm)
    vertices = mesh.vertices.copy()
    taken: set[int] = set()
    for a, b in edges.tolist():
        both = beside[a] | beside[b]
        if len(beside[a] & beside[b]) == 2 and not both & taken:
            vertices[[a, b]] = (0.5 * (vertices[a] + vertices[b])).astype(np.float32)
            taken |= both
    if taken:
        points, index = welded(vertices.astype(np.float32))
        made = without_flattened(Mesh(points, index[mesh.faces]))
        if closed_manifold_fault(made) is None:
            return made, index
    return mesh, np.arange(len(vertices))


def _short_edges(mesh: Mesh, chosen: np.ndarray, limit_mm: float) -> tuple[np.ndarray, dict[int, set[int]]]:
    """(e, 2) edges at chosen vertices, shortest first, and the neighbours of each of their ends."""
    marked = np.zeros(len(mesh.vertices), bool)
    marked[chosen] = True
    edges = _edges_of(mesh.faces[marked[mesh.faces].any(axis=1)])
    edges = edges[marked[edges].any(axis=1)]
    lengths = np.linalg.norm(np.subtract(*mesh.vertices[edges.T]), axis=1)
    order = np.argsort(lengths, kind="stable")
    edges = edges[order[lengths[order] <= limit_mm]]
    marked[:] = False
    marked[edges] = True
    beside: dict[int, set[int]] = {}
    for a, b in _edges_of(mesh.faces[marked[mesh.faces].any(axis=1)]).tolist():
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    return edges, beside


def _edges_of(faces: np.ndarray) -> np.ndarray:
    """(e, 2) the edges of faces, each once, lower vertex first, in order."""
    return np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
