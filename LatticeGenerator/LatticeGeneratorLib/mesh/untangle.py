"""Undoing the places where rounding let a surface pass through itself."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .check import closed_manifold_fault
from .intersections import piercings
from .mesh import Mesh
from .relax import relaxed
from .weld import as_stl_reads, without_flattened

# A vertex may be moved by this much in all, mm: the deviation allowed to an implant's STL (clinical facts: 0.02).
REACH_MM = 0.02
# In steps of a tenth of it.
_ROUNDS = 10
# Only faces this near to a crossing can come to cross when it is undone, mm: twice the longest edge of a lattice.
_AROUND_MM = 0.4


def untangled(mesh: Mesh) -> tuple[Mesh, int]:
    """The closed mesh, at STL precision, without the crossings that slivers and rounding have made, and how many
    vertices still lie in crossings: then they are larger than rounding can explain.

    Vertices of crossing faces are drawn towards their neighbours' mean, again and again, by at most 0.02 mm in all.
    """
    crossing = _crossing_vertices(mesh)
    for _ in range(_ROUNDS):
        if len(crossing) == 0:
            break
        places = mesh.vertices[crossing]
        mesh = _closed_after(mesh, crossing)
        crossing = _crossing_vertices(mesh, near=places)
    return mesh, len(crossing)


def _crossing_vertices(mesh: Mesh, near: np.ndarray | None = None) -> np.ndarray:
    """(n,) vertices of all edges and faces that cross; near: (m, 3) look only around these points."""
    if near is None:
        edges, faces = piercings(mesh)
    else:
        close = np.isfinite(cKDTree(near).query(mesh.vertices, distance_upper_bound=_AROUND_MM)[0])
        chosen = np.flatnonzero(close[mesh.faces].any(axis=1))
        edges, local = piercings(Mesh(mesh.vertices, mesh.faces[chosen]))
        faces = chosen[local]
    return np.unique(np.concatenate([edges.ravel(), mesh.faces[faces].ravel()]))


def _closed_after(mesh: Mesh, chosen: np.ndarray) -> Mesh:
    """The mesh with the chosen vertices relaxed and rounded for STL; a step that would open it is halved until it
    does not."""
    limit = REACH_MM / _ROUNDS
    for _ in range(4):
        candidate = as_stl_reads(relaxed(mesh, chosen, limit))
        if len(candidate.vertices) == len(mesh.vertices):
            return candidate  # no vertices became one: faces hang together as before
        candidate = without_flattened(candidate)
        if closed_manifold_fault(candidate) is None:
            return candidate
        limit *= 0.5
    return mesh
