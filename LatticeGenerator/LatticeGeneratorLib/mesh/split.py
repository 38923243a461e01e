"""Triangles made small."""

from __future__ import annotations

import numpy as np


def split_triangles(triangles: np.ndarray, limit: float) -> np.ndarray:
    """The same surface in triangles whose edges are no longer than the limit: longest edges halved until they are.

    triangles: (n, 3, 3). Corners of one triangle may come to lie on edges of another: for sampling, not for meshes.
    """
    done = []
    while len(triangles):
        edges = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2)
        longest = edges.argmax(axis=1)
        large = edges.max(axis=1) > limit
        if not large.any():
            done.append(triangles)
            break
        done.append(triangles[~large])
        rows, first = np.flatnonzero(large), longest[large]
        a, b, c = (triangles[rows, (first + turn) % 3] for turn in range(3))
        middle = 0.5 * (a + b)
        triangles = np.concatenate([np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)])
    return done[0] if len(done) == 1 else np.concatenate(done) if done else triangles
