"""A finished mesh in patches of neighbouring faces, so that a plane or a beam of rays is met only where it passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from LatticeGeneratorLib.mesh.box_tree import LEAF, box_tree
from LatticeGeneratorLib.mesh.mesh import Mesh

_LEAVES_A_PATCH = 16
_SLACK_MM = 1e-6


@dataclass(frozen=True, eq=False)
class Patches:
    """middles, halves: (n, 3) RAS mm, centre and half size of each patch's box; order: (m,) numbers of the faces, the
    n-th patch holds the n-th 64 of them."""

    mesh: Mesh
    middles: np.ndarray
    halves: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, mesh: Mesh) -> Patches:
        """The patches of a mesh."""
        boxes, order = box_tree(mesh.triangles)
        first = max(len(boxes) // 2 // _LEAVES_A_PATCH, 1)
        boxes = boxes[first : 2 * first][: -(-len(order) // (LEAF * _LEAVES_A_PATCH))]
        low, high = boxes[:, :3], boxes[:, 3:]
        return cls(mesh, 0.5 * (low + high), 0.5 * (high - low), order)

    def at_plane(self, point: np.ndarray, normal: np.ndarray) -> Mesh:
        """The mesh with no faces but those near the plane through point (3,) with normal (3,), all it meets among them,
        and the vertices they use; both in their order."""
        return self._only(np.abs((self.middles - point) @ normal) <= self.halves @ np.abs(normal) + _SLACK_MM)

    def in_beam(self, frame: np.ndarray, origin: np.ndarray, low: np.ndarray, high: np.ndarray) -> Mesh:
        """The same of a beam along frame[2] with frame[0], frame[1] coordinates low..high (2,) about origin (3,)."""
        across = frame[:2]
        away, reach = (self.middles - origin) @ across.T, self.halves @ np.abs(across).T + _SLACK_MM
        return self._only(((away + reach >= low) & (away - reach <= high)).all(axis=1))

    def _only(self, met: np.ndarray) -> Mesh:
        size = LEAF * _LEAVES_A_PATCH
        places = size * np.flatnonzero(met)[:, None] + np.arange(size)
        faces = self.mesh.faces[np.sort(self.order[places[places < len(self.order)]])]
        used = np.zeros(len(self.mesh.vertices), bool)
        used[faces] = True
        return Mesh(self.mesh.vertices[used], (np.cumsum(used) - 1)[faces])
