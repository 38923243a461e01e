"""Undoing the places where rounding let a surface pass through itself."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

from ..errors import GeometryError
from .check import closed_manifold_fault
from .intersections import piercings
from .mesh import Mesh
from .weld import as_stl_reads, without_flattened

# A vertex may be moved by this much in all, mm: the deviation allowed to an implant's STL (clinical facts: 0.02).
REACH_MM = 0.02
# In steps of a tenth of it.
_ROUNDS = 10
# Only faces this near to a crossing can come to cross when it is undone, mm: twice the longest edge of a lattice.
_AROUND_MM = 0.4


def untangled(mesh: Mesh) -> Mesh:
    """The mesh, at STL precision, without the crossings that slivers and rounding have made.

    Vertices of crossing faces are drawn towards their neighbours' mean, again and again, by at most 0.02 mm in all.
    Raises GeometryError where crossings remain: then they are larger than rounding can make them.
    """
    crossing = _crossing_vertices(mesh)
    for _ in range(_ROUNDS):
        if len(crossing) == 0:
            break
        places = mesh.vertices[crossing]
        mesh = _relaxed(mesh, crossing)
        crossing = _crossing_vertices(mesh, near=places)
    if len(crossing):
        x, y, z = mesh.vertices[crossing[0]]
        raise GeometryError(
            f"the surface passes through itself at ({x:.2f}, {y:.2f}, {z:.2f}) mm by more than rounding can explain; "
            "move the parts that meet there"
        )
    return mesh


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


def _relaxed(mesh: Mesh, chosen: np.ndarray) -> Mesh:
    """The mesh with the chosen vertices half-way towards the mean of their neighbours, rounded for STL.

    Each step is a tenth of the whole reach at most; a step that would leave the mesh open is halved until it does not.
    """
    a, b = mesh.faces.ravel(), mesh.faces[:, [1, 2, 0]].ravel()
    n = len(mesh.vertices)
    links = coo_array((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()[chosen]
    mean = (links @ mesh.vertices) / links.sum(axis=1)[:, None]
    step = 0.5 * (mean - mesh.vertices[chosen])
    length = np.linalg.norm(step, axis=1, keepdims=True)
    step *= np.minimum(1.0, REACH_MM / _ROUNDS / np.maximum(length, 1e-12))
    for _ in range(4):
        vertices = mesh.vertices.copy()
        vertices[chosen] += step
        candidate = without_flattened(as_stl_reads(Mesh(vertices, mesh.faces)))
        if closed_manifold_fault(candidate) is None:
            return candidate
        step *= 0.5
    return mesh
