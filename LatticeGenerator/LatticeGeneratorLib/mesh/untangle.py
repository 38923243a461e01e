"""Undoing the places where rounding let a surface pass through itself."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .check import closed_manifold_fault
from .collapse import collapsed
from .intersections import piercings
from .mesh import Mesh
from .relax import relaxed
from .weld import welded, without_flattened

# The deviation allowed to an implant's STL, mm (clinical facts: 0.02).
REACH_MM = 0.02
# Drawing towards neighbours and drawing short edges together take turns. The one may take half the deviation in steps,
# the other as much at once: half an edge.
_ROUNDS = 10
_STEP_MM, _EDGE_MM = REACH_MM / _ROUNDS, REACH_MM
# Faces this near to a crossing are looked at while it is undone, mm: twice the longest edge of a lattice. A long face
# may come to cross farther off: the whole surface is looked at again, and a second pass undoes what that finds.
_PASSES = 2
_AROUND_MM = 0.4


def untangled(mesh: Mesh) -> tuple[Mesh, int]:
    """A closed mesh at STL precision without the crossings that slivers and rounding have made, and how many vertices
    still lie in crossings: then they are larger than rounding can explain.

    Vertices of crossing faces are drawn towards their neighbours' mean, in turns with the short edges at them, which
    are drawn together to a point.
    """
    crossing = _vertices_of(mesh, *piercings(mesh))
    for _ in range(_PASSES):
        if len(crossing) == 0:
            break
        mesh = _pass(mesh, crossing)
        crossing = _vertices_of(mesh, *piercings(mesh))
    return mesh, len(crossing)


def untangled_near(mesh: Mesh, chosen: np.ndarray) -> tuple[Mesh, int]:
    """As `untangled`, of a mesh of which only faces at the chosen vertices (n,) may cross anything: the rest is not
    looked at."""
    places, crossing = mesh.vertices[chosen], _crossing_near(mesh, chosen)
    for _ in range(_PASSES):
        if len(crossing) == 0:
            break
        mesh = _pass(mesh, crossing)
        # Vertices drawn together have given others new numbers.
        crossing = _crossing_near(mesh, _near(cKDTree(mesh.vertices), places))
    return mesh, len(crossing)


def _pass(mesh: Mesh, crossing: np.ndarray) -> Mesh:
    """The mesh with crossings at these vertices undone, as far as faces around them tell."""
    tree = None
    for number in range(_ROUNDS):
        if len(crossing) == 0:
            break
        if tree is None or tree.n != len(mesh.vertices):
            tree = cKDTree(mesh.vertices)
        near = _near(tree, mesh.vertices[crossing])
        if number % 2 == 0:
            mesh, near = _closed_after(mesh, crossing, near)
        else:
            mesh, index = collapsed(mesh, crossing, _EDGE_MM)
            near = np.unique(index[near])
        crossing = _crossing_near(mesh, near)
    return mesh


def _near(tree: cKDTree, places: np.ndarray) -> np.ndarray:
    """(n,) numbers, in order, of the points of the tree around places (m, 3); they may have moved since by REACH_MM."""
    return np.unique(np.concatenate(tree.query_ball_point(places, _AROUND_MM + 2.0 * REACH_MM))).astype(np.int64)


def _crossing_near(mesh: Mesh, near: np.ndarray) -> np.ndarray:
    """(n,) vertices of all edges and faces that cross, of the faces that have a vertex among those near."""
    close = np.zeros(len(mesh.vertices), bool)
    close[near] = True
    chosen = np.flatnonzero(close[mesh.faces].any(axis=1))
    edges, local = piercings(Mesh(mesh.vertices, mesh.faces[chosen]))
    return _vertices_of(mesh, edges, chosen[local])


def _vertices_of(mesh: Mesh, edges: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n,) vertices of edges (e, 2), given by their vertices, and of faces (f,), given by their numbers."""
    return np.unique(np.concatenate([edges.ravel(), mesh.faces[faces].ravel()]))


def _closed_after(mesh: Mesh, chosen: np.ndarray, near: np.ndarray) -> tuple[Mesh, np.ndarray]:
    """The mesh with the chosen vertices relaxed and rounded for STL, and the numbers that those near now have; a step
    that would open it is halved until it does not."""
    limit = _STEP_MM
    for _ in range(4):
        moved = relaxed(mesh, chosen, limit)
        moved.vertices[chosen] = moved.vertices[chosen].astype(np.float32) + np.float32(0.0)
        points, index = welded(moved.vertices[near].astype(np.float32))
        if len(points) == len(near):
            return moved, near  # no vertices became one: faces hang together as before
        points, index = welded(moved.vertices.astype(np.float32))
        candidate = without_flattened(Mesh(points, index[moved.faces]))
        if closed_manifold_fault(candidate) is None:
            return candidate, np.unique(index[near])
        limit *= 0.5
    return mesh, near
