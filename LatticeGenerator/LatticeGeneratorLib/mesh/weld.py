"""Vertices that have become equal, and the STL's rounding that makes them so."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh


def welded(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct points and, for each given point, its index among them.

    points: (n, 3) float32. Returns (m, 3) float32 in the order of first appearance, and (n,) int64. Only exactly
    equal points are one; -0 and 0 are equal.
    """
    bits = np.ascontiguousarray(points, dtype=np.float32) + np.float32(0.0)
    words = bits.view(np.uint32).astype(np.uint64)
    _, planar = np.unique((words[:, 0] << np.uint64(32)) | words[:, 1], return_inverse=True)
    spatial = (planar.astype(np.uint64) << np.uint64(32)) | words[:, 2]
    _, first, index = np.unique(spatial, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return bits[first[order]], rank[index]


def as_stl_reads(mesh: Mesh) -> Mesh:
    """The mesh as a reader of its STL file sees it: vertices rounded to float32, equal ones made one."""
    points, index = welded(mesh.vertices.astype(np.float32))
    return Mesh(points, index[mesh.faces])


def merged_by_rounding(mesh: Mesh) -> np.ndarray:
    """(n,) vertices that rounding to float32 makes equal to another one."""
    _, index = welded(mesh.vertices.astype(np.float32))
    return np.flatnonzero(np.bincount(index)[index] > 1)


def without_flattened(mesh: Mesh) -> Mesh:
    """The mesh without the faces that use a vertex twice: what remains of an edge whose ends became one."""
    a, b, c = mesh.faces.T
    return Mesh(mesh.vertices, mesh.faces[(a != b) & (b != c) & (c != a)])
