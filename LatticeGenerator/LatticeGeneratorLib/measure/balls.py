"""Largest balls that fit beside a surface, at positions finer than any grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..field.combine import sample
from ..field.grid import Grid
from ..mesh.mesh import Mesh
from ..mesh.split import split_triangles

_ROUNDS = 8
_HALVINGS = 10
# Directions in which a ball is tried to be moved: along the axes and the diagonals of a cube.
_TURNS = np.array([t for t in np.ndindex(3, 3, 3) if sum(v == 1 for v in t) in (0, 2)], float) - 1.0
_TURNS /= np.linalg.norm(_TURNS, axis=1)[:, None]
_FIRST_STEP, _LAST_STEP_MM, _FINER = 0.3, 0.0015, 0.25  # how far: in grid steps at first, at last, and from one to next
_POLISHED, _MOVES, _GAIN_MM = 200, 10, 1e-4
_SETTLED = 1e-3  # a ball is as large as it can be when its nearest surface is no nearer than this share of its radius


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface as points so dense that the nearest one stands for the surface itself.

    points: (n, 3) mm; normals: (n, 3) unit vectors out of the body.
    """

    points: np.ndarray
    normals: np.ndarray
    tree: cKDTree

    @classmethod
    def of(cls, mesh: Mesh, spacing: float, lo: np.ndarray, hi: np.ndarray) -> Surface:
        """Centres and corners of the faces near the box from lo to hi, large ones split to edges of `spacing` mm.

        Distances to them are too long by about spacing² / (16 · distance): 2 µm at 0.1 mm spacing and 0.3 mm.
        """
        faces = mesh.faces[faces_near(mesh, lo, hi)]
        a, b, c = (mesh.vertices[corner] for corner in faces.T)
        across = np.cross(b - a, c - a)
        large = ((np.maximum(np.maximum(a, b), c) - np.minimum(np.minimum(a, b), c)) > 1.5 * spacing).any(axis=1)
        pieces = split_triangles(np.stack([a[large], b[large], c[large]], axis=1), spacing)
        slopes = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])
        used, corner = np.unique(faces, return_inverse=True)
        at_vertex = [np.bincount(corner.ravel(), np.repeat(n, 3), len(used)) for n in across.T]
        points = [(a + b + c) / 3.0, mesh.vertices[used], pieces.mean(axis=1), pieces.reshape(-1, 3)]
        normals = np.concatenate([across, np.stack(at_vertex, axis=1), slopes, np.repeat(slopes, 3, axis=0)])
        normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-300)[:, None]
        places = np.concatenate(points)
        # Boxes drawn tight round the points make queries far from them look into many boxes at one distance.
        return cls(places, normals, cKDTree(places, compact_nodes=False, balanced_tree=False))


