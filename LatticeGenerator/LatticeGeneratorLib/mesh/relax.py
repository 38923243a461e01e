"""Drawing vertices towards their neighbours, by micrometres, where slivers stand in the way of a clean surface."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from .mesh import Mesh


def relaxed(mesh: Mesh, chosen: np.ndarray, limit_mm: float) -> Mesh:
    """The mesh with the chosen vertices half-way towards the mean of their neighbours, by at most limit_mm each."""
    n = len(mesh.vertices)
    moved = np.zeros(n, bool)
    moved[chosen] = True
    near = mesh.faces[moved[mesh.faces].any(axis=1)]
    a, b = near.ravel(), near[:, [1, 2, 0]].ravel()
    links = coo_array((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()[chosen]
    mean = (links @ mesh.vertices) / np.maximum(links.sum(axis=1), 1.0)[:, None]
    step = 0.5 * (mean - mesh.vertices[chosen])
    length = np.linalg.norm(step, axis=1, keepdims=True)
    vertices = mesh.vertices.copy()
    vertices[chosen] += step * np.minimum(1.0, limit_mm / np.maximum(length, 1e-12))
    return Mesh(vertices, mesh.faces)
