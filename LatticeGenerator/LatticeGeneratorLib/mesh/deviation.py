"""How far two surfaces lie apart, at most: a bound that holds for every point of either, not for samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Mesh
from .nearest import Nearest

# A piece of a face is settled when no point of it can be farther than this much over the farthest that was found,
# or than this share of the limit.
_OVER, _SHARE = 1.05, 0.1
_FACES_AT_ONCE, _ROUNDS = 200_000, 60
_LEAST_SHARE = 0.02  # of an edge that is cut off, so that pieces get smaller
_PAIRS = ((0, 1), (1, 2), (2, 0))


@dataclass(frozen=True, eq=False)
class Apart:
    """How far a surface is from another. most_mm: no point of it is farther; or, where points were found that are
    beyond the limit that was asked for, the distance of the farthest of these; beyond: (n, 3) mm, those points."""

    most_mm: float
    beyond: np.ndarray

    def and_(self, other: Apart) -> Apart:
        """The same for two surfaces together."""
        return Apart(max(self.most_mm, other.most_mm), np.concatenate([self.beyond, other.beyond]))


def deviation(one: Mesh, two: Mesh, limit_mm: float) -> Apart:
    """How far any point of either surface is from the other (Hausdorff distance).

    It is at most 5 % or a tenth of the limit above the true one.
    """
    return farthest(one, Nearest.of(two), limit_mm).and_(farthest(two, Nearest.of(one), limit_mm))


def farthest(mesh: Mesh, surface: Nearest, limit_mm: float) -> Apart:
    """As `deviation`, from the mesh to the surface only.

    The distance to one triangle is convex, so that over a piece of a face it is greatest in a corner: of the triangles
    next to the corners of a piece, the one whose greatest distance to any of them is least bounds the piece, and the
    largest bound of all pieces bounds the mesh. Pieces whose bound is too large are cut in two, where one triangle
    hands over to the next, and those with a corner beyond the limit are done with.
    """
    away, near = surface.to(mesh.vertices)
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    far = used & (away > limit_mm)
    apart = Apart(float(away[used].max()), mesh.vertices[far])
    for begin in range(0, len(mesh.faces), _FACES_AT_ONCE):
        faces = mesh.faces[begin : begin + _FACES_AT_ONCE]
        # Over a face whose corners are next to one triangle nothing is farther than in a corner.
        alike = (near[faces[:, 0]] == near[faces[:, 1]]) & (near[faces[:, 1]] == near[faces[:, 2]])
        faces = faces[~alike & ~far[faces].any(axis=1)]
        apart = apart.and_(_of_pieces(mesh.vertices[faces], near[faces], surface, limit_mm, apart.most_mm))
    return apart


def _of_pieces(corners: np.ndarray, near: np.ndarray, surface: Nearest, limit: float, found: float) -> Apart:
    """As `farthest`, for pieces (n, 3, 3) whose corners, none beyond the limit, are next to triangles `near` (n, 3).

    found: a distance that some point is known to have.
    """
    worst = 0.0
    beyond: list[np.ndarray] = []
    for _ in range(_ROUNDS):
        gaps = surface.between(corners, near)
        bounds = gaps.max(axis=1).min(axis=1)
        settled = bounds <= min(max(_OVER * found, _SHARE * limit), limit)
        worst = max(worst, float(bounds[settled].max(initial=0.0)))
        corners, near, gaps = corners[~settled], near[~settled], gaps[~settled]
        if len(corners) == 0:
            return Apart(worst, np.concatenate([np.zeros((0, 3)), *beyond]))
        middles, cut, beside, apex = _cut(corners, gaps)
        rows = np.arange(len(corners))
        away, next_to = surface.to(middles, near[rows, cut])
        far = away > limit
        beyond.append(middles[far])
        worst = max(worst, float(away[far].max(initial=0.0)))
        found = max(found, float(away.max()))
        rows = rows[~far]
        halves, nears = [], []
        for kept in (cut[rows], beside[rows]):
            halves.append(np.stack([corners[rows, kept], middles[rows], corners[rows, apex[rows]]], axis=1))
            nears.append(np.stack([near[rows, kept], next_to[rows], near[rows, apex[rows]]], axis=1))
        corners, near = np.concatenate(halves), np.concatenate(nears)
    # Pieces this small that are not settled lie within rounding of the limit.
    return Apart(np.inf, np.concatenate([corners.mean(axis=1), *beyond]))


def _cut(corners: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where to cut each piece: a point on one edge, and which corners are the edge's ends and the one across.

    The edge is the one whose ends' triangles are farthest from its other end; on two triangles that share a side the
    point is where the edge passes over it.
    """
    over = np.stack([gaps[:, i, j] + gaps[:, j, i] for i, j in _PAIRS], axis=1)
    edge = over.argmax(axis=1)
    first, second, apex = edge, (edge + 1) % 3, (edge + 2) % 3
    rows = np.arange(len(corners))
    share = gaps[rows, first, second] / np.maximum(over[rows, edge], 1e-300)
    share = np.clip(share, _LEAST_SHARE, 1.0 - _LEAST_SHARE)[:, None]
    return (1.0 - share) * corners[rows, first] + share * corners[rows, second], first, second, apex