def faces_near(mesh: Mesh, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """(m,) bool: the faces whose own boxes meet the box from lo to hi, each (3,) mm."""
    near = np.ones(len(mesh.faces), bool)
    # A face lies wholly beyond a side of the box where all its corners do.
    for values, low, high in zip(mesh.vertices.T, lo, hi):
        below, above = values < low, values > high
        for out in (below, above):
            near &= ~(out[mesh.faces[:, 0]] & out[mesh.faces[:, 1]] & out[mesh.faces[:, 2]])
    return near


def grown(
    centres: np.ndarray,
    contact: np.ndarray,
    surface: Surface,
    side: float,
    domain: np.ndarray,
    grid: Grid,
    largest: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Balls grown from the (n, 3) centres away from the surface until it holds them from two sides.

    Each ball keeps its first point of contact and moves away from it; where the surface comes inside the ball it is
    made to pass through that place instead (shrinking ball, Ma et al. 2012). contact: (n,) the number of the surface's
    point nearest to each centre; side: 1 for balls outside the body, -1 inside. Centres stay where the domain's field
    on the grid is negative, radii below `largest` mm. Returns (n, 3) centres and (n,) radii; every ball is free of
    surface points.
    """
    foot = surface.points[contact]
    first_radius = np.linalg.norm(centres - foot, axis=1)
    outward = (centres - foot) / np.maximum(first_radius, 1e-12)[:, None]
    # So close to the surface the nearest of its points may lie sideways; its normal is the better direction.
    close = first_radius < grid.spacing
    outward[close] = side * surface.normals[contact[close]]
    radius = np.maximum(first_radius, largest)
    busy = np.arange(len(centres))
    for _ in range(_ROUNDS):
        nearest, index = surface.tree.query(foot[busy] + radius[busy, None] * outward[busy])
        intruding = nearest < radius[busy] * (1.0 - _SETTLED)
        busy, index, nearest = busy[intruding], index[intruding], nearest[intruding]
        if len(busy) == 0:
            break
        chord = surface.points[index] - foot[busy]
        depth = np.einsum("ij,ij->i", chord, outward[busy])
        through = np.einsum("ij,ij->i", chord, chord) / (2.0 * np.maximum(depth, 1e-12))
        radius[busy] = np.clip(through, first_radius[busy], radius[busy])
    _draw_back(radius, first_radius, foot, outward, domain, grid)
    moved = foot + radius[:, None] * outward
    radius[busy], index = surface.tree.query(moved[busy])
    # Those that have not settled may have come out on the other side of a thin place.
    beyond = side * np.einsum("ij,ij->i", moved[busy] - surface.points[index], surface.normals[index]) < 0.0
    moved[busy[beyond]], radius[busy[beyond]] = centres[busy[beyond]], first_radius[busy[beyond]]
    return moved, radius


def polished(
    centres: np.ndarray, radii: np.ndarray, surface: Surface, domain: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """The largest balls of the lot that do not hold each other's centres, moved to where they are largest: a round hole
    or a knot of struts has one such place, which seeds on a grid may miss by a fifth of their spacing.

    centres: (n, 3) mm, kept where the domain's field on the grid is negative; radii: (n,) mm; each in the order of
    growing radius. Returns (m, 3) and (m,).
    """
    chosen: list[int] = []
    left = np.arange(len(radii))[::-1]
    while len(left) and len(chosen) < _POLISHED:
        best = left[0]
        chosen.append(int(best))
        away = centres[left] - centres[best]
        left = left[np.einsum("ij,ij->i", away, away) > radii[best] ** 2]
    centre, radius = centres[chosen], radii[chosen]
    step = np.full(len(chosen), _FIRST_STEP * grid.spacing)
    # In a bore a ball may be moved along without end.
    for _ in range(_MOVES):
        busy = np.flatnonzero(step >= _LAST_STEP_MM)
        if len(busy) == 0:
            break
        tried = centre[busy, None] + step[busy, None, None] * _TURNS
        flat = tried.reshape(-1, 3)
        free = np.where(sample(domain, grid, flat) < 0.0, surface.tree.query(flat)[0], 0.0).reshape(len(busy), -1)
        to = free.argmax(axis=1)
        gain = free[np.arange(len(busy)), to] > radius[busy] + _GAIN_MM
        moved = busy[gain]
        centre[moved] = tried[gain, to[gain]]
        radius[moved] = free[gain, to[gain]]
        step[busy[~gain]] *= _FINER
    return centre, radius


def _draw_back(
    radius: np.ndarray,
    first_radius: np.ndarray,
    foot: np.ndarray,
    outward: np.ndarray,
    domain: np.ndarray,
    grid: Grid,
) -> None:
    """Shrinks, in place, the balls whose centres left the domain until they are on its border."""
    outside = np.flatnonzero(sample(domain, grid, foot + radius[:, None] * outward) > 0.0)
    low, high = first_radius[outside].copy(), radius[outside]
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        beyond = sample(domain, grid, foot[outside] + middle[:, None] * outward[outside]) > 0.0
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    radius[outside] = low
